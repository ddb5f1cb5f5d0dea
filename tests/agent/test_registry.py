"""One exchange with the registry: what is said where nothing sensible comes back."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.agent.config import Config, InvalidConfig
from reconciler.agent.registry import LONGEST, Registry
from tests.waiting import SOON


def exchange(answer: bytes) -> tuple[int, dict[str, object], float | None]:
    """Report to a server that answers with these bytes; returns status, document and Retry-After."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        registry = Registry(Config("127.0.0.1", listener.getsockname()[1], secure=False))
        found = registry.report([], "credential")
        registry.close()
        thread.join(SOON)
    return found.status, found.document, found.retry_after


def answer(body: bytes, status: int = 200, **headers: str) -> bytes:
    """An answer over HTTP."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_what_is_taken_in() -> None:
    """A JSON object of a limited size; anything else says nothing."""
    assert exchange(answer(b'{"nextIn": 5}')) == (200, {"nextIn": 5}, None)
    assert exchange(answer(b'{"nextIn": 5}')[:-1]) == (200, {}, None)
    for body in (b"", b"[]", b"{", b"[" * 60_000, b'{"a": "' + b"x" * LONGEST + b'"}', b"\xff"):
        assert exchange(answer(body)) == (200, {}, None)


@pytest.mark.parametrize(
    ("told", "seconds"), [("30", 30.0), ("", None), ("-1", None), ("1e9", None), ("²", None), ("9" * 12, None)]
)
def test_when_to_come_again(told: str, seconds: float | None) -> None:
    """Whole seconds; a date would need a clock that is right."""
    later = {"Retry-After": told.encode().decode("latin-1")}
    assert exchange(answer(b"{}", 503, **later)) == (503, {}, seconds)


@pytest.mark.parametrize("data", [b"", b"SSH-2.0-OpenSSH\r\n"])
def test_what_is_no_answer(data: bytes) -> None:
    """Nobody was reached, as far as the agent is concerned."""
    assert exchange(data) == (0, {}, None)


def test_nothing_that_was_sent_is_repeated() -> None:
    """Why nothing came back is told in the system's words: others may hold the credential."""
    for host in ("127.0.0.1", "nowhere.invalid", "two..dots"):
        found = Registry(Config(host, 1, secure=False)).report([], "the-credential\nX-Other: y")
        assert (found.status, "the-credential" in found.reason) == (0, False)
        assert found.reason


def test_certificates_that_are_none(tmp_path: Path) -> None:
    """They are named when the agent starts."""
    (tmp_path / "ca.pem").write_text("nothing")
    for config in (
        Config("registry", 443, ca_file=str(tmp_path / "ca.pem")),
        Config("registry", 443, ca_file=str(tmp_path / "missing")),
        Config("registry", 443, cert_file=str(tmp_path / "ca.pem"), key_file=str(tmp_path / "ca.pem")),
    ):
        with pytest.raises(InvalidConfig, match="cannot be used"):
            Registry(config)
