"""Compare as a gate: what is asked, what is kept, and what is never concluded."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from reconciler.core.gates.answers import (
    AnswerTo,
    Arm,
    AskCounts,
    AskDurations,
    Counts,
    Durations,
    Question,
    Unanswered,
    Window,
)
from reconciler.core.gates.compare import HISTORY
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.spec import Compare, Gate, Metric, Reporter
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from tests.core.gates.scenes import HOSTS, MINUTE, NOON, PODS, VMS, scene

ERRORS = Gate("compare", Compare(Metric.ERRORS))
LATENCY = Gate("slower", Compare(Metric.LATENCY))


class Mesh:
    """Two arms that answer questions: requests a minute and the chance of failure (or of being slow) of each."""

    def __init__(self, canary: tuple[int, float], stable: tuple[int, float] = (1800, 0.005), seed: int = 7) -> None:
        self.rates = {PODS.workloads: canary, VMS.workloads: stable}
        self._random = random.Random(seed)

    def answer(self, question: Question) -> AnswerTo:
        assert isinstance(question, AskCounts | AskDurations)
        requests, chance = self.rates[question.arm.workloads]
        requests = round(requests * (question.window.length / MINUTE))
        failures = sum(self._random.random() < chance for _ in range(requests))
        if isinstance(question, AskCounts):
            return Counts(requests, failures, question.window.closes)
        # 94 % of the others stay within 250 ms, so that 250 is the first edge for 95 % less what fails.
        quick = requests - failures
        return Durations(((100.0, quick // 2), (250.0, quick), (500.0, requests), (math.inf, requests)), question.window.closes)


def run(
    gate: Gate,
    answer: Callable[[Question], AnswerTo],
    minutes: int,
    memory: Memory | None = None,
    *,
    start: int = 0,
    **values: Any,
) -> tuple[list[Verdict], Memory]:
    """Return the verdicts of one look a minute after `start`, and the memory."""
    memory, verdicts = memory or Memory(), []
    for minute in range(start + 1, start + minutes + 1):
        moment = scene(minute * MINUTE, **values)
        asked = questions(gate, moment, memory)
        verdict, memory = judge(gate, moment, Memory.of(memory.to_json()), {name: answer(one) for name, one in asked.items()})
        verdicts.append(verdict)
    return verdicts, memory


def until_decided(verdicts: list[Verdict]) -> Verdict:
    """Return the first verdict that does not wait, or the last one."""
    return next((one for one in verdicts if one.answer is not Answer.WAIT), verdicts[-1])


def test_a_good_canary_is_certified_and_a_bad_one_convicted() -> None:
    """From the same stable arm; while neither is proven, it waits and says what is missing."""
    good, _ = run(ERRORS, Mesh((200, 0.005)).answer, 90)
    assert until_decided(good).answer is Answer.PASS
    assert any("more requests, about" in one.needs for one in good)
    bad, _ = run(ERRORS, Mesh((200, 0.05)).answer, 90)
    verdict = until_decided(bad)
    assert (verdict.answer, verdict.reason) == (Answer.FAIL, Reason.HARM)
    assert "the canary is worse" in verdict.says


def test_latency_is_compared_by_what_is_slow_for_the_stable_arm() -> None:
    """The edge is chosen once, from its past, and named."""
    good, memory = run(LATENCY, Mesh((200, 0.03), (1800, 0.03)).answer, 60)
    assert memory.kept["edge"] == 250
    assert until_decided(good).answer is Answer.PASS
    bad, _ = run(LATENCY, Mesh((200, 0.3), (1800, 0.03)).answer, 60)
    verdict = until_decided(bad)
    assert (verdict.reason, verdict.says.startswith("slower than 250 ms: the canary")) == (Reason.HARM, True)


def test_the_past_of_the_stable_arm_comes_first() -> None:
    """An hour of windows that adjoin and end where the step came into force; the canary is not asked about."""
    asked = questions(ERRORS, scene(), Memory())
    windows = [one.window for one in asked.values() if isinstance(one, AskCounts)]
    assert all(one.arm == VMS for one in asked.values() if isinstance(one, AskCounts))
    assert len(windows) == HISTORY
    assert windows[-1].closes == NOON
    assert all(earlier.closes == later.opens for earlier, later in pairwise(windows))
    _, memory = run(ERRORS, Mesh((200, 0.005)).answer, 1)
    assert questions(ERRORS, scene(2 * MINUTE), memory) == {
        "canary": AskCounts(PODS, Window(NOON, NOON + 2 * MINUTE), Reporter.SOURCE),
        "stable": AskCounts(VMS, Window(NOON, NOON + 2 * MINUTE), Reporter.SOURCE),
    }


def test_windows_adjoin_and_each_counts_once() -> None:
    """Also where one had no answer: the next one has both."""
    mesh, asked = Mesh((200, 0.005)), list[Window]()

    def noting(question: Question) -> AnswerTo:
        assert isinstance(question, AskCounts)
        if question.arm == PODS:
            asked.append(question.window)
        return Unanswered("refused") if len(asked) == 2 else mesh.answer(question)

    verdicts, memory = run(ERRORS, noting, 5)
    assert [(one.opens - NOON, one.closes - NOON) for one in asked] == [
        (timedelta(0), 2 * MINUTE),
        (2 * MINUTE, 3 * MINUTE),
        (2 * MINUTE, 4 * MINUTE),
        (4 * MINUTE, 5 * MINUTE),
    ]
    assert verdicts[2] == Verdict.waiting(Reason.PROVIDER_ERROR, "refused")
    assert memory.looks == 3


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    ("canary", "reason"),
    [
        (Counts(0, 0, None), Reason.NO_DATA),
        (Counts(9_000, 9_000, NOON - MINUTE), Reason.STALE),
        (Counts(5, 9, NOON + 5 * MINUTE), Reason.PROVIDER_ERROR),
        (Unanswered("timed out"), Reason.PROVIDER_ERROR),
    ],
)
def test_no_usable_answer_is_no_evidence(canary: AnswerTo, reason: Reason) -> None:
    """Whatever it would have proven; the window stays open."""
    mesh = Mesh((200, 0.005))
    _, memory = run(ERRORS, mesh.answer, 3)
    before = memory.kept["evidence"]

    def broken(question: Question) -> AnswerTo:
        return canary if isinstance(question, AskCounts) and question.arm == PODS else mesh.answer(question)

    (verdict,), memory = run(ERRORS, broken, 1, memory, start=3)
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, reason)
    assert (memory.kept["evidence"], memory.opened) == (before, NOON + 3 * MINUTE)


@pytest.mark.case("C-03")
def test_a_past_that_cannot_be_had_is_asked_for_again() -> None:
    """Nothing is compared before, and a stable arm without durations has no edge."""
    (verdict, again), memory = run(ERRORS, lambda _: Unanswered("refused"), 2)
    assert verdict == again == Verdict.waiting(Reason.PROVIDER_ERROR, "refused")
    assert "evidence" not in memory.kept
    (verdict,), memory = run(LATENCY, lambda _: Durations((), None), 1)
    assert verdict.reason is Reason.NO_DATA
    assert "evidence" not in memory.kept


def test_histograms_that_contradict_themselves_are_no_evidence() -> None:
    """Other bounds than those that the edge was chosen from, or fewer requests within a longer time."""
    mesh = Mesh((200, 0.03), (1800, 0.03))
    _, memory = run(LATENCY, mesh.answer, 2)
    for buckets in (((100.0, 5), (math.inf, 9)), ((100.0, 9), (250.0, 5), (math.inf, 9))):
        broken = Durations(buckets, NOON + 3 * MINUTE)
        verdict, after = judge(LATENCY, scene(3 * MINUTE), memory, {"canary": broken, "stable": broken})
        assert (verdict.reason, after.kept) == (Reason.PROVIDER_ERROR, memory.kept)


def test_at_full_exposure_there_is_no_stable_arm() -> None:
    """By design, so it is no lack; before, it is one, and says which."""
    _, memory = run(ERRORS, Mesh((200, 0.005)).answer, 2)
    done = {"stable": None, "exposure": Fraction(1)}
    (verdict,), _ = run(ERRORS, Mesh((200, 0)).answer, 1, memory, start=2, **done)
    assert verdict.reason is Reason.NO_STABLE
    (verdict,), _ = run(ERRORS, Mesh((200, 0)).answer, 1, memory, start=2, stable=None, why_no_arms="no label tells them apart")
    assert verdict == Verdict.waiting(Reason.INCONCLUSIVE, "no label tells them apart")
    quiet = Mesh((200, 0.005), (1, 0))
    verdicts, _ = run(ERRORS, quiet.answer, 8, memory, start=2, exposure=Fraction(1), in_force=NOON + 2 * MINUTE)
    assert verdicts[-1].reason is Reason.NO_STABLE


def test_labels_pick_the_arms() -> None:
    """Instead of the workloads, behind the same hosts."""
    gate = Gate("compare", Compare(Metric.ERRORS, canary={"destination_version": "v2"}, stable={"destination_version": "v1"}))
    _, memory = run(gate, lambda one: Counts(10, 0, one.window.closes), 1, canary=None, stable=None)  # type: ignore[union-attr]
    asked = questions(gate, scene(2 * MINUTE, canary=None, stable=None), memory)
    arms = {name: one.arm for name, one in asked.items() if isinstance(one, AskCounts)}
    assert arms == {
        "canary": Arm(HOSTS, labels={"destination_version": "v2"}),
        "stable": Arm(HOSTS, labels={"destination_version": "v1"}),
    }


def test_evidence_of_harm_goes_on_into_the_next_step_and_ends_with_the_version() -> None:
    """A step certifies anew; Pods of another template begin anew, but what bursts are like is known."""
    half = Mesh((200, 0.012))
    _, memory = run(ERRORS, half.answer, 20, version="v1")
    harm = _harm(memory)
    assert harm > 0
    later = {"in_force": NOON + 20 * MINUTE}
    _, next_step = run(ERRORS, half.answer, 1, memory, start=20, version="v1", **later)
    assert _harm(next_step) >= harm
    assert next_step.looks == 1
    _, new_canary = run(ERRORS, Mesh((200, 0.005)).answer, 1, memory, start=20, version="v2", **later)
    assert _harm(new_canary) < harm
    assert new_canary.kept["evidence"]["windows"] > HISTORY


@pytest.mark.case("K-01")
def test_a_clock_that_is_put_back_counts_nothing_twice() -> None:
    """Until it has caught up nothing is added, and then it goes on."""
    mesh = Mesh((200, 0.005))
    _, memory = run(ERRORS, mesh.answer, 10)
    looks = memory.looks
    verdicts, memory = run(ERRORS, mesh.answer, 3, memory, start=4)
    assert {one.answer for one in verdicts} == {Answer.WAIT}
    assert memory.looks == looks
    _, memory = run(ERRORS, mesh.answer, 2, memory, start=10)
    assert memory.looks > looks


def test_evidence_of_another_version_of_ours_begins_anew() -> None:
    """It is asked for the past again instead of failing."""
    _, memory = run(ERRORS, Mesh((200, 0.005)).answer, 3)
    old = replace(memory, kept={"evidence": {"version": 0}})
    assert "past-0" in questions(ERRORS, scene(4 * MINUTE), old)
    assert "past-0" in questions(ERRORS, scene(4 * MINUTE, in_force=NOON + MINUTE), old)


def _harm(memory: Memory) -> float:
    """Return the highest logarithm of the evidence of harm that is kept."""
    peak = memory.kept["evidence"]["harm"][1]
    assert isinstance(peak, float)
    return peak
