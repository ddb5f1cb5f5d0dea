"""The state machine of rollouts: `advance(rollout, seen, now) -> (rollout, actions)`, pure.

A look has three parts: what it adds (`looking`), what people said (`words`), and whatever event is `due`, again and again until
none is. Each of them is a line of the `table`; what it does beside the phase, `moves` knows. Progress goes by the stored index
of the step and by what was observed, never by a weight that somebody found in the mesh.
"""

from collections.abc import Iterator
from datetime import datetime

from reconciler.core.rollouts.actions import Action, Answered, Call, Forgive, Moved, PlanBack, Refuse
from reconciler.core.rollouts.due import Due, due
from reconciler.core.rollouts.looking import looked_at
from reconciler.core.rollouts.moves import moved, set_out, turned_back
from reconciler.core.rollouts.rollout import Cause, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Pace, Seen, Word
from reconciler.core.rollouts.table import Event, Happening
from reconciler.core.rollouts.values import Way
from reconciler.core.rollouts.waits import For, waits
from reconciler.core.rollouts.words import carried_out, objection

_PACE = Pace()
#: Pauses that end by themselves, or that somebody has just asked for: nobody has to be called.
_QUIET = frozenset({Cause.NONE, Cause.PERSON, Cause.HOLD, Cause.OUTAGE})
#: After these another stage is the current one, after these it leads back, and after these the gates begin anew.
_ELSEWHERE: frozenset[Happening] = frozenset({Event.STARTED, Event.STAGED, Event.PASSED, Event.FELL_BACK})
_TURNED: frozenset[Happening] = frozenset({Event.SENT_BACK, Word.ABORT, Word.UNDO, Word.RETRY})
_ANEW: frozenset[Happening] = frozenset({Event.IN_FORCE, Event.RELEASED, Event.HEALED, Word.RESUME})


def advance(rollout: Rollout, seen: Seen, now: datetime, pace: Pace = _PACE) -> tuple[Rollout, tuple[Action, ...]]:
    """Return what becomes of a rollout, and what is to be done and kept.

    Both are saved in one transaction before anything is written; the same look at the saved rollout then changes no more than
    its times. A rollout that has ended changes by words alone.
    """
    actions: list[Action] = []
    rollout, seen = looked_at(rollout, seen, now, pace)
    for command in _in_order(seen.commands):
        if why := objection(rollout, command, seen):
            actions.append(Answered(command, done=False, why=why))
            continue
        before, rollout, seen = rollout, carried_out(rollout, command, seen, now), _still(seen, command.word)
        actions += [Answered(command, done=True), *_consequences(before, rollout, command.word)]
    while found := due(rollout, seen, pace):
        before, rollout, seen = rollout, _happened(rollout, found, now), _still(seen, found.event)
        actions += _consequences(before, rollout, found.event)
    if rollout.phase is Phase.UNDOING and rollout.replan and not _lacks_capacity(rollout, seen, pace):
        actions.append(PlanBack(rollout.goal, rollout.at_once))
    return rollout, tuple(actions)


def set_out_on(rollout: Rollout, way: Way | None, now: datetime) -> tuple[Rollout, tuple[Action, ...]]:
    """Answer `PlanBack`: the way that was found, one without steps where everything stands at the goal, None where none is."""
    if way is None:
        found = Due(Event.UNDO_FAILED, "no lawful way leads back from where it stands")
    elif not way.steps:
        found = Due(Event.RETURNED if rollout.goal < 0 else Event.FELL_BACK, "nothing had changed yet")
    else:
        return set_out(rollout, way), ()
    after = _happened(rollout, found, now)
    return after, tuple(_consequences(rollout, after, found.event))


def _in_order(commands: tuple[Command, ...]) -> list[Command]:
    """Return each command once, as they were given."""
    return sorted({one.id: one for one in commands}.values(), key=lambda one: (one.at, one.id))


def _happened(rollout: Rollout, found: Due, now: datetime) -> Rollout:
    if found.event is Event.SENT_BACK:
        rollout = turned_back(rollout, found.goal, at_once=not rollout.policy.gradual)
    return moved(rollout, found.event, found.reason, now)


def _still(seen: Seen, happening: Happening) -> Seen:
    """Return what of a look still counts after a happening."""
    if happening in _ELSEWHERE:
        return seen.elsewhere()
    if happening in _TURNED:
        return seen.turned()
    return seen.unjudged() if happening in _ANEW else seen


def _consequences(before: Rollout, after: Rollout, happening: Happening) -> Iterator[Action]:
    yield Moved(happening, before.phase, after.phase, before.step, after.reason)
    if after.refused and not before.refused:
        yield Refuse(after.reason)
    if before.refused and not after.refused:
        yield Forgive()
    called = after.phase is Phase.HALTED or (after.phase is Phase.PAUSED and after.cause not in _QUIET)
    if happening is Event.LACKING or (called and (before.phase, before.cause) != (after.phase, after.cause)):
        yield Call(after.reason)


def _lacks_capacity(rollout: Rollout, seen: Seen, pace: Pace) -> bool:
    return any(one.what is For.CAPACITY for one in waits(rollout, seen, pace))
