"""A connection with one deadline for all that happens on it: a peer that drips must not hold a probe."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from types import TracebackType


class Line:
    """A TCP connection to a port; everything on it raises OSError (TimeoutError after the deadline)."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._ends = time.monotonic() + timeout
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except UnicodeError as error:
            raise OSError(errno.EINVAL, "the host's name cannot be one") from error

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Go on under TLS."""
        self._socket.settimeout(self._left())
        self._socket = context.wrap_socket(self._socket, server_hostname=name)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def receive(self, most: int) -> bytes:
        """Return what comes next, nothing at the end."""
        self._socket.settimeout(self._left())
        return self._socket.recv(most)

    def receive_whole(self, length: int) -> bytes:
        """Return exactly so many bytes. Raises ConnectionError where the peer ends before."""
        data = b""
        while len(data) < length:
            piece = self.receive(length - len(data))
            if not piece:
                raise ConnectionError("the connection was closed")
            data += piece
        return data

    def _left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")  # TimeoutError itself only since Python 3.10
        return left

    def __enter__(self) -> Line:  # noqa: PYI034 - `Self` is of Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()
