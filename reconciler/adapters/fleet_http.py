"""The VMs that have joined, as the registry's server shows them to operators, and what operators do to them."""

from collections.abc import Iterator
from urllib.parse import urlencode

from reconciler.adapters.outbound.operators import OperatorLine, OperatorSettings
from reconciler.core.resources import Document, Key
from reconciler.errors import Unavailable

_PAGE = 1000


class HttpFleet:
    """`ports.FleetOffice`."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Raises InvalidInput as `OperatorLine` does."""
        self._line = OperatorLine(settings)

    def vms(self) -> tuple[Document, ...]:
        return tuple(self._pages())

    def drain(self, vm: Key, *, draining: bool) -> None:
        word = "drain" if draining else "undrain"
        self._line.ask("POST", f"/v1/vms/{vm.namespace}/{vm.name}/{word}", None, f"{word} {vm.namespace}/{vm.name}")

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
