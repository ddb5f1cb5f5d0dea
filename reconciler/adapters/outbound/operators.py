"""The operators' interface of the VM registry's server, for whoever has an operator's token."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from reconciler.adapters.outbound.addresses import Allowed, Origin, route
from reconciler.adapters.outbound.exchange import Limits, exchange
from reconciler.core.resources import Key
from reconciler.errors import InvalidInput, Rejected, SetupCode, Unavailable

#: A page of a thousand VMs is half a megabyte.
_LIMITS = Limits(seconds=30, longest=1 << 22)
#: The interface is on loopback unless the operator opens it.
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Where operators reach the registry's server, and the file with their token.

    `certificate_file` holds the certificate that they show it, with its key, where it asks for one.
    """

    url: str
    token_file: Path
    ca_file: Path | None = None
    certificate_file: Path | None = None


class OperatorLine:
    """Speaks to the server as an operator; nothing is kept open."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Raises InvalidInput for a URL that would show the operator's token on a network."""
        origin = Origin.of(settings.url)
        if origin.scheme != "https" and not _is_here(origin.host):
            raise InvalidInput("an operator's token goes over https, or to this machine itself", code=SetupCode.ADDRESS)
        self._settings = settings
        self._allowed = Allowed.of((settings.url,), _LOOPBACK)

    def ask(self, method: str, path: str, body: dict[str, Any] | None, what: str) -> dict[str, Any]:
        """Return the object that the server answers (empty where it has none). `what` says for errors what was wanted.

        Raises Rejected with the server's code, Unavailable, InvalidInput for a token file that cannot be used.
        """
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        to = route(f"{self._settings.url.rstrip('/')}{path}", self._allowed)
        sent = json.dumps(body).encode() if body is not None else b""
        settings = self._settings
        received = exchange(to, method, sent, headers, _LIMITS, settings.ca_file, settings.certificate_file)
        answer = _object(received.body)
        if received.status in (429, 503) or received.status >= 500:
            raise Unavailable(f"the registry's server does not {what} now (HTTP status {received.status})")
        if not 200 <= received.status < 300:
            # What a refusal says is not repeated but for its code.
            code = answer.get("code")
            why = f" ({code})" if isinstance(code, str) and code.replace("-", "").isalnum() else ""
            text = f"the registry's server does not {what}: HTTP status {received.status}{why}"
            raise Rejected(text, status=received.status)
        return answer

    def _token(self) -> str:
        path = self._settings.token_file
        try:
            token = path.read_text("ascii").strip()
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"the operator's token in {path} cannot be read", code=SetupCode.SECRET) from error
        if not token or not token.isprintable() or " " in token:
            raise InvalidInput(f"{path} holds no operator's token", code=SetupCode.SECRET)
        return token


def issued(line: OperatorLine, vm: Key, service_account: str, networks: Sequence[str], lifetime: timedelta) -> str:
    """Return a new join token, for a VM or for a member of a WorkloadGroup. Raises as `OperatorLine.ask` does."""
    body = {
        "namespace": vm.namespace,
        "group" if vm.kind == "WorkloadGroup" else "name": vm.name,
        "serviceAccount": service_account,
        "addresses": list(networks),
        "ttl": lifetime.total_seconds(),
    }
    token = line.ask("POST", "/v1/tokens", body, f"make a join token for {vm.namespace}/{vm.name}").get("token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise Unavailable("the registry's server answered without a join token; is it one?")
    return token


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
