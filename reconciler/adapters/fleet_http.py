"""The VMs that have joined, as the registry's server shows them to operators, and what operators do to them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import quote, urlencode

from reconciler.adapters.outbound.operators import OperatorLine, OperatorSettings, issued
from reconciler.core.drain import PATIENCE
from reconciler.core.fleet.audit import Extent, Link, Mark
from reconciler.core.resources import Document, Key
from reconciler.errors import Unavailable

_PAGE = 1000


class HttpFleet:
    """`ports.FleetDesk`."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Raises InvalidInput as `OperatorLine` does."""
        self._line = OperatorLine(settings)

    def vms(self) -> tuple[Document, ...]:
        return tuple(self._pages())

    def drain(self, vm: Key, *, draining: bool, within: timedelta = PATIENCE) -> None:
        word = "drain" if draining else "undrain"
        body = {"within": within.total_seconds()} if draining else None
        self._line.ask("POST", f"/v1/vms/{vm.namespace}/{vm.name}/{word}", body, f"{word} {vm.namespace}/{vm.name}")

    def issue(self, vm: Key, networks: Sequence[str], lifetime: timedelta, service_account: str = "") -> str:
        return issued(self._line, vm, service_account, networks, lifetime)

    def tokens(self) -> tuple[Document, ...]:
        tokens = self._line.ask("GET", "/v1/tokens", None, "list its join tokens").get("tokens")
        if not isinstance(tokens, list):
            raise Unavailable("the registry's server answered without a list of join tokens; is it one?")
        return tuple(tokens)

    def withdraw(self, token: str) -> None:
        self._line.ask("DELETE", f"/v1/tokens/{quote(token, safe='')}", None, f"withdraw the join token {token}")

    def revoke(self, vm: Key) -> None:
        self._line.ask("POST", f"/v1/vms/{vm.namespace}/{vm.name}/revoke", None, f"revoke {vm.namespace}/{vm.name}")

    def release_brake(self, scope: str) -> None:
        self._line.ask("POST", "/v1/brake/release", {"scope": scope}, f"release the brake of {scope}")

    def end_recovery(self) -> None:
        self._line.ask("POST", "/v1/recovery/end", None, "end its recovery")

    def audit(self, after: int) -> tuple[tuple[Link, ...], Extent]:
        page = self._line.ask("GET", f"/v1/audit?{urlencode({'limit': _PAGE, 'after': after})}", None, "show its audit log")
        try:
            extent = Extent(Mark.read(page.get("cut")), Mark.read(page.get("newest")))
            return tuple(map(Link.read, page.get("entries") or ())), extent
        except (ValueError, TypeError) as error:
            raise Unavailable(f"the registry's server answered without an audit log: {error}") from error

    def close(self) -> None:
        """Nothing is kept open."""

    def _pages(self) -> Iterator[Document]:
        after = ""
        while True:
            page = self._line.ask("GET", f"/v1/vms?{urlencode({'limit': _PAGE, 'continue': after})}", None, "list its VMs")
            vms = page.get("vms")
            if not isinstance(vms, list):
                raise Unavailable("the registry's server answered without a list of VMs; is it one?")
            yield from vms
            after = page.get("continue") or ""
            if not after:
                return
