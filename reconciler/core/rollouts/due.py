"""Which event is due for a rollout, given what was seen of it: the first one in order of weight."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.gates.consequence import Consequence
from reconciler.core.rollouts.policy import OnHarm
from reconciler.core.rollouts.rollout import HANDS_OFF, Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Pace, Seen
from reconciler.core.rollouts.table import Event
from reconciler.core.rollouts.waits import For, Wait, late, waits
from reconciler.core.shares.values import percent

_MOVING = (Phase.APPLYING, Phase.SOAKING, Phase.WATCHING)
#: Pauses that a newer revision ends by taking over: it may be the cure. The others are for a person to end.
_CURABLE = frozenset({Cause.FAILED, Cause.HARM, Cause.UNDECIDED, Cause.OUTAGE})


@dataclass(frozen=True, slots=True)
class Due:
    """An event, why, and for one that goes back, how far: to the step of this index, or to the origin."""

    event: Event
    reason: str
    goal: int = -1


def due(rollout: Rollout, seen: Seen, pace: Pace) -> Due | None:
    """Return the event that comes next, None where nothing is to happen now."""
    return next(_due(rollout, seen, pace), None)


def _due(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Due]:
    match rollout.phase:
        case Phase.WAITING:
            yield from _held(seen)
            yield from _with_the_group(rollout, seen)
            yield from _taken_over(seen)
            missing = waits(rollout, seen, pace)
            yield from _late(rollout, missing, pace)
            if not missing:
                yield Due(Event.STARTED, "its turn has come")
        case Phase.APPLYING | Phase.SOAKING | Phase.WATCHING:
            yield from _held(seen)
            yield from _trouble(rollout, seen)
            yield from _progress(rollout, seen, pace)
        case Phase.PAUSED:
            yield from _paused(rollout, seen)
        case Phase.UNDOING:
            yield from _held(seen)
            yield from _undoing(rollout, seen, pace)
        case Phase.HALTED | Phase.IDLE:
            return


def _held(seen: Seen) -> Iterator[Due]:
    if seen.hold:
        yield Due(Event.HELD, f"held by {seen.hold.by} until {seen.hold.until:%Y-%m-%d %H:%M} UTC: {seen.hold.reason}")


def _trouble(rollout: Rollout, seen: Seen) -> Iterator[Due]:
    """What may befall a rollout wherever it is on its way: a hand at work first, then harm, which outweighs what is broken."""
    yield from _edited(rollout, seen)
    yield from _harm(rollout, seen)
    yield from (Due(Event.FAILED, one) for one in seen.failed)
    if seen.outage:
        yield Due(Event.LOST, seen.outage)


def _edited(rollout: Rollout, seen: Seen) -> Iterator[Due]:
    if rollout.overrules:
        return
    for edit in seen.hand_edits:
        if edit.lowers:
            yield Due(Event.EDITED, f"{edit.manager} lowered the exposure by hand: {edit.path} of {edit.key}")


def _harm(rollout: Rollout, seen: Seen) -> Iterator[Due]:
    for name, judged in seen.gates.items():
        if judged and judged.consequence is Consequence.HARM:
            yield _harmed(rollout, f"{name}: {judged}")
    yield from _with_the_group(rollout, seen)


def _harmed(rollout: Rollout, reason: str) -> Due:
    match rollout.policy.on_harm:
        case OnHarm.UNDO:
            return Due(Event.SENT_BACK, reason)
        case OnHarm.BACK:
            return Due(Event.SENT_BACK, reason, rollout.step - 1)
        case OnHarm.PAUSE:
            return Due(Event.STOPPED, reason)


def _with_the_group(rollout: Rollout, seen: Seen) -> Iterator[Due]:
    """Whoever goes back to its origin, or has done so since this rollout began, takes its group along."""
    for other in seen.group:
        ended = other.outcome is Outcome.UNDONE and other.ended is not None and other.ended >= rollout.began
        if ended or (other.goes_back and other.goal < 0):
            yield Due(Event.SENT_BACK, f"{other.unit} of the same group goes back: {other.reason}")


def _taken_over(seen: Seen) -> Iterator[Due]:
    if seen.newer:
        yield Due(Event.TAKEN_OVER, f"commit {seen.newer[:10]} wants something else")


def _progress(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Due]:
    # No step stays half done for a newer revision, unless it cannot be done at all.
    if rollout.phase is not Phase.APPLYING or seen.blocked or seen.yields:
        yield from _taken_over(seen)
    missing = waits(rollout, seen, pace)
    if rollout.phase in (Phase.SOAKING, Phase.WATCHING):
        yield from _undecided(seen)
    yield from _late(rollout, missing, pace)
    if rollout.phase is Phase.SOAKING and rollout.passed < rollout.step and {one.what for one in missing} == {For.GROUP}:
        yield Due(Event.READY, _passes(seen))
    if not missing:
        yield _onwards(rollout, seen)


def _late(rollout: Rollout, missing: Iterable[Wait], pace: Pace) -> Iterator[Due]:
    texts = [one.text for one in late(missing)]
    if texts and rollout.time.waited > pace.patience:
        yield Due(Event.UNDECIDED, f"waited for {rollout.time.waited}: {'; '.join(texts)}")


def _onwards(rollout: Rollout, seen: Seen) -> Due:
    """Return the event of a rollout from which nothing is missing any more."""
    match rollout.phase:
        case Phase.APPLYING if rollout.is_last_stage:
            return Due(Event.IN_FORCE, "the step is in force")
        case Phase.APPLYING:
            return Due(Event.STAGED, f"stage {rollout.current.stages[rollout.stage]} is in force")
        case Phase.SOAKING if rollout.is_last_step or rollout.is_watched:
            return Due(Event.FINISHED, _passes(seen))
        case Phase.SOAKING:
            return Due(Event.PASSED, _passes(seen))
        case Phase.WATCHING if not rollout.is_last_step:
            return Due(Event.PASSED, "the watch is over: what was held back is given")
        case _:
            return Due(Event.OVER, "all of it has passed")


def _undecided(seen: Seen) -> Iterator[Due]:
    for name, judged in seen.gates.items():
        if judged and judged.consequence is Consequence.PAUSE:
            yield Due(Event.UNDECIDED, f"{name}: {judged}")


def _passes(seen: Seen) -> str:
    """The record of a step's gates: what each of them said."""
    return "; ".join(f"{name}: {judged}" for name, judged in seen.gates.items()) or "it asks for no gate"


def _paused(rollout: Rollout, seen: Seen) -> Iterator[Due]:
    if rollout.cause is Cause.HOLD and not seen.hold:
        yield Due(Event.RELEASED, "the hold is over")
    if rollout.cause in HANDS_OFF - {Cause.FAILED}:
        return
    if rollout.goes_back:
        yield from (Due(Event.UNDO_FAILED, one) for one in seen.failed)
        return
    if rollout.cause is not Cause.FAILED:
        yield from _edited(rollout, seen)
    yield from _harm_in_a_pause(rollout, seen)
    if rollout.cause is not Cause.FAILED:
        yield from (Due(Event.FAILED, one) for one in seen.failed)
    if rollout.cause is Cause.OUTAGE and not seen.outage:
        yield Due(Event.HEALED, "the endpoints are back")
    if rollout.cause in _CURABLE:
        yield from _taken_over(seen)


def _harm_in_a_pause(rollout: Rollout, seen: Seen) -> Iterator[Due]:
    """Gates stay armed while a person is awaited; a pause for harm knows of it, and one for a refused write stays one."""
    if rollout.cause is Cause.HARM:
        return _with_the_group(rollout, seen)
    found = _harm(rollout, seen)
    return (one for one in found if one.event is not Event.STOPPED) if rollout.cause is Cause.FAILED else found


def _undoing(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Due]:
    if rollout.started is None:
        yield Due(Event.RETURNED, "nothing of it had begun")
    yield from (Due(Event.UNDO_FAILED, one) for one in seen.failed)
    missing = waits(rollout, seen, pace)
    texts = "; ".join(one.text for one in missing if one.what is not For.WAY)
    if texts and rollout.time.waited > pace.patience:
        if any(one.what is For.CAPACITY for one in missing):
            # Whoever brings it about must not have to say so here, too: at night an undo cannot wait for that.
            yield Due(Event.LACKING, f"more than {pace.patience} without what it needs; it goes on once that is there: {texts}")
        else:
            yield Due(Event.UNDO_FAILED, f"waited for {rollout.time.waited}: {texts}")
    if missing:
        return
    if not rollout.is_last_stage:
        yield Due(Event.STAGED, "the stage is in force")
    elif not rollout.is_last_step:
        yield Due(Event.PASSED, "the step is in force")
    elif rollout.goal < 0:
        yield Due(Event.RETURNED, _restored(rollout))
    else:
        yield Due(Event.FELL_BACK, f"everything stands as after step {rollout.goal + 1}")


def _restored(rollout: Rollout) -> str:
    """Say what stands again at the end of a way back: all of it, or all but what makes a share that is held from then on."""
    share, figures = rollout.on.splits[1], rollout.figures
    if share is None:
        return "everything stands as before"
    makes = "routes" if rollout.on.by else "weights"
    given = [f"{percent(one.written)} of {one.service}" for one in (figures.shares if figures else ()) if one.written]
    live = f" (live: {', '.join(given)})" if given else ""
    return f"all but {makes} stands as before; {makes} hold the share that the VMs had then, {percent(share)}{live}"
