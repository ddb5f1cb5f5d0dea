"""What a rollout waits for before it goes on, in words: empty when nothing is missing any more. It decides, and is shown."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.gates.consequence import Consequence
from reconciler.core.gates.verdict import Reason
from reconciler.core.gates.words import length
from reconciler.core.rollouts.armed import APPROVAL
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Pace, Seen

#: Reasons for which a gate sees nothing, as against seeing too little: a watch does not count such time.
_BLIND = frozenset({Reason.NO_DATA, Reason.STALE, Reason.PROVIDER_ERROR})


class For(StrEnum):
    """What is waited for."""

    PLACE = "place"
    FORCE = "force"
    OWNER = "owner"
    TIME = "time"
    HEALTH = "health"
    GATE = "gate"
    ANSWER = "answer"
    APPROVAL = "approval"
    HOURS = "hours"
    CAPACITY = "capacity"
    PODS = "pods"
    START = "start"
    GROUP = "group"
    WAY = "way"
    OTHER = "other"


#: When to ask istiod again.
_SOON = timedelta(seconds=1)

#: Gates that wait for a person, for the hour or for time to pass are no gates that cannot say.
_KINDS = {Reason.APPROVAL: For.APPROVAL, Reason.CLOSED: For.HOURS, Reason.SOAKING: For.TIME}

#: What should not last. Gates know their own deadlines; for the others a person is called once patience is out.
_LATE = frozenset({For.FORCE, For.OWNER, For.HEALTH, For.ANSWER})
#: Beside these a lack of capacity is what keeps a rollout. Whatever else it waits for, it would not go on with capacity either.
_LACKING = frozenset({For.CAPACITY, For.GROUP})


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that is missing. `left` is how much longer it takes at least where time alone decides, or no event tells."""

    what: For
    text: str
    left: timedelta | None = None


def late(missing: Iterable[Wait]) -> list[Wait]:
    """Return those of which a person is told once patience is out, lest they last for ever.

    The others of a group have a patience of their own, and Pods that nobody has started yet come when somebody wants them.
    """
    found = list(missing)
    lacks = {one.what for one in found} <= _LACKING
    return [one for one in found if one.what in _LATE or (lacks and one.what is For.CAPACITY)]


def is_in_force(rollout: Rollout, seen: Seen, pace: Pace) -> bool:
    """Tell whether the current stage has reached the mesh."""
    settled = rollout.time.settled
    if not seen.written or settled is None:
        return False
    return settled >= pace.settle if seen.in_force is None else seen.in_force


def needed(rollout: Rollout) -> timedelta:
    """Return how long the current step, or the watch after the last one, must have been in force and well."""
    if rollout.phase is Phase.WATCHING:
        return rollout.policy.watch if rollout.is_watched else timedelta(0)
    return max(rollout.current.hold, rollout.current.cover)


def waits(rollout: Rollout, seen: Seen, pace: Pace) -> tuple[Wait, ...]:
    """Return all that is missing, given where the rollout is; nothing for one that time and gates do not move."""
    match rollout.phase:
        case Phase.WAITING:
            return tuple(_to_begin(seen))
        case Phase.APPLYING:
            return tuple(_force(rollout, seen, pace))
        case Phase.SOAKING:
            return tuple(_to_pass(rollout, seen, pace))
        case Phase.WATCHING:
            return tuple(_to_end(rollout, seen, pace))
        case Phase.UNDOING:
            return tuple(_on_the_way_back(rollout, seen, pace))
        case _:
            return ()


def stored(rollout: Rollout) -> tuple[Wait, ...]:
    """Return what is missing as far as the rollout itself tells: time, a person, and what the last look at the stores found."""
    seen = [Wait(For.OTHER, text) for text in (rollout.figures.waits if rollout.figures else ())]
    match rollout.phase:
        case Phase.SOAKING:
            return (*_time(rollout), *_approval(rollout), *seen)
        case Phase.WATCHING:
            return (*_time(rollout), *seen)
        case Phase.IDLE:
            return ()
        case _:
            return tuple(seen)


def since(rollout: Rollout, now: datetime) -> datetime:
    """Return since when gates have been late, for `gates.consequence`: time that nobody saw makes no gate late."""
    return now - rollout.time.waited


def next_look(rollout: Rollout, seen: Seen, pace: Pace, now: datetime) -> datetime | None:
    """Return when to look again at the latest, so that no time goes by unobserved; None where nothing depends on time."""
    if rollout.phase in (Phase.HALTED, Phase.IDLE):
        return None
    lefts = [one.left for one in waits(rollout, seen, pace) if one.left is not None]
    return now + min([*lefts, pace.gap / 2])


def blind(seen: Seen) -> tuple[str, ...]:
    """Return the gates that see nothing: what a watch is there for, it does not do then."""
    given = {name: one for name, one in seen.gates.items() if one and one.consequence is not Consequence.GO}
    return tuple(name for name, one in given.items() if one.verdict.reason in _BLIND)


def is_through(rollout: Rollout) -> bool:
    """Tell whether all of a rollout has passed, its watch too: what the others of its group wait for at the end."""
    if rollout.phase is Phase.WATCHING and rollout.is_watched:
        return rollout.time.held >= rollout.policy.watch
    gives_the_rest = rollout.step > rollout.on.watched and not rollout.goes_back
    return rollout.outcome is Outcome.SUCCEEDED or gives_the_rest


def _to_begin(seen: Seen) -> Iterator[Wait]:
    if not seen.place:
        yield Wait(For.PLACE, "as many units as may roll at once do so")
    if seen.outage:
        yield Wait(For.OTHER, seen.outage)
    yield from _capacity(seen)


def _to_pass(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Wait]:
    yield from _steady(rollout, seen, pace)
    yield from _overrun(rollout, seen)
    asks = tuple(_approval(rollout))
    yield from _gates(rollout, seen, without=APPROVAL.name if asks else "")
    yield from asks
    if not (rollout.is_last_step or rollout.is_watched):
        yield from _capacity(seen)
        behind = [one for one in seen.group if _is_behind(one, rollout.way.asked(rollout.step))]
        yield from (Wait(For.GROUP, f"{one.unit} of the same group has not passed this step{_why(one)}") for one in behind)


def _to_end(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Wait]:
    yield from _steady(rollout, seen, pace)
    yield from (Wait(For.GATE, f"{name}: {seen.gates[name]}") for name in blind(seen))
    if not rollout.is_last_step:
        yield from _capacity(seen)
    behind = [one for one in seen.group if one.phase is not Phase.IDLE and not is_through(one)]
    yield from (Wait(For.GROUP, f"{one.unit} of the same group is not through yet{_why(one)}") for one in behind)


def _on_the_way_back(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Wait]:
    if rollout.replan:
        yield Wait(For.WAY, "the way back is being planned")
    else:
        yield from _force(rollout, seen, pace)
        if rollout.is_last_stage:
            yield from _time(rollout)
    goes_on = rollout.replan or (rollout.is_last_stage and not rollout.is_last_step)
    if goes_on and not rollout.at_once:
        yield from _capacity(seen)


def _steady(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Wait]:
    yield from _force(rollout, seen, pace)
    if seen.unhealthy:
        yield Wait(For.HEALTH, seen.unhealthy)
    if seen.unstarted:
        yield Wait(For.START, seen.unstarted)
    yield from _time(rollout)


def _force(rollout: Rollout, seen: Seen, pace: Pace) -> Iterator[Wait]:
    if is_in_force(rollout, seen, pace):
        return
    settled = rollout.time.settled
    if seen.yields and not seen.blocked:
        yield Wait(For.OWNER, seen.yields)
    elif settled is None:
        # A write shows by itself; that there was nothing to write, nobody tells but the next look.
        yield Wait(For.FORCE, seen.blocked or "not all of it is written yet", None if seen.blocked else pace.settle)
    elif seen.in_force is None:
        left = pace.settle - settled
        yield Wait(For.TIME, f"the proxies have not all got it yet: {length(left)} more", left)
    else:
        # Nobody tells when istiod has got it but the next look.
        yield Wait(For.FORCE, "the proxies have not all got it yet: istiod has other endpoints", _SOON)


def _time(rollout: Rollout) -> Iterator[Wait]:
    left = needed(rollout) - rollout.time.held
    if left > timedelta(0):
        yield Wait(For.TIME, f"{length(left)} more of {length(needed(rollout))}", left)


def _approval(rollout: Rollout) -> Iterator[Wait]:
    if rollout.current.approval and not rollout.approvals:
        yield Wait(For.APPROVAL, f"a person must approve what comes next (plan {rollout.plan})")


def _gates(rollout: Rollout, seen: Seen, *, without: str) -> Iterator[Wait]:
    """All that are given must pass, and all that the step names must be given: silence never passes.

    `without` names the one that is told otherwise.
    """
    for name in sorted({*rollout.current.gates, *seen.gates} - {without}):
        judged = seen.gates.get(name)
        if judged is None:
            yield Wait(For.ANSWER, f"{name} has not been asked yet")
        elif judged.consequence is not Consequence.GO:
            yield Wait(_KINDS.get(judged.verdict.reason, For.GATE), f"{name}: {judged}")


def _overrun(rollout: Rollout, seen: Seen) -> Iterator[Wait]:
    if seen.overrun and seen.overrun.pods > rollout.let:
        yield Wait(For.PODS, f"{seen.overrun} (plan {rollout.plan})")


def _capacity(seen: Seen) -> Iterator[Wait]:
    if seen.capacity:
        yield Wait(For.START if seen.early else For.CAPACITY, seen.capacity)


def _why(other: Rollout) -> str:
    """Say why another rollout of the group does not go on, where that is not just a matter of time."""
    if other.phase is Phase.WAITING:
        return ": its turn has not come"
    return f": it is {other.phase}: {other.reason}" if other.phase in (Phase.PAUSED, Phase.HALTED) else ""


def _is_behind(other: Rollout, asked: int) -> bool:
    """Tell whether another rollout of the group has yet to pass so many steps, or all of its own where it has fewer."""
    if other.phase is Phase.IDLE:
        return False
    return other.way.asked(other.passed) < min(asked, other.way.asked(len(other.way.steps) - 1))
