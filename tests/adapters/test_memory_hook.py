"""The webhook in memory keeps the promises of the real one."""

from typing import Any

import pytest

from reconciler.adapters.memory_hook import MemoryHook
from reconciler.errors import Unavailable
from tests.contracts.hook import HookContract, HookWorld, question


class MemoryWorld:
    """A webhook in memory."""

    url = "https://hooks.example.org/may-we"

    def __init__(self) -> None:
        self.hook = MemoryHook()

    def reply(self, status: int, body: dict[str, Any] | None) -> None:
        self.hook.reply(self.url, status, body)

    def shut(self) -> None:
        self.hook.break_down(self.url, Unavailable(f"{self.url} cannot be reached"))


class TestMemoryHook(HookContract):
    """The contract, in memory."""

    @pytest.fixture
    def world(self) -> HookWorld:
        return MemoryWorld()


def test_it_keeps_what_it_was_asked() -> None:
    """In order."""
    world = MemoryWorld()
    world.reply(200, {"answer": "pass"})
    asked = [question(world.url), question(world.url, secret="shop")]
    for one in asked:
        world.hook.ask(one)
    assert list(world.hook.asked) == asked
