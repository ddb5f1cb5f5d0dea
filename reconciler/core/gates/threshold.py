"""Threshold: a bound on what a person's query gives, look by look."""

import math
from collections.abc import Mapping
from datetime import timedelta

from reconciler.core.gates.answers import Answers, AnswerTo, AskQuery, Question, Series, Unanswered, Window
from reconciler.core.gates.memory import Look, Mood
from reconciler.core.gates.promql import freshness, reach, within
from reconciler.core.gates.spec import Gate, Threshold
from reconciler.core.gates.verdict import Reason
from reconciler.core.gates.words import length, missing, number

#: Older than this (seconds) is old.
_AGES = 1e9


def questions(ask: Threshold, window: Window) -> Mapping[str, Question]:
    """Return what to ask: the value, how fresh it is, and how many samples it rests on; nothing while the window is too short.

    A query that looks back by itself (``rate(x[5m])``) is only asked once all that it looks at is after the window's opening.
    """
    if window.length < reach(ask.query):
        return {}
    texts = {"value": ask.query, "newest": freshness(ask.query)}
    if ask.samples_query:
        texts["samples"] = ask.samples_query
    return {name: AskQuery(within(text, window.length), window.closes) for name, text in texts.items()}


def look(gate: Gate, ask: Threshold, window: Window, answers: Answers) -> Look:
    """Judge the answers; anything but one fresh, finite value that rests on enough samples decides nothing."""
    if not answers:
        looks_back = reach(ask.query)
        return Look.unsure(Reason.FEW, f"the query looks back {length(looks_back)}", length(looks_back - window.length))
    value = _single(answers["value"])
    if isinstance(value, Look):
        return value
    if (stale := _stale(gate, window, answers["newest"])) is not None:
        return stale
    if ask.samples_query:
        samples = _single(answers["samples"])
        if isinstance(samples, Look):
            return samples
        if samples < ask.samples:
            says = f"{number(samples)} of {ask.samples:,} samples"
            return Look.unsure(Reason.FEW, says, missing(ask.samples, math.floor(samples), window.length))
    good = ask.bounds.hold(value)
    return Look(Mood.GOOD if good else Mood.BAD, f"{number(value)} is {'' if good else 'not '}{ask.bounds}")


def _single(answer: AnswerTo) -> float | Look:
    """Return the one finite value of an answer, or why there is none."""
    match answer:
        case Unanswered(why):
            return Look.unsure(Reason.PROVIDER_ERROR, why)
        case Series(()):
            return Look.unsure(Reason.NO_DATA, "the query gives no series")
        case Series((sample,)) if math.isfinite(sample.value):
            return sample.value
        case Series((sample,)):
            return Look.unsure(Reason.NO_DATA, f"the query gives {sample.value}, which is no number")
        case Series(samples):
            return Look.unsure(Reason.INCONCLUSIVE, f"the query gives {len(samples)} series: aggregate them to one")
        case _:
            raise TypeError(f"no query answers with {answer!r}")


def _stale(gate: Gate, window: Window, answer: AnswerTo) -> Look | None:
    newest = _single(answer)
    if isinstance(newest, Look):
        return newest if newest.reason is Reason.PROVIDER_ERROR else Look.unsure(Reason.STALE, "its series get no samples")
    return stale(gate, window, newest)


def stale(gate: Gate, window: Window, newest: float) -> Look | None:
    """Return what a look says whose newest sample (UNIX seconds) is too old, None where it is fresh."""
    age = window.closes.timestamp() - newest
    if age <= gate.stale_after.total_seconds():
        return None
    return Look.unsure(Reason.STALE, f"the newest sample is {length(timedelta(seconds=min(age, _AGES)))} old")
