"""Webhooks over HTTP: the contract, and the signature by which the other side knows us."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.hook_http import HookSettings, HttpHook, signature
from reconciler.errors import InvalidInput, Unavailable
from tests.adapters.canned_http import CannedServer
from tests.contracts.hook import NOON, HookContract, HookWorld, question


class HttpWorld:
    """A server on loopback."""

    def __init__(self, server: CannedServer, **settings: Any) -> None:
        self.server = server
        self.url = f"{server.url}/may-we"
        self.hook = HttpHook(HookSettings((server.url,), **settings))

    def reply(self, status: int, body: dict[str, Any] | None) -> None:
        self.server.answers(status, b"[]" if body is None else json.dumps(body).encode())

    def shut(self) -> None:
        self.server.close()


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """A server that answers as it is told."""
    with CannedServer() as one:
        yield one


class TestHttpHook(HookContract):
    """The contract, over HTTP."""

    @pytest.fixture
    def world(self, server: CannedServer) -> HookWorld:
        return HttpWorld(server)


def test_the_question_is_posted_as_json_with_its_headers(server: CannedServer) -> None:
    """Without a secret nothing is signed."""
    HttpWorld(server).hook.ask(question(f"{server.url}/may-we", headers={"X-Team": "shop"}))
    (asked,) = server.asked
    assert json.loads(asked.body) == {"gate": "may-we", "step": 1}
    assert (asked.headers["content-type"], asked.headers["x-team"]) == ("application/json", "shop")
    assert "x-mesh-reconciler-signature" not in asked.headers


def test_the_signature_is_of_time_and_body(server: CannedServer, tmp_path: Path) -> None:
    """As the other side computes it; a secret that was renewed counts for the next question."""
    secret = tmp_path / "secret"
    world = HttpWorld(server, secrets={"shop": secret})
    for word in (b"first", b"second"):
        secret.write_bytes(word + b"\n")
        world.hook.ask(question(world.url, secret="shop"))
        asked = server.asked[-1]
        expected = hmac.new(word, f"{int(NOON.timestamp())}.".encode() + asked.body, hashlib.sha256).hexdigest()
        assert asked.headers["x-mesh-reconciler-signature"] == f"t={int(NOON.timestamp())},v1={expected}"
    assert signature(b"first", b"{}", NOON) != signature(b"first", b"{}", NOON + timedelta(seconds=1))


def test_without_its_secret_nothing_is_asked(server: CannedServer, tmp_path: Path) -> None:
    """Unknown, gone or empty: a person must set it; an unsigned question would be a lie."""
    empty = tmp_path / "empty"
    empty.touch()
    world = HttpWorld(server, secrets={"gone": tmp_path / "gone", "empty": empty})
    for name, why in (("other", "has set no secret"), ("gone", "cannot be read"), ("empty", "is empty")):
        with pytest.raises(InvalidInput, match=why) as refused:
            world.hook.ask(question(world.url, secret=name))
        assert refused.value.problems[0].code == "MR0802"
    assert server.asked == []


@pytest.mark.case("W-14")
def test_nobody_is_asked_whom_the_operator_did_not_list(server: CannedServer) -> None:
    """Not even on loopback."""
    with pytest.raises(InvalidInput, match="not among the addresses"):
        HttpHook(HookSettings(("https://hooks.example.org",))).ask(question(server.url))
    local = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(InvalidInput, match="closed network"):
        HttpHook(HookSettings((local,))).ask(question(local))
    assert server.asked == []


@pytest.mark.case("C-03")
def test_a_reply_without_bounds_is_none(server: CannedServer) -> None:
    """Ten megabytes, or none in time; deep nesting is no object."""
    world = HttpWorld(server)
    server.answers(200, b'{"answer": "pass", "x": "' + b"x" * 10_000_000 + b'"}')
    with pytest.raises(Unavailable, match="more than 65,536 bytes"):
        world.hook.ask(question(world.url))
    server.keeps_silent()
    with pytest.raises(Unavailable, match=r"within 0\.2 s"):
        world.hook.ask(question(world.url, timeout=timedelta(seconds=0.2)))
    server.answers(200, b"[" * 60_000)
    assert world.hook.ask(question(world.url)).body is None
