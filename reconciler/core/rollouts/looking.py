"""What a look adds to a rollout before anything is decided: time that was really observed, and evidence that no more counts."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.seen import Pace, Seen
from reconciler.core.rollouts.waits import For, blind, is_in_force, late, needed, waits

_NONE = timedelta(0)
_JUDGED = (Phase.SOAKING, Phase.WATCHING)
_HELD = (*_JUDGED, Phase.UNDOING)
_TIMED = (*_HELD, Phase.WAITING, Phase.APPLYING)


def looked_at(rollout: Rollout, seen: Seen, now: datetime, pace: Pace) -> tuple[Rollout, Seen]:
    """Return the rollout after a look, and what of the look still counts. What has ended, no look changes."""
    if rollout.phase in (Phase.HALTED, Phase.IDLE):
        return rollout, seen
    if seen.void and rollout.approvals:
        rollout = replace(rollout, approvals=(), reason=f"what was approved does not count any more: {seen.void}")
    if seen.population and seen.population != rollout.population:
        if rollout.population and rollout.phase in (*_JUDGED, Phase.PAUSED):
            reason = "Pods of another version have come: hold and evidence begin anew"
            rollout, seen = replace(fresh(rollout, now), reason=reason), seen.unjudged()
        rollout = replace(rollout, population=seen.population)
    if seen.written and rollout.overrules:
        rollout = replace(rollout, overrules=False)
    return (_timed(rollout, seen, now, pace) if rollout.phase in _TIMED else rollout), seen


def fresh(rollout: Rollout, now: datetime) -> Rollout:
    """Return the rollout with nothing known of its current step: hold and evidence begin now."""
    in_force = rollout.in_force and now
    return replace(rollout, in_force=in_force, gate_state={}, time=rollout.time.anew())


def _timed(rollout: Rollout, seen: Seen, now: datetime, pace: Pace) -> Rollout:
    watch, before = rollout.time, rollout.time.settled
    passed, lost = watch.since(now, pace.gap), watch.lost(now, pace.gap)
    watch = replace(watch.settling(passed, written=seen.written), looked=now)
    if rollout.phase in _JUDGED and lost and lost >= needed(rollout):
        reason = f"nobody looked for {lost}, longer than the hold: it begins anew"
        rollout, watch = replace(rollout, reason=reason), watch.anew()
    rollout = replace(rollout, time=watch)
    is_blind = rollout.phase is Phase.WATCHING and bool(blind(seen))
    # Before what this look adds to the hold: while that ran, no gate was late.
    waited = watch.waited + passed if _is_kept(rollout, seen, pace) else _NONE
    if (
        rollout.phase in _HELD
        and before is not None
        and not (seen.unhealthy or seen.unstarted)
        and is_in_force(rollout, seen, pace)
        and not is_blind
    ):
        counted = passed if seen.in_force else min(passed, (watch.settled or _NONE) - pace.settle)
        watch = replace(watch, held=watch.held + counted)
    return replace(rollout, time=replace(watch, waited=waited))


def _is_kept(rollout: Rollout, seen: Seen, pace: Pace) -> bool:
    """Tell whether the rollout is kept from going on by something that should not last."""
    missing = waits(rollout, seen, pace)
    kinds = {one.what for one in missing}
    if rollout.phase is Phase.UNDOING:
        return bool(kinds - {For.TIME, For.WAY})
    asks = For.GATE in kinds and not (kinds & {For.TIME, For.START} and rollout.phase is Phase.SOAKING)
    return asks or bool(late(missing))
