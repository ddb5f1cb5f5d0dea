"""What a person said to a rollout: carried out, or answered with why not. A word has one effect, however often it is said."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from reconciler.core.gates.verdict import Reason
from reconciler.core.rollouts.moves import moved, turned_back
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Seen, Word
from reconciler.core.rollouts.table import TABLE, WHY_NOT
from reconciler.core.rollouts.values import Approval


def objection(rollout: Rollout, command: Command, seen: Seen) -> str:
    """Return why a command has no effect now, empty where it has one."""
    if command.word not in TABLE[rollout.phase]:
        return WHY_NOT[rollout.phase][command.word]
    return next(_objections(rollout, command, seen), "")


def carried_out(rollout: Rollout, command: Command, seen: Seen, now: datetime) -> Rollout:
    """Return the rollout after a command that nothing speaks against."""
    reason = f"{command.word} by {command.by}" + (f": {command.reason}" if command.reason else "")
    match command.word:
        case Word.ABORT:
            rollout = turned_back(rollout, -1, at_once=True)
        case Word.UNDO:
            rollout = turned_back(rollout, -1, at_once=not rollout.policy.gradual)
        case Word.APPROVE:
            given = Approval(command.by, command.role, command.reason, command.at, command.digest)
            others = tuple(one for one in rollout.approvals if one.by != command.by)
            let = max(rollout.let, seen.overrun.pods if seen.overrun else 0)
            rollout = replace(rollout, approvals=(*others, given), let=let)
    return moved(rollout, command.word, reason, now)


def _objections(rollout: Rollout, command: Command, seen: Seen) -> Iterator[str]:
    match command.word:
        case Word.APPROVE:
            yield from _against_approve(rollout, command, seen)
        case Word.PAUSE:
            if rollout.phase is Phase.PAUSED and rollout.cause not in (Cause.HOLD, Cause.OUTAGE):
                yield f"it is paused already: {rollout.reason}"
        case Word.RESUME:
            yield from _against_resume(rollout, seen)
        case Word.ABORT:
            if rollout.phase is Phase.UNDOING and rollout.at_once and rollout.goal < 0:
                yield "it goes back at once already"
        case Word.RETRY:
            yield from _against_retry(rollout, seen)
        case Word.UNDO:
            yield from _against_undo(rollout, seen)


def _against_approve(rollout: Rollout, command: Command, seen: Seen) -> Iterator[str]:
    if rollout.phase is Phase.PAUSED and rollout.returns_to not in (Phase.APPLYING, Phase.SOAKING):
        yield WHY_NOT[rollout.returns_to][Word.APPROVE]
    if command.digest != rollout.digest:
        yield f"the approval is for the plan {command.digest[:12]}, this is {rollout.digest[:12]}: look at it again"
    asked = any(one and one.verdict.reason is Reason.APPROVAL for one in seen.gates.values())
    asked |= seen.overrun is not None and seen.overrun.pods > rollout.let
    if not rollout.current.approval and not asked:
        yield f"step {rollout.step + 1} asks for no approval"
    if not asked and any(one.by == command.by for one in rollout.approvals):
        yield f"{command.by} has approved step {rollout.step + 1} already"


def _against_resume(rollout: Rollout, seen: Seen) -> Iterator[str]:
    if rollout.phase is Phase.HALTED and not seen.newer:
        yield "its undo has failed; retry tries it again, and Git may say what is to be instead"
    match rollout.cause:
        case Cause.FAILED:
            yield "a write was refused; retry makes a new attempt"
        case Cause.HOLD | Cause.OUTAGE:
            yield f"it goes on by itself once this is over: {rollout.reason}"


def _against_retry(rollout: Rollout, seen: Seen) -> Iterator[str]:
    if rollout.phase is Phase.PAUSED and (rollout.cause is not Cause.FAILED or rollout.goes_back):
        yield "no write was refused; resume lets it go on"
    if rollout.phase is Phase.IDLE and not (seen.asked and rollout.refused):
        if rollout.outcome is not Outcome.UNDONE:
            yield f"it has {_ended(rollout)}"
        elif rollout.successor:
            yield f"{rollout.successor} has taken over"
        elif not rollout.refused:
            yield "a new attempt has been let in already"
        elif seen.newer:
            yield f"commit {seen.newer[:10]} wants something else"


def _against_undo(rollout: Rollout, seen: Seen) -> Iterator[str]:
    if rollout.phase is Phase.PAUSED and rollout.goes_back:
        yield "it is on its way back; resume lets it go on"
    if rollout.phase is Phase.IDLE:
        if rollout.outcome is not Outcome.SUCCEEDED:
            yield f"it has {_ended(rollout)}"
        elif seen.later:
            yield f"rollout {seen.later} of the same unit came after it: undo that one"


def _ended(rollout: Rollout) -> str:
    return "been taken over by another one" if rollout.outcome is Outcome.SUPERSEDED else str(rollout.outcome)
