"""One exchange with the registry, over a connection that is kept: a TLS handshake for each report would cost it a core."""

from __future__ import annotations

import http.client
import json
import platform
import ssl
from typing import Any

from reconciler import __version__
from reconciler.agent.config import Config, InvalidConfig
from reconciler.agent.conversation import Answer

#: Seconds in which each step of an exchange must be over, and the bytes of an answer.
TIMEOUT = 10.0
LONGEST = 65_536
VERSIONS = {"agent": __version__, "python": platform.python_version()}
_CLOSED = (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)


class Registry:
    """The registry of a configuration. Raises InvalidConfig for certificates that cannot be used."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._context = _context(config) if config.secure else None
        self._kept: http.client.HTTPConnection | None = None

    def join(self, token: str, credential: str) -> Answer:
        """Exchange a join token, over a new connection: it must not be sent twice."""
        self.close()
        said = {"network": self._config.network, "locality": self._config.locality}
        body = {"token": token, **{name: text for name, text in said.items() if text}, **self._body()}
        return self._send("/v1/join", body, credential)

    def report(self, workloads: Any, credential: str) -> Answer:
        """Tell how the workloads are."""
        return self._send("/v1/heartbeat", {"workloads": workloads, **self._body()}, credential)

    def leave(self, credential: str) -> Answer:
        """Say that this VM goes."""
        return self._send("/v1/leave", {}, credential)

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _body(self) -> dict[str, Any]:
        return {"versions": VERSIONS}

    def _send(self, path: str, body: dict[str, Any], credential: str) -> Answer:
        """Send a request; once more where a connection that was kept turns out to be closed."""
        try:
            kept = self._kept
            try:
                return self._exchange(path, body, credential)
            except _CLOSED:
                self.close()
                if kept is None:
                    raise
                return self._exchange(path, body, credential)
        except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last for names that cannot be
            self.close()
            return Answer(0, reason=_reason(error, secure=self._config.secure))

    def _exchange(self, path: str, body: dict[str, Any], credential: str) -> Answer:
        connection = self._kept or self._connect()
        self._kept = connection
        own = str(connection.sock.getsockname()[0])
        content = json.dumps({**body, "addresses": self._config.addresses or [own]}) if body else ""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if credential:
            headers["Authorization"] = f"Bearer {credential}"
        connection.request("POST", path, content.encode(), headers)
        response = connection.getresponse()
        data = response.read(LONGEST + 1)
        if len(data) > LONGEST or response.will_close:
            self.close()
        return Answer(response.status, _object(data), _retry_after(response.getheader("Retry-After", "")))

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._config.host, self._config.port
        if self._context is None:
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=self._context)
        connection.connect()
        return connection


def _context(config: Config) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=config.ca_file or None)
        if config.cert_file:
            context.load_cert_chain(config.cert_file, config.key_file)
    except OSError as error:  # ssl.SSLError is one
        raise InvalidConfig(f"caFile, certFile, keyFile: cannot be used: {error.strerror or error}") from error
    return context


def _object(data: bytes) -> dict[str, Any]:
    """Return an answer's JSON object; what is none says nothing, and neither does what was cut off."""
    try:
        found = json.loads(data) if len(data) <= LONGEST else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _way_out(code: int) -> str:
    """Return what a person does about a certificate that is refused, by the code of X509_verify_cert_error_string(3)."""
    if code in (9, 10):
        return "renew it, or is this machine's clock wrong?"
    if code in (62, 64):
        return "`server` must be one of its names"
    return "`caFile` must hold the authority that signed it"


def _retry_after(text: str) -> float | None:
    """Return the seconds of a Retry-After; a date needs a clock that is right, and counts as none."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _reason(error: Exception, *, secure: bool) -> str:
    """Return why nothing came back. Texts of others may repeat what was sent, so that only those of the system are used.

    Not every server says why it refuses a certificate: some just end the connection.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}; {_way_out(error.verify_code)}"
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return f"it does not accept our certificate, or wants one ({error.reason.replace('_', ' ').lower()}): see `certFile`"
    if secure and isinstance(error, (ssl.SSLEOFError, *_CLOSED)):
        return "it ended the connection: it may want a certificate that is good, see `certFile`"
    return getattr(error, "strerror", None) or type(error).__name__
