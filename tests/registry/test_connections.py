"""Clients that keep connections and say nothing, or never come to an end."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.registry.app import ServerRules
from reconciler.registry.connections import LONGEST_HEAD
from reconciler.registry.doors import DoorRules
from reconciler.registry.shedding import Bounds
from tests.registry.served import OPERATOR, Served, served
from tests.waiting import SOON

HEAD = b"POST /v1/join HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"


@contextmanager
def connected(server: Served) -> Iterator[socket.socket]:
    """Lend a connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=SOON) as connection:
        yield connection


def end_of(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes the connection."""
    received = b""
    try:
        while data := connection.recv(65_536):
            received += data
    except ConnectionResetError:
        pass
    return received


def test_a_head_that_does_not_end_ends_the_connection() -> None:
    """What it has sent is not kept for ever; others are answered all the while."""
    with served() as server, connected(server) as connection:
        connection.sendall(HEAD)
        with pytest.raises(ConnectionError):
            connection.sendall((b"X-Padding: " + b"x" * 987 + b"\r\n") * (100 * LONGEST_HEAD // 1000))
        assert server.ask("GET", "/healthz").status == 200


def test_who_is_silent_loses_its_connection() -> None:
    """Before a first byte, and in the middle of a head."""
    with served(patience=0.3) as server, connected(server) as silent, connected(server) as slow:
        slow.sendall(HEAD)
        assert end_of(silent) == end_of(slow) == b""
        assert server.ask("GET", "/healthz").status == 200


@pytest.mark.case("W-02")
def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """It is told so, and its place is free for others."""
    with served(ServerRules(DoorRules(OPERATOR), bounds=Bounds(requests=1, longest=0.5))) as server:
        with connected(server) as slow:
            slow.sendall(HEAD + b"\r\n{")
            assert slow.recv(65_536).startswith(b"HTTP/1.1 408 ")
        assert server.ask("GET", "/healthz").status == 200
