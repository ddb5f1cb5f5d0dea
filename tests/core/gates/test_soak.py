"""Soak: only time that was watched counts."""

from datetime import timedelta

import pytest

from reconciler.core.gates.answers import AskQuery
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.soak import MOST_UNSEEN
from reconciler.core.gates.spec import Bounds, Gate, Soak, Threshold
from reconciler.core.gates.verdict import Reason, Verdict
from tests.core.gates.scenes import MINUTE, NOON, scene

GATE = Gate("hold", Soak(timedelta(minutes=10)))


def soaked(*minutes: float, memory: Memory | None = None) -> tuple[Verdict, Memory]:
    """Return verdict and memory after looks at these minutes after the step came into force."""
    memory, verdict = memory or Memory(), None
    for minute in minutes:
        verdict, memory = judge(GATE, scene(minute * MINUTE), memory, {})
    assert verdict is not None
    return verdict, memory


def test_it_passes_after_its_time_and_says_how_long_until_then() -> None:
    """Until then the verdict names the moment before which nothing changes."""
    verdict, memory = soaked(0, 3, 6)
    assert verdict == Verdict.waiting(
        Reason.SOAKING, "held for 6 min of 10 min", needs="4 min", until=NOON + timedelta(minutes=10)
    )
    assert soaked(9.99, memory=memory)[0].reason is Reason.SOAKING
    assert soaked(10, memory=memory)[0] == Verdict.passing("held for 10 min")


@pytest.mark.case("C-13")
def test_time_in_which_nobody_looked_does_not_count() -> None:
    """A service that was down for an hour has not held anything for an hour."""
    verdict, memory = soaked(0, 2, 62, 64)
    assert verdict.needs == "6 min"
    assert soaked(68, memory=memory)[0].reason is Reason.SOAKING
    assert soaked(68, 70, memory=memory)[0].passes
    assert not soaked(30)[0].passes
    assert soaked(MOST_UNSEEN / MINUTE, 2 * MOST_UNSEEN / MINUTE)[0].passes


@pytest.mark.case("K-01")
@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
def test_a_clock_that_jumps_neither_skips_nor_prolongs_it(jump: timedelta) -> None:
    """After the jump the soak goes on where it was."""
    jumped = jump / MINUTE
    verdict, memory = soaked(0, 4, 4 + jumped)
    assert verdict.needs == "6 min"
    assert not soaked(jumped + 9, memory=memory)[0].passes
    assert soaked(jumped + 7, jumped + 10, memory=memory)[0].passes


def test_it_begins_anew_when_the_step_comes_into_force_anew() -> None:
    """What was held before another weight was written does not count."""
    _, memory = soaked(0, 4, 8)
    later = scene(9 * MINUTE, in_force=NOON + 8 * MINUTE)
    assert judge(GATE, later, memory, {})[0].needs == "9 min"


def test_it_waits_while_the_step_is_not_in_force() -> None:
    """And keeps nothing."""
    verdict, memory = judge(GATE, scene(in_force=None), Memory(), {})
    assert (verdict.reason, memory) == (Reason.SOAKING, Memory())


def test_a_gate_may_leave_out_the_warm_up() -> None:
    """Its first window opens later; a clock that was put back prolongs nothing."""
    gate = Gate("queue", Threshold("depth[$window]", Bounds(high=5)), warmup=2 * MINUTE)
    for moment in (0, 1.9):
        early = scene(moment * MINUTE)
        assert questions(gate, early, Memory()) == {}
        verdict, memory = judge(gate, early, Memory(), {})
        assert verdict == Verdict.waiting(Reason.SOAKING, "warming up", until=NOON + 2 * MINUTE)
    asked = questions(gate, scene(3 * MINUTE), memory)["value"]
    assert isinstance(asked, AskQuery)
    assert asked.query == "depth[60000ms]"
    assert questions(gate, scene(timedelta(days=-1)), memory) != {}
