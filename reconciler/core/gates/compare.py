"""Compare: canary against stable, judged by evidence that may be looked at at any time (`core/judge`)."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from reconciler.core import judge
from reconciler.core.gates.answers import (
    Answers,
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
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Compare, Gate, Metric
from reconciler.core.gates.threshold import stale
from reconciler.core.gates.verdict import Reason, Verdict

#: So many windows of the stable arm from before the first step tell how bursty its failures are.
HISTORY = 60

_NOTHING_NEW = Verdict.waiting(Reason.FEW, "no time has passed since the last look")


def questions(gate: Gate, ask: Compare, scene: Scene, memory: Memory, window: Window) -> Mapping[str, Question]:
    """Return what to ask: both arms in the window; before the first look the past of the stable arm."""
    canary, stable = _arms(ask, scene)
    if canary is None or stable is None:
        return {}
    if _evidence(memory) is None:
        return {f"past-{number}": _question(ask, stable, one) for number, one in enumerate(_past(gate, window))}
    return {"canary": _question(ask, canary, window), "stable": _question(ask, stable, window)}


def compare(gate: Gate, ask: Compare, scene: Scene, window: Window, answers: Answers, memory: Memory) -> tuple[Verdict, Memory]:
    """Add a window to the evidence, and return what that says now.

    A window of which one arm is not known stays open. At full exposure there is no stable arm by design.
    """
    memory = replace(memory, asked=scene.now)
    if not answers:
        return _no_arms(scene), memory
    for answer in answers.values():
        if isinstance(answer, Unanswered):
            return Verdict.waiting(Reason.PROVIDER_ERROR, answer.why), memory
    evidence = _evidence(memory)
    if evidence is None:
        return _begin(gate, ask, scene, window, answers, memory)
    for arm in ("canary", "stable"):
        if (why := _unusable(gate, window, arm, answers[arm])) is not None:
            return why, memory
    if evidence.until is not None and window.opens.timestamp() < evidence.until:
        # The clock was put back. What happens until it has caught up cannot be told from what was counted.
        return _NOTHING_NEW, replace(memory, opened=max(window.closes, datetime.fromtimestamp(evidence.until, UTC)))
    if window.length <= timedelta(0):
        return _NOTHING_NEW, memory
    return _add(ask, scene, window, answers, evidence, memory)


def limits(ask: Compare) -> judge.Limits:
    """Return the parameters of the comparison."""
    return judge.Limits(margin=ask.margin, alpha=ask.alpha, samples=ask.samples)


def carried(memory: Memory, version: str) -> Mapping[str, Any]:
    """Return what goes on from one step to the next: evidence of harm, and what is known of the stable arm.

    Of another version of the canary (its Pods' template) nothing has been seen yet.
    """
    evidence = _evidence(memory)
    if evidence is None:
        return {}
    same = memory.kept.get("version", "") == version
    kept = evidence.for_next_step() if same else evidence.for_new_canary()
    return {**memory.kept, "evidence": judge.to_json(kept), "version": version}


def _add(
    ask: Compare, scene: Scene, window: Window, answers: Answers, evidence: judge.Evidence, memory: Memory
) -> tuple[Verdict, Memory]:
    edge = memory.kept.get("edge")
    try:
        canary, stable = _counts(answers["canary"], edge), _counts(answers["stable"], edge)
    except ValueError as error:  # a histogram with other bounds than before, more failures than requests
        return Verdict.waiting(Reason.PROVIDER_ERROR, f"what was measured contradicts itself: {error}"), memory
    evidence = evidence.add(judge.Window(window.opens, window.closes, canary, stable), limits(ask))
    memory = replace(memory, opened=window.closes, looks=memory.looks + 1)
    return _verdict(ask, scene, evidence, edge), memory.keeping(evidence=judge.to_json(evidence))


def _arms(ask: Compare, scene: Scene) -> tuple[Arm | None, Arm | None]:
    def chosen(arm: Arm | None, labels: Mapping[str, str]) -> Arm | None:
        return replace(scene.whole, labels=labels) if labels and scene.whole else arm

    return chosen(scene.canary, ask.canary), chosen(scene.stable, ask.stable)


def _question(ask: Compare, arm: Arm, window: Window) -> AskCounts | AskDurations:
    kind = AskCounts if ask.metric is Metric.ERRORS else AskDurations
    return kind(arm, window, ask.reporter)


def _past(gate: Gate, window: Window) -> Iterable[Window]:
    """Yield windows of the length of a look that adjoin and end where the first window opens."""
    begins = window.opens - HISTORY * gate.interval
    for number in range(HISTORY):
        yield Window(begins + number * gate.interval, begins + (number + 1) * gate.interval)


def _no_arms(scene: Scene) -> Verdict:
    if scene.exposure >= Fraction(1) and scene.stable is None:
        return Verdict.waiting(Reason.NO_STABLE, "nothing is left to compare with")
    return Verdict.waiting(Reason.INCONCLUSIVE, scene.why_no_arms or "canary and stable cannot be told apart")


def _begin(gate: Gate, ask: Compare, scene: Scene, window: Window, answers: Answers, memory: Memory) -> tuple[Verdict, Memory]:
    """Begin the evidence with the past of the stable arm, and for latency choose what is slow. The window stays open."""
    past = [answers[f"past-{number}"] for number in range(HISTORY)]
    evidence = judge.Evidence()
    try:
        edge = _edge(ask, past) if ask.metric is Metric.LATENCY else None
        stable = [_counts(answer, edge) for answer in past]
    except ValueError as error:
        return Verdict.waiting(Reason.PROVIDER_ERROR, f"the past of the stable arm contradicts itself: {error}"), memory
    if ask.metric is Metric.LATENCY and edge is None:
        return Verdict.waiting(Reason.NO_DATA, "the stable arm has no past durations to learn from"), memory
    for one, counts in zip(_past(gate, window), stable, strict=True):
        evidence = evidence.add(judge.Window(one.opens, one.closes, judge.Counts(), counts), limits(ask))
    kept = {"evidence": judge.to_json(evidence.for_next_step()), "edge": edge, "version": scene.version}
    # Nothing of the window is used up, so it is looked at as soon as possible.
    memory = replace(memory, asked=None).keeping(**kept)
    return Verdict.waiting(Reason.INCONCLUSIVE, "learned how the stable arm behaves; nothing is compared yet"), memory


def _edge(ask: Compare, past: Iterable[AnswerTo]) -> float | None:
    """Return the bound that the given share of the stable arm's past requests stayed within, in milliseconds."""
    total: dict[float, float] = {}
    for answer in past:
        for bound, within in answer.buckets if isinstance(answer, Durations) else ():
            total[bound] = total.get(bound, 0.0) + within
    return judge.Histogram(tuple(sorted(total.items()))).edge_of(ask.quantile) if math.inf in total else None


def _unusable(gate: Gate, window: Window, arm: str, answer: AnswerTo) -> Verdict | None:
    newest = answer.newest if isinstance(answer, Counts | Durations) else None
    if newest is None:
        return Verdict.waiting(Reason.NO_DATA, f"the {arm} arm has no series")
    old = stale(gate, window, newest.timestamp())
    return Verdict.waiting(old.reason, f"{arm}: {old.says}") if old else None


def _counts(answer: AnswerTo, edge: float | None) -> judge.Counts:
    """Return requests and failures; where durations are compared, failures are the requests slower than the edge."""
    match answer:
        case Counts(requests, errors):
            return judge.Counts(requests, errors)
        case Durations(buckets) if buckets and edge is not None:
            return judge.Histogram(tuple(buckets)).slower_than(edge)
        case _:
            return judge.Counts()


def _evidence(memory: Memory) -> judge.Evidence | None:
    """Return the evidence so far, None where there is none yet or another version of us has kept it."""
    try:
        return judge.from_json(memory.kept.get("evidence"))
    except ValueError:
        return None


def _verdict(ask: Compare, scene: Scene, evidence: judge.Evidence, edge: float | None) -> Verdict:
    found = evidence.verdict(limits(ask))
    says = str(found).removeprefix(f"{found.decision}: ")
    if edge is not None:
        says = f"slower than {edge:g} ms: {says}"
    if found.decision is judge.Decision.HARM:
        return Verdict.failing(Reason.HARM, says)
    if found.decision is judge.Decision.NOT_WORSE:
        return Verdict.passing(says)
    if found.reason is judge.Reason.NO_STABLE and (scene.watched or scene.exposure >= Fraction(1)):
        return Verdict.waiting(Reason.NO_STABLE, says)
    few = found.reason in (judge.Reason.FEW_SAMPLES, judge.Reason.NO_CANARY)
    return Verdict.waiting(Reason.FEW if few else Reason.INCONCLUSIVE, says, needs=str(found.missing or ""))
