"""The ready-made bounds on Istio's metrics."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.gates.answers import Arm, AskCounts, AskDurations, Counts, Durations, Unanswered, Window
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.ready import quantile
from reconciler.core.gates.spec import Bounds, Gate, Metric, Of, Ready, Reporter
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from tests.core.gates.scenes import HOSTS, MINUTE, NOON, PODS, VMS, looks, scene

GATE = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.99), samples=100))
SLOW = Gate("fast", Ready(Metric.LATENCY, Bounds(high=200), samples=100, reporter=Reporter.SOURCE))
NOTHING = Counts(0, 0, None)


def counts(requests: int, errors: int = 0, age: timedelta = timedelta(0)) -> Counts:
    """Return counts whose newest sample is so old at the first look."""
    return Counts(requests, errors, NOON + MINUTE - age)


def verdict(source: Any, destination: Any = NOTHING, gate: Gate = GATE) -> Verdict:
    """Return the verdict of one look at both sides."""
    stable = {"stable-source": NOTHING, "stable-destination": NOTHING}
    return looks(gate, {"source": source, "destination": destination, **stable})[0]


def slow(source: Any, gate: Gate = SLOW) -> Verdict:
    """Return the verdict of one look at durations."""
    return looks(gate, {"source": source, "stable-source": Durations((), None)})[0]


def durations(*buckets: tuple[float, int]) -> Durations:
    """Return fresh durations."""
    return Durations(buckets, NOON + MINUTE)


WINDOW = Window(NOON, NOON + MINUTE)


@pytest.mark.parametrize(("of", "arm"), [(Of.STABLE, VMS), (Of.ALL, Arm(HOSTS))])
def test_the_arm_that_is_meant_is_asked_on_both_sides(of: Of, arm: Arm) -> None:
    """VMs and Pods are told apart by their workloads; requests that reached nobody are in it."""
    gate, meant = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.99), of=of)), replace(arm, lost=True)
    assert questions(gate, scene(), Memory()) == {
        "source": AskCounts(meant, WINDOW, Reporter.SOURCE),
        "destination": AskCounts(meant, WINDOW, Reporter.DESTINATION),
    }


def test_the_stable_arm_is_asked_beside_the_canary() -> None:
    """As long as there is one."""
    canary, stable = replace(PODS, lost=True), replace(VMS, lost=True)
    assert questions(SLOW, scene(), Memory()) == {
        "source": AskDurations(canary, WINDOW, Reporter.SOURCE),
        "stable-source": AskDurations(stable, WINDOW, Reporter.SOURCE),
    }
    assert set(questions(SLOW, scene(stable=None), Memory())) == {"source"}


def test_what_befalls_both_arms_is_not_the_canarys_fault() -> None:
    """A database that is down harms everybody; only a stable arm that is well proves whose fault it is."""
    gate = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.99), reporter=Reporter.SOURCE))
    bad = {"source": counts(1000, 500)}
    (verdict,) = looks(gate, bad | {"stable-source": counts(9000, 900)})
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, Reason.INCONCLUSIVE)
    assert "so it is with the stable arm: 90 % of 9,000 requests succeeded" in verdict.says
    assert looks(gate, bad | {"stable-source": counts(9000, 9)})[0].reason is Reason.HARM
    assert looks(gate, bad | {"stable-source": NOTHING})[0].reason is Reason.HARM
    assert looks(gate, bad | {"stable-source": Unanswered("refused")})[0].reason is Reason.PROVIDER_ERROR
    assert looks(gate, {"source": counts(1000), "stable-source": Unanswered("refused")})[0].passes


def test_the_share_of_success_is_held_against_the_bound() -> None:
    """In words that name the count and the side."""
    assert verdict(counts(1000, 10)) == Verdict.passing("99 % of 1,000 requests succeeded (by the source), at least 99 %")
    assert verdict(counts(1000, 11)).reason is Reason.HARM
    assert verdict(counts(100, 100)).says == "0 % of 100 requests succeeded (by the source), not at least 99 %"


def test_the_worse_side_counts() -> None:
    """Retries hide from callers what the called side has seen, and what never arrived only callers know."""
    hidden = verdict(counts(1000), counts(1100, 100))
    assert (hidden.answer, "by the destination" in hidden.says) == (Answer.FAIL, True)
    lost = verdict(counts(1000, 100), counts(900))
    assert (lost.answer, "by the source" in lost.says) == (Answer.FAIL, True)


def test_a_side_with_too_few_requests_has_no_say() -> None:
    """VMs without a proxy are seen by callers only."""
    assert verdict(counts(1000), counts(3, 3)).passes
    assert verdict(NOTHING, counts(1000)).passes


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    ("source", "destination", "reason"),
    [
        (NOTHING, NOTHING, Reason.NO_DATA),
        (counts(0), NOTHING, Reason.FEW),
        (counts(99), counts(99), Reason.FEW),
        (counts(1000, age=timedelta(minutes=3)), NOTHING, Reason.STALE),
        (counts(99), counts(1000, age=timedelta(minutes=3)), Reason.FEW),
        (Unanswered("refused"), counts(1000), Reason.PROVIDER_ERROR),
        (counts(1000, 1000), Unanswered("refused"), Reason.PROVIDER_ERROR),
    ],
)
def test_no_usable_answer_neither_passes_nor_harms(source: Any, destination: Any, reason: Reason) -> None:
    """Not even half of an answer does."""
    got = verdict(source, destination)
    assert (got.answer, got.reason) == (Answer.WAIT, reason)


def test_missing_requests_are_counted() -> None:
    """1,340 more at 220 a minute take about six minutes."""
    gate = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.99), samples=1560, reporter=Reporter.SOURCE))
    (got,) = looks(gate, {"source": counts(220), "stable-source": NOTHING})
    assert (got.reason, got.needs) == (Reason.FEW, "1,340 more requests, about 7 min")


def test_without_the_arm_nothing_is_asked_and_nothing_passes() -> None:
    """Where VM and Pod cannot be told apart, the answer says why."""
    moment = scene(canary=None, why_no_arms="VMs and Pods have the workload `billing` in common")
    assert questions(GATE, moment, Memory()) == {}
    got, _ = judge(GATE, moment, Memory(), {})
    assert got == Verdict.waiting(Reason.INCONCLUSIVE, "VMs and Pods have the workload `billing` in common")


def test_a_quantile_of_durations_is_held_against_the_bound() -> None:
    """In milliseconds."""
    fast = durations((100, 960), (250, 1000), (math.inf, 1000))
    assert slow(fast).passes
    slower = durations((100, 500), (250, 900), (500, 1000), (math.inf, 1000))
    says = "95 % of 1,000 requests took at most 375 ms (by the source), not at most 200"
    assert slow(slower) == Verdict.failing(Reason.HARM, says)


def test_a_quantile_beyond_the_histogram_is_harm_only_where_its_largest_bound_is() -> None:
    """More than 500 ms is too much for a bound of 200; whether it is for one of 800, nobody knows."""
    beyond = durations((100, 500), (500, 900), (math.inf, 1000))
    assert slow(beyond).reason is Reason.HARM
    patient = Gate("fast", Ready(Metric.LATENCY, Bounds(high=800), reporter=Reporter.SOURCE))
    assert slow(beyond, patient).reason is Reason.INCONCLUSIVE


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_its_rank(widths: list[int], share: float) -> None:
    """So many requests took at most as long as the bucket's bound, and fewer as long as the one before."""
    total, buckets = 0, []
    for number, width in enumerate(widths, start=1):
        total += width
        buckets.append((10.0 * number, total))
    given_durations = durations(*buckets, (math.inf, total))
    value, beyond = quantile(given_durations, share)
    assert beyond == (total == 0)
    if not beyond:
        upper = min(bound for bound, within in buckets if within >= share * total)
        assert upper - 10 <= value <= upper
