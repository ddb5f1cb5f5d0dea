"""What a verdict leads to, by the policy of its gate: go on, stay, pause, or what the rollout does on harm."""

from datetime import datetime
from enum import StrEnum

from reconciler.core.gates.spec import Gate, GateMode, Patience
from reconciler.core.gates.verdict import Answer, Reason, Verdict


class Consequence(StrEnum):
    """GO: nothing stands in the way. STAY: look again. PAUSE: a person is needed. HARM: what the policy says for `onHarm`."""

    GO = "go"
    STAY = "stay"
    PAUSE = "pause"
    HARM = "harm"


#: Waiting for these is no failure of anybody, and has no deadline.
_PATIENT = frozenset({Reason.SOAKING, Reason.APPROVAL, Reason.CLOSED})


def consequence(gate: Gate, verdict: Verdict, since: datetime, now: datetime) -> Consequence:
    """Return what to do; `since` is when the step's hold was over (its deadline begins there).

    Only proven harm undoes. Whatever else is no pass waits, and pauses at the gate's deadline at the latest; but a comparison
    without a stable arm, at full exposure, is over, and the other gates stay armed. A gate in mode ``observe`` never stops
    anything: show `would` beside it.
    """
    return Consequence.GO if gate.mode is GateMode.OBSERVE else would(gate, verdict, since, now)


def would(gate: Gate, verdict: Verdict, since: datetime, now: datetime) -> Consequence:
    """Return the same for a gate as if it were in mode ``act``."""
    if verdict.answer is Answer.FAIL:
        return Consequence.HARM if verdict.reason is Reason.HARM else Consequence.PAUSE
    if verdict.passes or verdict.reason is Reason.NO_STABLE:
        return Consequence.GO
    if verdict.reason in _PATIENT:
        return Consequence.STAY
    late = now - since >= gate.deadline
    return Consequence.PAUSE if late or _patience(gate, verdict.reason) is Patience.PAUSE else Consequence.STAY


def _patience(gate: Gate, reason: Reason) -> Patience:
    match reason:
        case Reason.NO_DATA | Reason.FEW | Reason.STALE:
            return gate.on_no_data
        case Reason.PROVIDER_ERROR:
            return gate.on_error
        case _:
            return gate.on_inconclusive
