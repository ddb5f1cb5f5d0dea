"""Join tokens from the registry's server, over its operators' interface."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from reconciler.adapters.outbound.addresses import Allowed, Origin, route
from reconciler.adapters.outbound.exchange import Limits, Received, exchange
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.errors import InvalidInput, Rejected, SetupCode, Unavailable

_LIMITS = Limits(seconds=30, longest=1 << 16)
#: The interface is on loopback unless the operator opens it.
_LOOPBACK = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class OperatorSettings:
    """Where operators reach the registry's server, and the file with their token."""

    url: str
    token_file: Path
    ca_file: Path | None = None


class HttpJoinTokens:
    """`ports.JoinTokens`."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Raises InvalidInput for a URL that would show the operator's token on a network."""
        origin = Origin.of(settings.url)
        if origin.scheme != "https" and not _is_here(origin.host):
            raise InvalidInput("an operator's token goes over https, or to this machine itself", code=SetupCode.ADDRESS)
        self._settings = settings
        self._allowed = Allowed.of((settings.url,), _LOOPBACK)

    def issue(self, vm: EnrolledVM, networks: Sequence[str], lifetime: timedelta) -> str:
        body = {
            "namespace": vm.namespace,
            "name": vm.name,
            "serviceAccount": vm.service_account,
            "addresses": list(networks),
            "ttl": lifetime.total_seconds(),
        }
        headers = {
            "Authorization": f"Bearer {self._operators_token()}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        to = route(f"{self._settings.url.rstrip('/')}/v1/tokens", self._allowed)
        return _token(exchange(to, "POST", json.dumps(body).encode(), headers, _LIMITS, self._settings.ca_file), vm)

    def close(self) -> None:
        """Nothing is kept open."""

    def _operators_token(self) -> str:
        path = self._settings.token_file
        try:
            token = path.read_text("ascii").strip()
        except (OSError, UnicodeError) as error:
            raise InvalidInput(f"the operator's token in {path} cannot be read", code=SetupCode.SECRET) from error
        if not token or not token.isprintable() or " " in token:
            raise InvalidInput(f"{path} holds no operator's token", code=SetupCode.SECRET)
        return token


def _token(received: Received, vm: EnrolledVM) -> str:
    """Return the token of an answer. What a refusal says is not repeated but for its code."""
    answer = _object(received.body)
    if received.status in (429, 503) or received.status >= 500:
        raise Unavailable(f"the registry's server makes no join token for {vm} now (HTTP status {received.status})")
    if received.status != 201:
        code = answer.get("code")
        why = f" ({code})" if isinstance(code, str) and code.replace("-", "").isalnum() else ""
        raise Rejected(f"the registry's server makes no join token for {vm}: HTTP status {received.status}{why}")
    token = answer.get("token")
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
