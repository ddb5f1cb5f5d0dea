"""Cover: a step has seen enough requests in every part of the day that it says it covers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.core.gates.answers import AnswerTo, AskCounts, Counts, Question, Unanswered, Window
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Cover, Reporter
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.gates.words import length

#: A quarter of the day, in UTC: from 0, 6, 12 and 18 o'clock.
_QUARTER = 6
_DAY = timedelta(days=1)


def questions(scene: Scene, window: Window) -> Mapping[str, Question]:
    """Return what to ask: how many requests the canary has had in the window."""
    arm = scene.canary or scene.whole
    return {} if arm is None else {"requests": AskCounts(arm, window, Reporter.SOURCE)}


def cover(ask: Cover, scene: Scene, window: Window, answer: AnswerTo | None, memory: Memory) -> tuple[Verdict, Memory]:
    """Pass once that much time is observed and each quarter of the day that it touches has had its requests.

    A window counts for the quarter in which it closes; one without an answer stays open and counts later.
    """
    match answer:
        case None:
            return Verdict.waiting(Reason.INCONCLUSIVE, scene.why_no_arms or "there are no requests to count"), memory
        case Unanswered(why):
            return Verdict.waiting(Reason.PROVIDER_ERROR, why), memory
        case Counts(newest=None):
            return Verdict.waiting(Reason.NO_DATA, "no series of the canary's requests"), memory
        case Counts(requests=requests):
            memory = _counted(memory, window, requests)
        case _:
            raise TypeError(f"no count answers with {answer!r}")
    lacking = [start for start in _touched(ask, memory) if _had(memory, start) < ask.samples]
    left = ask.length - memory.observed
    if left <= timedelta(0) and not lacking:
        return Verdict.passing(f"{length(ask.length)} covered"), memory
    says = f"{length(memory.observed)} of {length(ask.length)} observed"
    needs = [length(left)] if left > timedelta(0) else []
    needs += [
        f"{ask.samples - _had(memory, start):,} requests between {start}:00 and {start + _QUARTER}:00 UTC" for start in lacking
    ]
    return Verdict.waiting(Reason.SOAKING, says, needs=", ".join(needs)), memory


def _counted(memory: Memory, window: Window, requests: int) -> Memory:
    quarter = str(_quarter(window.closes))
    had = {**memory.kept.get("quarters", {})}
    had[quarter] = had.get(quarter, 0) + requests
    return replace(memory, opened=window.closes).keeping(quarters=had)


def _had(memory: Memory, start: int) -> int:
    return int(memory.kept.get("quarters", {}).get(str(start), 0))


def _touched(ask: Cover, memory: Memory) -> list[int]:
    """Return the quarters, by their first hour, of the time to be covered: all four for a day or more."""
    if memory.began is None:
        return []
    moment = memory.began.astimezone(UTC)
    ends, touched = moment + min(ask.length, _DAY), set[int]()
    while moment < ends:
        touched.add(_quarter(moment))
        moment = moment.replace(hour=_quarter(moment), minute=0, second=0, microsecond=0) + timedelta(hours=_QUARTER)
    return sorted(touched)


def _quarter(moment: datetime) -> int:
    return moment.astimezone(UTC).hour // _QUARTER * _QUARTER
