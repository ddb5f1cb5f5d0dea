"""Moments of rollouts for the tests of gates."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.core.gates.answers import Answers, Arm
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Gate
from reconciler.core.gates.verdict import Verdict

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOSTS = ("billing.shop.internal",)
PODS = Arm(HOSTS, "shop", ("billing",))
VMS = Arm(HOSTS, "shop", ("billing-vm-1", "billing-vm-2"))


def scene(after: timedelta = MINUTE, **values: Any) -> Scene:
    """Return a rollout's moment so long after noon, when its step came into force."""
    given = {"in_force": NOON, "canary": PODS, "stable": VMS, "whole": Arm(HOSTS), "digest": "d1", **values}
    return Scene(now=NOON + after, **given)


def looks(gate: Gate, *rows: Answers, every: timedelta | None = None) -> list[Verdict]:
    """Return the verdicts of one look after the other, each after an interval and with answers to what it asks."""
    memory, verdicts = Memory(), []
    for number, answers in enumerate(rows, start=1):
        now = scene((every or gate.interval) * number)
        assert set(answers) == set(questions(gate, now, memory))
        verdict, memory = judge(gate, now, Memory.of(memory.to_json()), answers)
        verdicts.append(verdict)
    return verdicts
