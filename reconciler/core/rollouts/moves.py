"""What each line of the table does to a rollout, beside the phase."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.rollouts.looking import fresh
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Word
from reconciler.core.rollouts.table import Event, Happening, target
from reconciler.core.rollouts.values import Way

_CAUSES: Mapping[Happening, Cause] = {
    Event.HELD: Cause.HOLD,
    Event.LOST: Cause.OUTAGE,
    Event.FAILED: Cause.FAILED,
    Event.EDITED: Cause.EDITED,
    Event.STOPPED: Cause.HARM,
    Event.UNDECIDED: Cause.UNDECIDED,
    Word.PAUSE: Cause.PERSON,
}


def moved(rollout: Rollout, happening: Happening, reason: str, now: datetime) -> Rollout:
    """Return the rollout after a happening. Raises LookupError for one that the table does not allow here."""
    phase = target(rollout.phase, happening, rollout.returns_to)
    after = _EFFECTS.get(happening, _nothing)(rollout, now)
    if happening in _CAUSES:
        left = rollout.returns_to if rollout.phase is Phase.PAUSED else rollout.phase
        refused = rollout.refused or happening in (Event.FAILED, Event.STOPPED)
        after = replace(after, cause=_CAUSES[happening], returns_to=left, refused=refused)
    entered = rollout.entered if phase is rollout.phase else now
    cause = after.cause if phase is Phase.PAUSED else Cause.NONE
    return replace(after, phase=phase, entered=entered, cause=cause, reason=reason)


def turned_back(rollout: Rollout, goal: int, *, at_once: bool) -> Rollout:
    """Return a rollout that has yet to find its way back. What is taken back is refused: Git still asks for it."""
    return replace(
        _unsettled(rollout),
        goal=goal,
        passed=min(rollout.passed, goal),
        at_once=at_once,
        replan=True,
        refused=True,
        approvals=(),
        outcome=Outcome.NONE,
        ended=None,
    )


def set_out(rollout: Rollout, way: Way) -> Rollout:
    """Return a rollout that is being undone, at the beginning of the way back that was found for it.

    A way without steps is one that leads nowhere, since everything stands at its goal already.
    """
    return replace(_unsettled(rollout), back=way, step=0, stage=0, replan=False, in_force=None, time=rollout.time.anew())


def _nothing(rollout: Rollout, _now: datetime) -> Rollout:
    return rollout


def _unsettled(rollout: Rollout) -> Rollout:
    """What was found written was another stage, or lies too long back."""
    return replace(rollout, time=replace(rollout.time, settled=None))


def _started(rollout: Rollout, now: datetime) -> Rollout:
    return _unsettled(replace(rollout, started=now))


def _staged(rollout: Rollout, _now: datetime) -> Rollout:
    return _unsettled(replace(rollout, stage=rollout.stage + 1, time=rollout.time.anew()))


def _in_force(rollout: Rollout, now: datetime) -> Rollout:
    return replace(rollout, in_force=now, time=rollout.time.anew())


def _passed(rollout: Rollout, _now: datetime) -> Rollout:
    passed = rollout.passed if rollout.goes_back else rollout.step
    after = _unsettled(replace(rollout, time=rollout.time.anew()))
    return replace(after, passed=passed, step=rollout.step + 1, stage=0, in_force=None, approvals=())


def _ready(rollout: Rollout, _now: datetime) -> Rollout:
    return replace(rollout, passed=rollout.step)


def _finished(rollout: Rollout, _now: datetime) -> Rollout:
    return replace(rollout, passed=rollout.step, time=rollout.time.anew())


def _lacking(rollout: Rollout, _now: datetime) -> Rollout:
    """A person has been told, and is told again should it last as long once more."""
    return replace(rollout, time=replace(rollout.time, waited=timedelta(0)))


def _fell_back(rollout: Rollout, now: datetime) -> Rollout:
    last = len(rollout.way.steps[rollout.goal].stages) - 1
    there = replace(rollout, back=None, step=rollout.goal, stage=last, goal=-1, in_force=now)
    return replace(fresh(_unsettled(there), now), cause=Cause.HARM, returns_to=Phase.SOAKING)


def _ended(outcome: Outcome) -> Callable[[Rollout, datetime], Rollout]:
    return lambda rollout, now: replace(rollout, outcome=outcome, ended=now, replan=False)


def _resumed(rollout: Rollout, now: datetime) -> Rollout:
    """A person, or the end of the cause, lets it go on; what had been proven against it is to be proven anew."""
    if rollout.phase is Phase.HALTED:
        return _ended(Outcome.SUPERSEDED)(rollout, now)
    time = replace(rollout.time, settled=None, looked=None)
    after = replace(rollout, overrules=rollout.cause is Cause.EDITED, time=time)
    if rollout.cause in (Cause.HARM, Cause.UNDECIDED, Cause.OUTAGE):
        return replace(fresh(after, now), refused=False)
    return after


def _retried(rollout: Rollout, now: datetime) -> Rollout:
    if rollout.phase is Phase.HALTED:
        return turned_back(rollout, rollout.goal, at_once=rollout.at_once)
    after = replace(rollout, refused=False)
    return after if rollout.phase is Phase.IDLE else _ended(Outcome.SUPERSEDED)(after, now)


_EFFECTS: Mapping[Happening, Callable[[Rollout, datetime], Rollout]] = {
    Event.STARTED: _started,
    Event.STAGED: _staged,
    Event.IN_FORCE: _in_force,
    Event.READY: _ready,
    Event.PASSED: _passed,
    Event.FINISHED: _finished,
    Event.OVER: _ended(Outcome.SUCCEEDED),
    Event.RETURNED: _ended(Outcome.UNDONE),
    Event.FELL_BACK: _fell_back,
    Event.LACKING: _lacking,
    Event.RELEASED: _resumed,
    Event.HEALED: _resumed,
    Event.TAKEN_OVER: _ended(Outcome.SUPERSEDED),
    Word.RESUME: _resumed,
    Word.RETRY: _retried,
}
