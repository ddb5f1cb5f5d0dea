"""A server on loopback that answers with exactly the bytes it is given, well or ill, and keeps what it was asked."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Event, Thread
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: path with query, headers (names in lower case), body."""

    path: str
    headers: dict[str, str]
    body: bytes


class CannedServer:
    """A context manager that stops it. `says` answers on the raw connection; `closing` is set when the test is over."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.asked: list[Asked] = []
        self.closing = Event()
        self.says: Callable[[socket], None] = lambda connection: connection.sendall(answer(200, b"{}"))
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                canned.asked.append(Asked(self.path, headers, body))
                with suppress(OSError):  # the client may hang up on what it hears
                    canned.says(self.connection)
                self.close_connection = True

            do_GET = do_PUT = do_POST  # noqa: N815 - the names are the base's

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base's
                """Say nothing."""

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.port: int = self._server.server_port
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer with this from now on."""
        self.says = lambda connection: connection.sendall(answer(status, body, **headers))

    def sends(self, raw: bytes) -> None:
        """Send these bytes and hang up."""
        self.says = lambda connection: connection.sendall(raw)

    def drips(self, piece: bytes, every: float) -> None:
        """Send a head, then a piece again and again, and never end."""

        def drip(connection: socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self.closing.wait(every):
                connection.sendall(piece)

        self.says = drip

    def keeps_silent(self) -> None:
        """Say nothing at all."""
        self.says = lambda _: (self.closing.wait(60), None)[1]

    def close(self) -> None:
        """Serve no more."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that break off are what some tests are about."""


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole HTTP answer; underscores in the names of headers become dashes."""
    lines = [f"HTTP/1.1 {status} Canned", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
