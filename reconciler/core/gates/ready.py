"""The ready-made bounds: share of requests that succeed, and a quantile of their duration, from Istio's metrics."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

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
from reconciler.core.gates.memory import Look, Mood
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Gate, Metric, Of, Ready, Reporter
from reconciler.core.gates.threshold import stale
from reconciler.core.gates.verdict import Reason
from reconciler.core.gates.words import missing, number

#: Before the names of the questions about the stable arm.
_STABLE = "stable-"


def questions(ask: Ready, scene: Scene, window: Window) -> Mapping[str, Question]:
    """Return what to ask of each side; of the stable arm too where the canary is meant. Nothing where there is no such arm."""
    arm = _arm(ask.of, scene)
    if arm is None:
        return {}
    arms = {"": arm}
    if ask.of is Of.CANARY and scene.stable is not None:
        arms[_STABLE] = scene.stable
    reporters = (ask.reporter,) if ask.reporter else tuple(Reporter)
    kind = AskCounts if ask.metric is Metric.ERRORS else AskDurations
    return {
        prefix + reporter: kind(replace(one, lost=True), window, reporter)
        for prefix, one in arms.items()
        for reporter in reporters
    }


def look(gate: Gate, ask: Ready, scene: Scene, window: Window, answers: Answers) -> Look:
    """Judge the worse of the sides that have enough fresh requests. Where the stable arm is bad too, no change is to blame."""
    if not answers:
        return Look.unsure(Reason.INCONCLUSIVE, scene.why_no_arms or f"there are no requests to call {ask.of}")
    own = {name: answer for name, answer in answers.items() if not name.startswith(_STABLE)}
    found = _worse(gate, ask, window, own)
    others = {name.removeprefix(_STABLE): answer for name, answer in answers.items() if name.startswith(_STABLE)}
    if found.mood is not Mood.BAD or not others:
        return found
    stable = _worse(gate, ask, window, others)
    if stable.mood is Mood.BAD:
        return Look.unsure(Reason.INCONCLUSIVE, f"{found.says}; and so it is with the stable arm: {stable.says}")
    return stable if stable.reason is Reason.PROVIDER_ERROR else found


def _worse(gate: Gate, ask: Ready, window: Window, answers: Answers) -> Look:
    sides = [_side(gate, ask, window, Reporter(name), answer) for name, answer in answers.items()]
    judged = [one for one in sides if isinstance(one, _Side)]
    if any(isinstance(one, Unanswered) for one in answers.values()) or not judged:
        return _why_not(one for one in sides if isinstance(one, Look))
    return min(judged, key=lambda one: (one.look.mood is not Mood.BAD, one.goodness)).look


def _arm(of: Of, scene: Scene) -> Arm | None:
    return {Of.CANARY: scene.canary, Of.STABLE: scene.stable, Of.ALL: scene.whole}[of]


@dataclass(frozen=True, slots=True)
class _Side:
    """What one side measured; the lower its goodness, the worse."""

    look: Look
    goodness: float


def _side(gate: Gate, ask: Ready, window: Window, reporter: Reporter, answer: AnswerTo) -> _Side | Look:
    match answer:
        case Unanswered(why):
            return Look.unsure(Reason.PROVIDER_ERROR, why)
        case Counts(newest=datetime() as newest) | Durations(newest=datetime() as newest):
            return stale(gate, window, newest.timestamp()) or _measured(ask, window, reporter, answer)
        case Counts() | Durations():
            return Look.unsure(Reason.NO_DATA, f"no series is reported by the {reporter}")
        case _:
            raise TypeError(f"no measurement answers with {answer!r}")


def _measured(ask: Ready, window: Window, reporter: Reporter, answer: Counts | Durations) -> _Side | Look:
    if answer.requests < max(1, ask.samples):
        says = f"{answer.requests:,} of {ask.samples:,} requests"
        return Look.unsure(Reason.FEW, says, missing(max(1, ask.samples), answer.requests, window.length))
    if isinstance(answer, Counts):
        share = 1 - answer.errors / answer.requests
        says = f"{100 * share:.5g} % of {answer.requests:,} requests succeeded"
        return _Side(_bounded(ask, share, f"{says} (by the {reporter})", ask.bounds.in_percent), share)
    value, beyond = quantile(answer, ask.quantile)
    if beyond and ask.bounds.hold(value):
        return Look.unsure(Reason.INCONCLUSIVE, f"more than {number(value)} ms, and the histogram has no larger bound")
    says = f"{number(100 * ask.quantile)} % of {answer.requests:,} requests took at most {number(value)} ms"
    return _Side(_bounded(ask, value, f"{says} (by the {reporter})", str(ask.bounds)), -value)


def _bounded(ask: Ready, value: float, says: str, bounds: str) -> Look:
    good = ask.bounds.hold(value)
    return Look(Mood.GOOD if good else Mood.BAD, f"{says}, {'' if good else 'not '}{bounds}")


def quantile(durations: Durations, share: float) -> tuple[float, bool]:
    """Return a quantile in milliseconds as Prometheus estimates it: linear within a bucket.

    True beside it says that the quantile lies beyond the largest finite bound, which is returned then.
    """
    rank = share * durations.requests
    lower, below = 0.0, 0
    for bound, within in durations.buckets:
        if within >= rank and within > below:
            if math.isinf(bound):
                return lower, True
            return lower + (bound - lower) * (rank - below) / (within - below), False
        lower, below = (lower if math.isinf(bound) else bound), within
    return lower, True


def _why_not(looks: Iterator[Look]) -> Look:
    """Return the look that says most about why nothing can be judged."""
    order = (Reason.PROVIDER_ERROR, Reason.FEW, Reason.INCONCLUSIVE, Reason.STALE, Reason.NO_DATA)
    return min(looks, key=lambda one: order.index(one.reason))
