"""The application on a socket, with TLS where there are files for it, until it is told to stop."""

import logging
import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from reconciler.errors import InvalidInput, SetupCode, Unavailable
from reconciler.registry.connections import PATIENCE, patient

log = logging.getLogger(__name__)

#: Seconds that an idle connection is kept: agents come every ten, and a handshake costs more than an answer.
KEEP_ALIVE = 75
#: Seconds for answers in hand once it is told to stop; a long poll is cut off then.
LAST_ANSWERS = 5
#: Connections that wait to be accepted: a whole fleet may come at once.
BACKLOG = 4096


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate and key of the server; where `clients` is given, agents must show a certificate of one of its authorities."""

    certificate: Path
    key: Path
    clients: Path | None = None


class RegistryServer:
    """Listens from the start, so that whoever is told the port reaches it; `patience` is for heads of requests, in seconds.

    Raises InvalidInput, Unavailable.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, tls: Tls | None = None, patience: float = PATIENCE) -> None:
        context = _context(tls) if tls else None
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=LAST_ANSWERS,
            backlog=BACKLOG,
            lifespan="on",
            http=patient(patience),
            ws="none",
        )
        config.load()
        config.ssl = context
        self._server = _Server(config)
        self._socket = _listening(host, port)

    @property
    def port(self) -> int:
        """The port that it listens at."""
        number: int = self._socket.getsockname()[1]
        return number

    def run(self) -> None:
        """Answer until `stop`. Raises Unavailable where it cannot read its state."""
        _allow_many_connections()
        self._server.run(sockets=[self._socket])
        if not self._server.started:
            raise Unavailable("the registry's server could not start; its log says why")

    def stop(self) -> None:
        """End soon. From any thread."""
        self._server.should_exit = True

    def close(self) -> None:
        """Listen no more; only needed where it has not run."""
        self._socket.close()


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Unavailable(f"cannot listen at {host} port {port}: {error.strerror}") from error


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.clients is not None:
            context.load_verify_locations(tls.clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise InvalidInput(f"the TLS files cannot be used: {error}", code=SetupCode.SETTINGS_FILE) from error
    return context


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
