"""Threshold: what a person's query gives, and all the ways in which it gives nothing."""

import math
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.gates.answers import AskQuery, Sample, Series, Unanswered
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.spec import Bounds, Gate, Threshold
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from tests.core.gates.scenes import MINUTE, NOON, looks, scene

ASK = Threshold("sum(rate(ok[$window])) / sum(rate(all[$window]))", Bounds(low=0.99), 500, "sum(increase(all[$window]))")
GATE = Gate("success", ASK)
FRESH = (NOON + timedelta(seconds=50)).timestamp()


def one(value: float) -> Series:
    """Return an answer of one series."""
    return Series((Sample(value, NOON),))


def verdict(value: Any = None, newest: Any = None, samples: Any = None, gate: Gate = GATE) -> Verdict:
    """Return the verdict of one look, of which these answers are given and the others good."""
    answers = {"value": value or one(0.995), "newest": newest or one(FRESH)}
    return looks(gate, answers | ({"samples": samples or one(500)} if gate is GATE else {}))[0]


def test_the_queries_are_asked_over_the_window() -> None:
    """From where it opened until now."""
    asked = questions(GATE, scene(timedelta(seconds=90)), Memory())
    moment = NOON + timedelta(seconds=90)
    assert asked["value"] == AskQuery("sum(rate(ok[90000ms])) / sum(rate(all[90000ms]))", moment)
    assert asked["samples"] == AskQuery("sum(increase(all[90000ms]))", moment)
    assert {one.at for one in asked.values() if isinstance(one, AskQuery)} == {moment}


def test_values_within_the_bounds_pass_and_others_are_harm() -> None:
    """Bounds belong to what is good."""
    assert verdict() == Verdict.passing("0.995 is at least 0.99")
    assert verdict(one(0.99)).passes
    assert verdict(one(0.9899)) == Verdict.failing(Reason.HARM, "0.9899 is not at least 0.99")
    both = Gate("depth", Threshold("depth", Bounds(1, 5)))
    assert verdict(one(3), gate=both) == Verdict.passing("3 is at least 1 and at most 5")
    assert verdict(one(6), gate=both).reason is Reason.HARM


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"value": Series()}, Reason.NO_DATA),
        ({"value": one(math.nan)}, Reason.NO_DATA),
        ({"value": one(math.inf)}, Reason.NO_DATA),
        ({"value": one(-math.inf)}, Reason.NO_DATA),
        ({"value": Series((Sample(1, NOON), Sample(1, NOON)))}, Reason.INCONCLUSIVE),
        ({"value": Unanswered("connection refused")}, Reason.PROVIDER_ERROR),
        ({"newest": Series()}, Reason.STALE),
        ({"newest": one(math.nan)}, Reason.STALE),
        ({"newest": one(NOON.timestamp() - 61)}, Reason.STALE),
        ({"newest": one(-1e300)}, Reason.STALE),
        ({"newest": Unanswered("timed out")}, Reason.PROVIDER_ERROR),
        ({"samples": Series()}, Reason.NO_DATA),
        ({"samples": one(math.nan)}, Reason.NO_DATA),
        ({"samples": one(499)}, Reason.FEW),
        ({"samples": Unanswered("status 503")}, Reason.PROVIDER_ERROR),
    ],
)
@pytest.mark.parametrize("value", [None, one(0.1)])
def test_no_usable_answer_neither_passes_nor_harms(answers: dict[str, Any], reason: Reason, value: Series | None) -> None:
    """Whether the value would be good or bad."""
    got = verdict(**{"value": value, **answers})
    assert (got.answer, got.reason) == (Answer.WAIT, reason)


def test_missing_samples_are_counted() -> None:
    """At the pace so far."""
    assert verdict(samples=one(100)).needs == "400 more requests, about 4 min"


def test_a_query_that_looks_back_waits_until_it_sees_this_step_only() -> None:
    """The first look after a step must not measure the weight before."""
    gate = Gate("success", Threshold("rate(x[5m])", Bounds(low=1)))
    early = scene(4 * MINUTE)
    assert questions(gate, early, Memory()) == {}
    got, memory = judge(gate, early, Memory(), {})
    assert (got.reason, got.says, got.needs) == (Reason.FEW, "the query looks back 5 min", "1 min")
    assert set(questions(gate, scene(5 * MINUTE), memory)) == {"value", "newest"}


def test_each_window_begins_where_the_last_one_ended() -> None:
    """Looks never overlap: the length that is asked for is the time since the last look that counted."""
    memory = Memory()
    good = {"value": one(1), "newest": one(NOON.timestamp() + 600), "samples": one(500)}
    lengths = []
    for minute, answers in ((1, good), (3, good), (4, good | {"samples": one(3)}), (6, good)):
        moment = scene(minute * MINUTE)
        asked = questions(GATE, moment, memory)["samples"]
        assert isinstance(asked, AskQuery)
        lengths.append(asked.query)
        _, memory = judge(GATE, moment, memory, answers)
    assert lengths == [f"sum(increase(all[{minutes * 60_000}ms]))" for minutes in (1, 2, 1, 3)]


def test_between_two_looks_the_answer_stands_and_nothing_is_asked() -> None:
    """A tick every second is no look every second."""
    _, memory = judge(GATE, scene(MINUTE), Memory(), {"value": one(1), "newest": one(FRESH), "samples": one(500)})
    moment = scene(MINUTE + timedelta(seconds=59))
    assert questions(GATE, moment, memory) == {}
    assert judge(GATE, moment, memory, {})[0].passes


def test_bounds_bound_something() -> None:
    """A gate that passes whatever comes is a mistake."""
    with pytest.raises(ValueError, match="bound nothing"):
        Bounds()
