"""A proxy that breaks HTTP on request: put before an API server (or any HTTP/1.1 server) to test what the client makes of it.

It ends TLS on both sides, so that it can tell one request from another; the client keeps trusting the server's own authority.
Faults are asked for from the test's thread and hold for the next `times` requests that match, in the order asked for.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Coroutine, Mapping
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from tests.real.faults import Fault, Harm, Request
from tests.real.relay import HEAD_LIMIT, Relay

T = TypeVar("T")


class Proxy:
    """A proxy for `upstream`, for instance `https://127.0.0.1:6443`; a context manager that stops it.

    `tcp://127.0.0.1:5432` passes bytes of any protocol: there each piece the client sends counts as a request of method SEND.

    `ca` is what the upstream is verified with, `certificate` the chain and key shown to clients; both only for https.
    """

    def __init__(self, upstream: str, *, ca: Path | None = None, certificate: tuple[Path, Path] | None = None) -> None:
        parts = urlsplit(upstream)
        assert parts.hostname, "the upstream needs a host"
        assert parts.port, "the upstream needs a port"
        self._scheme = parts.scheme
        outer = _server_context(certificate) if certificate else None
        inner = ssl.create_default_context(cafile=str(ca)) if ca else None
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._requests: list[Request] = []
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._relay = Relay((parts.hostname, parts.port), inner, self._note)
        serve = self._relay.serve_bytes if parts.scheme == "tcp" else self._relay.serve_http
        start = asyncio.start_server(serve, "127.0.0.1", 0, ssl=outer, limit=HEAD_LIMIT)
        self._server = self._run(start)
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Every request that arrived so far, broken ones included."""
        with self._lock:
            return tuple(self._requests)

    def respond(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        method: str | None = None,
        path: str = "",
        times: int | None = 1,
    ) -> None:
        """Answer the next `times` requests of this method whose path matches the regular expression, without forwarding."""
        lines = [f"HTTP/1.1 {status} Canned", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        response = "\r\n".join((*lines, "", "")).encode() + body
        self._add(Fault(Harm.RESPOND, method, path, times, response=response))

    def delay(self, seconds: float, *, method: str | None = None, path: str = "", times: int | None = None) -> None:
        """Hold matching requests for some seconds before they are forwarded."""
        self._add(Fault(Harm.DELAY, method, path, times, seconds=seconds))

    def reset(self, *, method: str | None = None, path: str = "", times: int | None = 1) -> None:
        """Reset the connection of matching requests; the server never hears of them."""
        self._add(Fault(Harm.RESET, method, path, times))

    def lose_answer(self, *, method: str | None = None, path: str = "", times: int | None = 1) -> None:
        """Let the server carry out matching requests, then reset the connection: the client cannot know the outcome."""
        self._add(Fault(Harm.LOSE_ANSWER, method, path, times))

    def black_hole(self, *, method: str | None = None, path: str = "", times: int | None = None) -> None:
        """Swallow matching requests: no answer and no end until `heal`."""
        self._loop.call_soon_threadsafe(self._relay.healed.clear)
        self._add(Fault(Harm.BLACK_HOLE, method, path, times))

    def truncate(self, keep: int, *, method: str | None = None, path: str = "", times: int | None = 1) -> None:
        """Forward only `keep` bytes of the body of matching answers, then close the connection as if that were all."""
        self._add(Fault(Harm.TRUNCATE, method, path, times, keep=keep))

    def heal(self) -> None:
        """Forget every fault; requests that were swallowed get their connection reset."""
        with self._lock:
            self._faults.clear()
        self._loop.call_soon_threadsafe(self._relay.healed.set)

    def cut(self) -> None:
        """Reset every open connection now, idle ones and running watches alike."""
        self._run(self._relay.cut())

    def close(self) -> None:
        """Stop listening, reset what is open, end the thread."""
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    def _add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def _note(self, method: str, path: str) -> Fault | None:
        request = Request(method, path, time.monotonic())
        with self._lock:
            self._requests.append(request)
            fault = next((fault for fault in self._faults if fault.strikes(request)), None)
            if fault is not None and fault.times is not None:
                fault.times -= 1
        return fault

    async def _stop(self) -> None:
        self._server.close()
        await self._relay.stop()


def _server_context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context
