"""How looks add up to a verdict."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import LAPSES_AFTER, Look, Memory, Mood, fold
from reconciler.core.gates.spec import Gate, Health, Refused
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from tests.core.gates.scenes import MINUTE, NOON, scene

GATE = Gate("health", Health(), consecutive=3, failures=2)
GOOD, BAD = Look(Mood.GOOD, "0.99 is at least 0.9"), Look(Mood.BAD, "0.5 is not at least 0.9")
FEW, DOWN = Look.unsure(Reason.FEW, "3 of 10", "7 more requests"), Look.unsure(Reason.PROVIDER_ERROR, "refused")
BY_LETTER = {"g": GOOD, "b": BAD, "f": FEW, "d": DOWN}


def after(letters: str, gate: Gate = GATE) -> tuple[Verdict, Memory]:
    """Return verdict and memory after looks a minute apart."""
    memory, verdict = Memory(opened=NOON), None
    for number, letter in enumerate(letters, start=1):
        verdict, memory = fold(gate, memory, BY_LETTER[letter], NOON + number * MINUTE)
    assert verdict is not None
    return verdict, memory


@pytest.mark.case("C-04")
@pytest.mark.parametrize(
    ("letters", "answer", "reason"),
    [
        ("gg", Answer.WAIT, Reason.INCONCLUSIVE),
        ("ggg", Answer.PASS, Reason.NONE),
        ("ggbggb", Answer.WAIT, Reason.INCONCLUSIVE),
        ("ggbgg", Answer.WAIT, Reason.INCONCLUSIVE),
        ("bgb", Answer.WAIT, Reason.INCONCLUSIVE),
        ("bb", Answer.FAIL, Reason.HARM),
        ("gggbb", Answer.FAIL, Reason.HARM),
        ("bdb", Answer.FAIL, Reason.HARM),
        ("ggdg", Answer.WAIT, Reason.INCONCLUSIVE),
        ("gggd", Answer.WAIT, Reason.PROVIDER_ERROR),
        ("gggf", Answer.PASS, Reason.NONE),
        ("ggfg", Answer.PASS, Reason.NONE),
        ("f", Answer.WAIT, Reason.FEW),
    ],
)
def test_rows_of_looks(letters: str, answer: Answer, reason: Reason) -> None:
    """Only a row of good looks passes, only a row of bad ones is harm; an error forgives nothing and proves nothing."""
    verdict, _ = after(letters)
    assert (verdict.answer, verdict.reason) == (answer, reason)


def test_failures_are_counted_and_shown() -> None:
    """A gate that flaps says how often it has failed, also once it passes."""
    verdict, memory = after("bgbggg")
    assert (memory.looks, memory.failed) == (6, 2)
    assert verdict.says == "0.99 is at least 0.9, 3 good looks in a row; 2 of 6 looks were bad"


def test_a_pass_lapses_when_the_next_look_never_comes() -> None:
    """A window that does not fill keeps the pass for a few intervals, and then no more: traffic has stopped."""
    verdict, _ = after("ggg" + "f" * LAPSES_AFTER)
    assert verdict.passes
    verdict, _ = after("ggg" + "f" * (LAPSES_AFTER + 1))
    assert (verdict.answer, verdict.reason, verdict.needs) == (Answer.WAIT, Reason.FEW, "7 more requests")


def test_a_window_opens_where_the_last_one_that_counted_closed() -> None:
    """A look that counts uses up its window; one that is unsure leaves it open."""
    assert after("g")[1].opened == NOON + MINUTE
    assert after("gfd")[1].opened == NOON + MINUTE
    assert after("gfdb")[1].opened == NOON + 4 * MINUTE


def test_bad_looks_of_another_reason_fail_with_it() -> None:
    """What is gone is no harm: nobody is undone for it."""
    look = Look(Mood.BAD, "gone: Pod shop/a", Reason.VANISHED)
    verdict, _ = fold(Gate("health", Health()), Memory(opened=NOON), look, NOON)
    assert (verdict.answer, verdict.reason) == (Answer.FAIL, Reason.VANISHED)


@given(st.text("gbfd", min_size=1, max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_pass_and_harm_have_their_row(letters: str, consecutive: int, failures: int) -> None:
    """Whatever was seen: a pass rests on a row of good looks, harm on a row of bad ones, errors between them aside."""
    gate = Gate("any", Health(), consecutive=consecutive, failures=failures)
    verdict, memory = after(letters, gate)
    said = letters.replace("f", "")
    if verdict.passes:
        assert said.endswith("g" * consecutive)
    assert (verdict.reason is Reason.HARM) == (letters[-1] == "b" and said.replace("d", "").endswith("b" * failures))
    assert Memory.of(memory.to_json()) == memory


def test_a_gate_that_cannot_be_asked_never_passes() -> None:
    """Whether the step is in force or not; it says why."""
    gate = Gate("g", Refused("the operator has no template `x`"))
    for moment in (scene(), scene(in_force=None)):
        assert questions(gate, moment, Memory()) == {}
        verdict, _ = judge(gate, moment, Memory(), {})
        assert verdict == Verdict.waiting(Reason.PROVIDER_ERROR, "the operator has no template `x`")


def test_memory_survives_its_json() -> None:
    """What is stored is what was kept; nothing stored is a new beginning."""
    memory = Memory(NOON, NOON, NOON, 1, 2, 5, 3, timedelta(seconds=4.5), Verdict.passing("held"), {"a": [1]})
    assert Memory.of(memory.to_json()) == memory
    assert Memory.of({}) == Memory()


def test_a_look_is_due_after_its_interval_or_when_the_clock_was_put_back() -> None:
    """Setting the clock back by a day does not hold a gate up for a day."""
    memory = Memory(asked=NOON)
    assert Memory().due(GATE, NOON)
    assert not memory.due(GATE, NOON + MINUTE / 2)
    assert memory.due(GATE, NOON + MINUTE)
    assert memory.due(GATE, NOON - timedelta(days=1))


def test_a_verdict_without_a_pass_has_a_reason() -> None:
    """Values that contradict themselves cannot be built."""
    with pytest.raises(ValueError, match="has a reason"):
        Verdict(Answer.WAIT)
    with pytest.raises(ValueError, match="has a reason"):
        Verdict(Answer.PASS, Reason.HARM)


def test_a_verdict_reads_as_a_sentence() -> None:
    """Reports print it as it is."""
    assert str(Verdict.passing("held for 5 min")) == "pass: held for 5 min"
    waiting = Verdict.waiting(Reason.FEW, "660 of 2,000 requests", needs="1,340 more requests, about 6 min")
    assert str(waiting) == "wait, too few samples: 660 of 2,000 requests (needs 1,340 more requests, about 6 min)"
