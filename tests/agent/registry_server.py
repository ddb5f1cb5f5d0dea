"""A registry of the tests' own that speaks the wire protocol, keeps what it was sent, and can be told to fail."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.real.processes import free_ports

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: path, credential and body."""

    path: str
    credential: str
    body: Document


@dataclass(slots=True)
class RegistryServer:
    """Listens on a free port of this machine, over TLS where `certificate` (chain, key) is given.

    `tokens` says which workload a join token is for. Every answered heartbeat brings a successor while `rotating`. `refusals`
    are answered first: status, Retry-After (empty for none) and code.
    """

    certificate: tuple[Path, Path] | None = None
    pause: float = 1.0
    rotating: bool = False
    tokens: dict[str, Document] = field(default_factory=dict)
    workloads: list[Document] = field(default_factory=list)
    good: set[str] = field(default_factory=set)
    refusals: list[tuple[int, str, str]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _server: ThreadingHTTPServer | None = None
    _open: set[socket.socket] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens, or will again."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen, on the same port as before."""
        registry = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                registry.connections += 1
                super().setup()
                registry._open.add(self.connection)

            def finish(self) -> None:
                registry._open.discard(self.connection)
                super().finish()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
                credential = (self.headers["Authorization"] or "").removeprefix("Bearer ")
                registry.requests.append(Request(self.path, credential, body))
                status, document, later = registry._answer(registry.requests[-1])
                data = b"" if status == 204 else json.dumps(document).encode()
                self.send_response(status)
                if later:
                    self.send_header("Retry-After", later)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                return  # a client that was killed

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Listen no more, and cut all connections."""
        if self._server is not None:
            self._server.shutdown()
            self.cut()
            self._server.server_close()
            self._server = None

    def cut(self) -> None:
        """End all connections, as a server does that has waited long enough for the next request."""
        for connection in tuple(self._open):
            with suppress(OSError):  # the other side was sooner
                connection.shutdown(socket.SHUT_RDWR)

    def healths(self, name: str) -> list[str]:
        """What was reported of a workload, oldest first."""
        reports = (one for request in self.requests for one in request.body.get("workloads", ()))
        return [one["health"] for one in reports if one["name"] == name]

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(request.path == path for request in self.requests)

    def _answer(self, request: Request) -> tuple[int, Document, str]:
        if self.refusals:
            status, later, code = self.refusals.pop(0)
            return status, {"code": code}, later
        known = request.credential in self.good
        if request.path == "/v1/join" and (known or not request.credential):
            workload = self.tokens.pop(request.body["token"], None)
            if workload is None:
                return 409, {"code": "token-used"}, ""
            self.workloads.append(workload)
            return 201, self._state(None if known else self._new()), ""
        if not known:
            return 401, {"code": "credential-unknown"}, ""
        if request.path == "/v1/leave":
            return 204, {}, ""
        return 200, self._state(self._new() if self.rotating else None), ""

    def _state(self, credential: str | None) -> Document:
        return {"credential": credential, "nextIn": self.pause, "workloads": self.workloads}

    def _new(self) -> str:
        credential = secrets.token_urlsafe(32)
        self.good.add(credential)
        return credential
