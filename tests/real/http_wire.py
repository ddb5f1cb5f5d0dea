"""As much of HTTP/1.1 as a proxy needs: heads, and where a body ends. No connection is opened or closed here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

HEAD_END = b"\r\n\r\n"
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a request or an answer and its headers, with the bytes they came in; header names in lower case."""

    raw: bytes
    first_line: str
    headers: dict[str, str]

    @property
    def length(self) -> int | None:
        """The announced length of the body in bytes."""
        announced = self.headers.get("content-length")
        return None if announced is None else int(announced)

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks and marks its own end."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.first_line.split()[1])


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None where the other side has ended the connection instead."""
    try:
        raw = await reader.readuntil(HEAD_END)
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").rstrip().split("\r\n")
    pairs = (line.split(":", 1) for line in lines)
    return Head(raw, first, {name.strip().lower(): value.strip() for name, value in pairs})


async def pieces_of_request(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The body of a request in the pieces it comes in, framing included."""
    async for piece in _pieces(reader, head, until_end=False):
        yield piece


async def pieces_of_answer(reader: asyncio.StreamReader, head: Head, method: str) -> AsyncIterator[bytes]:
    """The body of an answer in the pieces it comes in, framing included; a watch yields each event as it arrives."""
    if method != "HEAD" and head.status not in (204, 304):
        async for piece in _pieces(reader, head, until_end=True):
            yield piece


def ends_connection(head: Head, method: str) -> bool:
    """Whether the end of this answer is the end of its connection."""
    framed = head.chunked or head.length is not None or method == "HEAD" or head.status in (204, 304)
    return not framed or head.headers.get("connection", "").lower() == "close"


async def _pieces(reader: asyncio.StreamReader, head: Head, *, until_end: bool) -> AsyncIterator[bytes]:
    if head.chunked:
        async for piece in _chunks(reader):
            yield piece
    elif head.length is not None:
        left = head.length
        while left and (piece := await reader.read(min(left, PIECE))):
            left -= len(piece)
            yield piece
    elif until_end:
        while piece := await reader.read(PIECE):
            yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        size_line = await reader.readuntil(b"\r\n")
        size = int(size_line.split(b";")[0], 16)
        # The last chunk has size 0 and may be followed by trailers up to an empty line; servers here send none.
        yield size_line + await reader.readexactly(size + 2)
        if size == 0:
            return
