"""What a verdict leads to."""

from datetime import timedelta

import pytest

from reconciler.core.gates.consequence import Consequence, consequence, would
from reconciler.core.gates.spec import Gate, GateMode, Health, Patience
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from tests.core.gates.scenes import NOON

GATE = Gate("g", Health(), deadline=timedelta(hours=1))
SOON, LATE = NOON + timedelta(minutes=1), NOON + timedelta(hours=1)
NO_ANSWER = [Reason.NO_DATA, Reason.FEW, Reason.STALE, Reason.PROVIDER_ERROR, Reason.INCONCLUSIVE, Reason.NOT_READY]


def waiting(reason: Reason) -> Verdict:
    """Return a verdict that waits."""
    return Verdict.waiting(reason, "because")


@pytest.mark.case("C-03")
@pytest.mark.parametrize("reason", NO_ANSWER)
def test_no_answer_waits_and_pauses_at_the_deadline(reason: Reason) -> None:
    """It never passes and never undoes."""
    assert consequence(GATE, waiting(reason), NOON, SOON) is Consequence.STAY
    assert consequence(GATE, waiting(reason), NOON, LATE) is Consequence.PAUSE


@pytest.mark.parametrize(
    ("field", "reasons"),
    [
        ("on_no_data", {Reason.NO_DATA, Reason.FEW, Reason.STALE}),
        ("on_error", {Reason.PROVIDER_ERROR}),
        ("on_inconclusive", {Reason.INCONCLUSIVE, Reason.NOT_READY}),
    ],
)
def test_each_reason_has_its_policy(field: str, reasons: set[Reason]) -> None:
    """One may pause at once while the others wait."""
    gate = Gate("g", Health(), **{field: Patience.PAUSE})  # type: ignore[arg-type]
    paused = {reason for reason in NO_ANSWER if consequence(gate, waiting(reason), NOON, SOON) is Consequence.PAUSE}
    assert paused == reasons


@pytest.mark.parametrize("reason", [Reason.SOAKING, Reason.APPROVAL, Reason.CLOSED])
def test_time_and_persons_have_no_deadline(reason: Reason) -> None:
    """A weekend is no reason to pause."""
    assert consequence(GATE, waiting(reason), NOON, NOON + timedelta(days=3)) is Consequence.STAY


def test_only_proven_harm_is_harm() -> None:
    """What vanished pauses at once; nothing but harm undoes, for every reason there is."""
    assert consequence(GATE, Verdict.failing(Reason.HARM, "x"), NOON, SOON) is Consequence.HARM
    for reason in set(Reason) - {Reason.NONE}:
        if reason is not Reason.HARM:
            assert consequence(GATE, Verdict.failing(reason, "x"), NOON, SOON) is Consequence.PAUSE
        assert consequence(GATE, waiting(reason), NOON, LATE) is not Consequence.HARM
    assert consequence(GATE, Verdict.passing("x"), NOON, LATE) is Consequence.GO


def test_a_comparison_without_a_stable_arm_holds_nothing_up() -> None:
    """At full exposure it is over; that is no pass, and the other gates stay armed."""
    assert consequence(GATE, waiting(Reason.NO_STABLE), NOON, LATE) is Consequence.GO


@pytest.mark.parametrize("answer", Answer)
def test_a_gate_that_observes_stops_nothing(answer: Answer) -> None:
    """And says what it would have done."""
    reason = Reason.NONE if answer is Answer.PASS else Reason.HARM
    gate = Gate("g", Health(), GateMode.OBSERVE)
    assert consequence(gate, Verdict(answer, reason, "x"), NOON, LATE) is Consequence.GO
    assert would(gate, Verdict.failing(Reason.HARM, "x"), NOON, LATE) is Consequence.HARM
