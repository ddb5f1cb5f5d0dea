"""Join tokens from the registry's server, over a real socket."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.join_tokens_http import HttpJoinTokens
from reconciler.adapters.outbound.operators import OperatorSettings
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.errors import InvalidInput, Rejected, Unavailable

VM = EnrolledVM("shop", "billing-1", "billing", "10.0.0.5", "billing")
HOUR = timedelta(hours=1)


class Server:
    """Answers as the test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, bytes] = (201, b'{"id": "1", "token": "mrj1_x", "expires": "2026-03-02T13:00:00Z"}')
        self.asked: list[tuple[str, str | None, dict[str, Any]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append((self.path, self.headers["Authorization"], body))
                self.send_response(server.answer[0])
                self.end_headers()
                self.wfile.write(server.answer[1])

            def log_message(self, *_: object) -> None:
                return

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Be out of reach from now on."""
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that makes tokens."""
    server = Server()
    yield server
    server.stop()


def tokens(server: Server, folder: Path, content: str = "operator-secret\n") -> HttpJoinTokens:
    """A client with an operator's token."""
    path = folder / "operator"
    path.write_text(content)
    return HttpJoinTokens(OperatorSettings(server.url, path))


def test_a_token_for_one_vm(server: Server, tmp_path: Path) -> None:
    """Bound to its name, its account and the networks it may come from; the operator's token opens the door."""
    assert tokens(server, tmp_path).issue(VM, ("10.0.0.5",), HOUR) == "mrj1_x"
    body = {"namespace": "shop", "name": "billing-1", "serviceAccount": "billing", "addresses": ["10.0.0.5"], "ttl": 3600.0}
    assert server.asked == [("/v1/tokens", "Bearer operator-secret", body)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, b'{"code": "operators-only", "detail": "operator-secret"}'), Rejected),
        ((422, b'{"code": "<b>"}'), Rejected),
        ((503, b"{}"), Unavailable),
        ((429, b"{}"), Unavailable),
        ((201, b"{}"), Unavailable),
        ((201, b'{"token": "a\\nb"}'), Unavailable),
        ((201, b"<html>"), Unavailable),
    ],
)
def test_answers_without_a_token(server: Server, tmp_path: Path, answer: tuple[int, bytes], error: type[Exception]) -> None:
    """A refusal names its code and nothing else of what was answered."""
    server.answer = answer
    with pytest.raises(error) as caught:
        tokens(server, tmp_path).issue(VM, (), HOUR)
    assert "operator-secret" not in str(caught.value)
    assert "<b>" not in str(caught.value)


def test_nobody_there(server: Server, tmp_path: Path) -> None:
    """Unavailable, like every server that is not."""
    server.stop()
    with pytest.raises(Unavailable, match="cannot be reached"):
        tokens(server, tmp_path).issue(VM, (), HOUR)


def test_operators_tokens_that_are_none(server: Server, tmp_path: Path) -> None:
    """A file that is missing, empty or holds two lines is named; nothing is sent."""
    for secret in ("", "two words", "two\nlines"):
        with pytest.raises(InvalidInput, match="holds no operator's token"):
            tokens(server, tmp_path, secret).issue(VM, (), HOUR)
    with pytest.raises(InvalidInput, match="cannot be read"):
        HttpJoinTokens(OperatorSettings(server.url, tmp_path / "missing")).issue(VM, (), HOUR)
    assert server.asked == []


def test_no_operators_token_in_the_clear(tmp_path: Path) -> None:
    """Over a network it goes encrypted, or not at all."""
    with pytest.raises(InvalidInput, match="over https"):
        HttpJoinTokens(OperatorSettings("http://10.0.0.1:8080", tmp_path / "operator"))
    HttpJoinTokens(OperatorSettings("https://registry.example.org", tmp_path / "operator")).close()
    HttpJoinTokens(OperatorSettings("http://localhost:8080", tmp_path / "operator")).close()
