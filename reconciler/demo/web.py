"""HTTP on loopback: backends that say who they are, and a client that sends requests all the time."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Self

from reconciler.demo.measured import Era
from reconciler.errors import Unavailable

#: Requests a second, and over how many connections.
RATE, CONNECTIONS = 600, 8
#: How often what was counted is told, in seconds.
TELL = 0.1
#: Longest time in seconds for one request, and for what is asked of the event loop.
PATIENCE = 20.0
_TRIES = 20

#: Is told so many answers of an address, of which so many failed.
Count = Callable[[str, int, int], None]
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Web:
    """Backends at each address on one common `port`, and the client of one host; an event loop in a thread of its own.

    Linux answers on all of 127.0.0.0/8. The `bad` addresses answer 500. `sent` counts all
    requests of the client, `failed` those that failed, by the address that answered ("" where none did).
    """

    def __init__(self, host: str, addresses: Collection[str], bad: Collection[str], count: Count) -> None:
        self._host, self._addresses, self._bad, self._count = host, tuple(addresses), frozenset(bad), count
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="web", daemon=True)
        self._tasks: list[Future[None]] = []
        self._finished = False
        self._servers: list[asyncio.Server] = []
        self._era: Era | None = None
        self._in_flight = 0
        self._quiet = asyncio.Event()
        self._untold: Counter[tuple[str, bool]] = Counter()
        self.failed: Counter[str] = Counter()
        self.port = self.sent = 0

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._do(self._listen())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def send(self, port: int) -> None:
        """Begin to send requests to a port of this machine."""
        for number in range(CONNECTIONS):
            self._tasks.append(asyncio.run_coroutine_threadsafe(self._connection(port, number), self._loop))
        self._tasks.append(asyncio.run_coroutine_threadsafe(self._tell(), self._loop))

    def finish(self) -> None:
        """Send no more, and return once all requests have ended."""
        self._finished = True
        for task in self._tasks:
            task.result(PATIENCE)

    def measure(self, era: Era | None) -> None:
        """Count requests that begin from now on for this era; returns once all of the era before have ended."""
        self._do(self._measure(era))

    def _do(self, work: Any) -> None:
        try:
            asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)
        except TimeoutError:
            raise Unavailable(f"the demo's requests do not end within {PATIENCE:.0f} s") from None

    async def _measure(self, era: Era | None) -> None:
        self._era = None
        while self._in_flight:
            self._quiet.clear()
            await self._quiet.wait()
        self._era = era

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _listen(self) -> None:
        """Find a port that is free at all addresses."""
        for _ in range(_TRIES):
            with suppress(OSError):
                await self._listen_on(self._addresses)
                return
            for server in self._servers:
                server.close()
            self._servers, self.port = [], 0
        raise Unavailable(f"no port is free at all of {', '.join(self._addresses)}")

    async def _listen_on(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            server = await asyncio.start_server(self._backend(address), address, self.port)
            self._servers.append(server)
            self.port = server.sockets[0].getsockname()[1]

    def _backend(self, address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
        status = "500 Internal Server Error" if address in self._bad else "200 OK"
        answer = f"HTTP/1.1 {status}\r\nx-served-by: {address}\r\ncontent-length: 0\r\n\r\n".encode()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await reader.readuntil(b"\r\n\r\n"):
                    writer.write(answer)
            writer.close()

        return serve

    async def _connection(self, port: int, number: int) -> None:
        """Send one request after the other at an even pace; after a stall none is made up for."""
        pace = CONNECTIONS / RATE
        due = self._loop.time() + number / RATE
        streams: _Streams | None = None
        while not self._finished:
            await asyncio.sleep(due - self._loop.time())
            due = max(due + pace, self._loop.time())
            streams = await self._request(port, streams)
        if streams:
            streams[1].close()

    async def _request(self, port: int, streams: _Streams | None) -> _Streams | None:
        """Send a request and book what became of it; returns the connection, None where it broke."""
        era, address, succeeded = self._era, "", False
        self._in_flight += era is not None
        self.sent += 1
        try:
            reader, writer = streams or await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET / HTTP/1.1\r\nhost: {self._host}\r\n\r\n".encode())
            status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines if line)
            await reader.readexactly(int(headers["content-length"]))
            address, succeeded = headers.get("x-served-by", ""), status.split()[1] == "200"
        except (OSError, asyncio.IncompleteReadError):
            return None
        else:
            return reader, writer
        finally:
            self._book(era, address, succeeded=succeeded)

    def _book(self, era: Era | None, address: str, *, succeeded: bool) -> None:
        self.failed[address] += not succeeded
        self._untold[address, succeeded] += 1
        if era is not None:
            era.answered[address] += 1
            era.failed[address] += not succeeded
            self._in_flight -= 1
            self._quiet.set()

    async def _tell(self) -> None:
        while not self._finished:
            await asyncio.sleep(TELL)
            untold, self._untold = self._untold, Counter()
            for address in {address for address, _ in untold}:
                failed = untold[address, False]
                self._count(address, untold[address, True] + failed, failed)
