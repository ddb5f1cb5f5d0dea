"""Webhooks over HTTP: a POST of JSON, signed where a secret is named.

The header ``X-Mesh-Reconciler-Signature`` is ``t=UNIX_SECONDS,v1=HEX``, where HEX is the HMAC-SHA256 of ``UNIX_SECONDS.BODY``
under the secret. Whoever receives it should compare in constant time and refuse what is older than some minutes.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler.adapters.outbound.addresses import Allowed, route
from reconciler.adapters.outbound.exchange import Limits, exchange
from reconciler.core.gates.answers import AskHook, Reply
from reconciler.errors import InvalidInput, SetupCode

#: The largest reply that is read, in bytes.
LONGEST = 1 << 16
SIGNATURE = "X-Mesh-Reconciler-Signature"


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Which webhooks may be asked, and with which secrets.

    `origins` are URLs of which scheme, host and port count. `secrets` names files; they are read for every question, so a
    secret can be renewed at any time. `networks` as in `outbound.addresses.Allowed`.
    """

    origins: tuple[str, ...] = ()
    secrets: Mapping[str, Path] = field(default_factory=dict)
    ca_file: Path | None = None
    networks: tuple[str, ...] = ()


class HttpHook:
    """`ports.Hook`."""

    def __init__(self, settings: HookSettings) -> None:
        """Raises InvalidInput for an origin or network that is none."""
        self._settings = settings
        self._allowed = Allowed.of(settings.origins, settings.networks)

    def ask(self, question: AskHook) -> Reply:
        to = route(question.url, self._allowed)
        body = json.dumps(dict(question.body), sort_keys=True).encode()
        headers = {**question.headers, "Content-Type": "application/json", "Accept": "application/json"}
        if question.secret:
            headers[SIGNATURE] = signature(self._secret(question.secret), body, question.at)
        limits = Limits(question.timeout.total_seconds(), LONGEST)
        received = exchange(to, "POST", body, headers, limits, self._settings.ca_file)
        return Reply(received.status, _object(received.body))

    def close(self) -> None:
        """Nothing is kept open."""

    def _secret(self, name: str) -> bytes:
        path = self._settings.secrets.get(name)
        if path is None:
            raise InvalidInput(f"the operator has set no secret `{name}` for webhooks", code=SetupCode.SECRET)
        try:
            secret = path.read_bytes().strip()
        except OSError as error:
            raise InvalidInput(f"the secret `{name}` cannot be read: {error.strerror}", code=SetupCode.SECRET) from error
        if not secret:
            raise InvalidInput(f"the secret `{name}` is empty", code=SetupCode.SECRET)
        return secret


def signature(secret: bytes, body: bytes, at: datetime) -> str:
    """Return the value of the header that signs a body at a moment."""
    seconds = int(at.timestamp())
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a body is, None for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
