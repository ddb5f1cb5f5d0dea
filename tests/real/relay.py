"""The proxy's connections: each reads requests, passes them on or harms them, and passes the answers back."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, assert_never

from tests.real.faults import Fault, Harm
from tests.real.http_wire import PIECE, Head, ends_connection, pieces_of_answer, pieces_of_request, read_head

HEAD_LIMIT = 1 << 20
POLL_SECONDS = 0.25
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on with zero seconds: closing sends RST

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Talk = Callable[[Streams, list[asyncio.StreamWriter]], Awaitable[None]]
Note = Callable[[str, str], Fault | None]
"""Called with method and path of every request; says what harm it is to suffer."""


class _Reset(Exception):
    """The client's connection is to be reset now."""


class Relay:
    """Serves connections to one upstream; everything runs in one event loop."""

    def __init__(self, upstream: tuple[str, int], tls: ssl.SSLContext | None, note: Note) -> None:
        self.healed = asyncio.Event()
        self._upstream = upstream
        self._tls = tls
        self._note = note
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def cut(self) -> None:
        """Reset every open connection of a client."""
        for writer in tuple(self._writers):
            _reset(writer)

    async def stop(self) -> None:
        """Reset every open connection and wait until nothing runs any more."""
        await self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client's connection, request by request, until either side ends it."""
        await self._serve((reader, writer), self._converse)

    async def serve_bytes(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client's connection of another protocol; each piece that the client sends counts as a request."""
        await self._serve((reader, writer), self._pump)

    async def _serve(self, client: Streams, talk: Talk) -> None:
        reader, writer = client
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        upstream: list[asyncio.StreamWriter] = []
        leaver = asyncio.create_task(_cancel_when_gone(reader, task))
        try:
            await talk(client, upstream)
        except _Reset:
            _reset(writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side has gone, and there is nothing to say to the other
        finally:
            leaver.cancel()
            for one in (*upstream, writer):
                one.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _converse(self, client: Streams, upstream: list[asyncio.StreamWriter]) -> None:
        reader, writer = client
        server: Streams | None = None
        while head := await read_head(reader):
            method, path, _ = head.first_line.split(" ", 2)
            fault = self._note(method, path)
            body = [piece async for piece in pieces_of_request(reader, head)]
            if fault is not None and await self._harmed(fault, writer):
                continue
            if server is None:
                server = await asyncio.open_connection(*self._upstream, ssl=self._tls, limit=HEAD_LIMIT)
                upstream.append(server[1])
            server[1].write(head.raw + b"".join(body))
            await server[1].drain()
            answer = await read_head(server[0])
            if answer is None or not await _pass_back(answer, server[0], writer, method, fault):
                return

    async def _pump(self, client: Streams, upstream: list[asyncio.StreamWriter]) -> None:
        reader, writer = client
        server_reader, server_writer = await asyncio.open_connection(*self._upstream)
        upstream.append(server_writer)
        answers = asyncio.create_task(_copy(server_reader, writer))
        try:
            while piece := await reader.read(PIECE):
                fault = self._note("SEND", "")
                if fault is not None and await self._harmed(fault, writer):
                    continue
                if fault is not None and fault.harm is Harm.LOSE_ANSWER:
                    answers.cancel()
                server_writer.write(piece)
                await server_writer.drain()
                if fault is not None and fault.harm is Harm.LOSE_ANSWER:
                    await server_reader.read(PIECE)
                    raise _Reset
        finally:
            answers.cancel()

    async def _harmed(self, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        """Do what happens before a request is forwarded; whether that was all."""
        match fault.harm:
            case Harm.RESPOND:
                writer.write(fault.response)
                await writer.drain()
                return True
            case Harm.DELAY:
                await asyncio.sleep(fault.seconds)
            case Harm.RESET:
                raise _Reset
            case Harm.BLACK_HOLE:
                await self.healed.wait()
                raise _Reset
            case Harm.LOSE_ANSWER | Harm.TRUNCATE:
                pass
            case unknown:
                assert_never(unknown)
        return False


async def _pass_back(
    answer: Head, server: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, fault: Fault | None
) -> bool:
    """Pass an answer on as it comes; whether both connections can be used for another request."""
    pieces = pieces_of_answer(server, answer, method)
    harm = fault.harm if fault is not None else None
    if harm is Harm.LOSE_ANSWER:
        async for _ in pieces:
            pass
        raise _Reset
    left = fault.keep if fault is not None and harm is Harm.TRUNCATE else None
    writer.write(answer.raw)
    async for piece in pieces:
        writer.write(piece[:left])
        await writer.drain()
        if left is not None and (left := left - len(piece)) <= 0:
            break
    if left is not None:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return left is None and not ends_connection(answer, method)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until either side ends; then end the other one."""
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        writer.close()


async def _cancel_when_gone(reader: asyncio.StreamReader, serving: asyncio.Task[Any]) -> None:
    """End the serving of a client that has gone, so that the server's watch behind it ends too."""
    while not reader.at_eof():  # noqa: ASYNC110 - a stream that somebody else reads tells nobody of its end
        await asyncio.sleep(POLL_SECONDS)
    serving.cancel()


def _reset(writer: asyncio.StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    with suppress(OSError, AttributeError):  # closed already, or even taken apart
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
