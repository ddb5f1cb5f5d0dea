"""Observed share: which part of the requests really goes where the step leads, held against what the step is to give.

It holds a step, and nothing else: what nobody measured says nothing against it, and a share above the step's by more than the
tolerance is an event somewhere else (an HPA, a client that keeps its connections), no harm.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from math import isfinite

from reconciler.core.gates.answers import Answers, Arm, AskCounts, AskQuery, Counts, Question, Series, Unanswered, Window
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.promql import within
from reconciler.core.gates.scene import Gain, Scene
from reconciler.core.gates.spec import Reporter, Share
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.shares.values import percent

#: Of fewer requests a share says nothing: of 400, one of a half is off by 2.5 points (one standard deviation).
LEAST = 400
UNMEASURED = "the share of requests is not measured"
_QUERY = "share"


def questions(ask: Share, scene: Scene, window: Window) -> Mapping[str, Question]:
    """Return what to ask: the query's value, or of each service the requests to those that gain, and all of them."""
    if window.length <= timedelta(0):
        return {}
    if ask.query:
        return {_QUERY: AskQuery(within(ask.query, window.length), window.closes)} if scene.gains else {}
    arms = {f"{one.service} {name}": arm for one in scene.gains for name, arm in _arms(one)}
    return {name: AskCounts(arm, window, Reporter.SOURCE) for name, arm in arms.items()}


def share(ask: Share, scene: Scene, window: Window, answers: Answers, memory: Memory) -> tuple[Verdict, Memory]:
    """Wait while more requests than planned go where the step leads; else pass, also where nothing was measured.

    A window of too few requests stays open.
    """
    memory = replace(memory, asked=scene.now)
    if not answers:
        yet = "the step has only just come into force" if scene.gains else "nobody's share changes"
        why = next((one.why for one in scene.gains if one.why), yet)
        return Verdict.passing(f"{UNMEASURED}: {why}"), memory
    found = list(_of_query(scene, answers[_QUERY]) if ask.query else _counted(scene, answers))
    unknown = next((one for one in found if isinstance(one, str)), None)
    if unknown is not None:
        return Verdict.passing(f"{UNMEASURED}: {unknown}"), memory
    seen = [one for one in found if not isinstance(one, str)]
    says = "; ".join(text for _, text in seen)
    memory = replace(memory, opened=window.closes, looks=memory.looks + 1)
    if any(above > ask.tolerance for above, _ in seen):
        return Verdict.waiting(Reason.EXPOSED, f"{says}, more than {percent(ask.tolerance)} above"), memory
    return Verdict.passing(says), memory


#: By how much a share is above the planned one, with the sentence about it; or why nobody knows.
_Seen = tuple[Fraction, str] | str


def _counted(scene: Scene, answers: Answers) -> Iterator[_Seen]:
    for one in scene.gains:
        if one.gains is None:
            continue
        told = [answers[f"{one.service} {name}"] for name, _ in _arms(one)]
        gains, every = (answer if isinstance(answer, Counts) else None for answer in told)
        if gains is None or every is None:
            yield next(answer.why for answer in told if isinstance(answer, Unanswered))
        elif every.requests < LEAST:
            yield f"{every.requests:,} of {LEAST:,} requests to {one.service} so far"
        else:
            part = Fraction(min(gains.requests, every.requests), every.requests)
            text = f"{percent(part)} of {every.requests:,} requests to {one.service} go where the step leads"
            yield part - one.planned, f"{text}, planned {percent(one.planned)}"


def _of_query(scene: Scene, answer: object) -> Iterator[_Seen]:
    """Yield what the query gives: the share of the VMs, whichever way that goes."""
    match answer:
        case Unanswered(why):
            yield why
        case Series((sample,)) if isfinite(sample.value) and 0 <= sample.value <= 1:
            for one in scene.gains:
                machines = Fraction(sample.value).limit_denominator(1_000_000)
                above = machines - one.machines if one.to_machines else one.machines - machines
                yield above, f"{percent(machines)} of the requests to {one.service} go to VMs, planned {percent(one.machines)}"
        case _:
            yield "the query gives no single share from 0 to 1"


def _arms(one: Gain) -> Iterator[tuple[str, Arm]]:
    if one.gains is not None and one.every is not None:
        yield "gains", one.gains
        yield "every", one.every
