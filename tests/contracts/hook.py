"""What every webhook that is asked promises."""

from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from reconciler.core.gates.answers import AskHook, Reply
from reconciler.errors import Unavailable
from reconciler.ports import Hook

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class HookWorld(Protocol):
    """A webhook that replies as the test says."""

    url: str

    @property
    def hook(self) -> Hook:
        """What is under test."""
        ...

    def reply(self, status: int, body: dict[str, Any] | None) -> None:
        """Reply with this; None: with something that is no JSON object."""

    def shut(self) -> None:
        """Be out of reach from now on."""


def question(url: str, **values: Any) -> AskHook:
    """Return a question."""
    given = {"timeout": timedelta(seconds=30), "headers": {}, "secret": "", "at": NOON, **values}
    return AskHook(url, {"gate": "may-we", "step": 1}, **given)


class HookContract:
    """Derive from it and give a fixture `world`."""

    @pytest.mark.parametrize("body", [{"answer": "pass"}, {}, {"deep": [{"a": None}]}, None])
    @pytest.mark.parametrize("status", [200, 302, 404, 500])
    def test_a_reply_comes_back_as_it_is(self, world: HookWorld, status: int, body: dict[str, Any] | None) -> None:
        """Whatever status and object, for the gate to judge."""
        world.reply(status, body)
        assert world.hook.ask(question(world.url)) == Reply(status, body)

    def test_out_of_reach_is_unavailable(self, world: HookWorld) -> None:
        """And no reply."""
        world.shut()
        with pytest.raises(Unavailable, match="cannot be reached"):
            world.hook.ask(question(world.url))
