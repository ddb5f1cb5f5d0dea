"""What leads from one phase of a rollout to the next, as data. When an event is due, `machine` decides.

Laws of the table: every phase but IDLE has a way on; IDLE is left by a person's undo alone; what moves traffic forward
(STARTED, STAGED, PASSED) leads nowhere from PAUSED, HALTED and IDLE.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Word


class Event(StrEnum):
    """What happened to a rollout, beside what a person said (`Word`).

    STARTED: its turn has come. STAGED: a stage is in force, and another one of the same step follows. IN_FORCE: the last stage
    of the step is. READY: all that the step asks for is there, and others of the group are awaited. PASSED: the next step
    begins. FINISHED: the last step has passed, or all but what is held back. OVER: the watch is over.
    RETURNED: everything stands as at the origin; FELL_BACK: as after the last step that had passed.

    HELD, RELEASED: an operator keeps all hands off the unit, and no more. LOST, HEALED: a side has lost its endpoints, and has
    them again. FAILED: a store refused a write; UNDO_FAILED: there is no way back, or a store refused it. EDITED: somebody
    lowered the exposure by hand. SENT_BACK: harm is proven, here or in the group, and the policy goes back; STOPPED: it pauses.
    UNDECIDED: a gate asks for a person or has waited too long, or for too long something keeps a write from being made: its
    owner, a guard, proxies that do not get it, or nobody who could carry the requests. LACKING: the latter on the way back,
    which goes on by itself once somebody can.
    TAKEN_OVER: a newer revision wants something else.
    """

    STARTED = "started"
    STAGED = "staged"
    IN_FORCE = "in force"
    READY = "ready"
    PASSED = "passed"
    FINISHED = "finished"
    OVER = "over"
    RETURNED = "returned"
    FELL_BACK = "fell back"
    HELD = "held"
    RELEASED = "released"
    LOST = "lost"
    HEALED = "healed"
    FAILED = "failed"
    UNDO_FAILED = "undo failed"
    EDITED = "edited"
    SENT_BACK = "sent back"
    STOPPED = "stopped"
    UNDECIDED = "undecided"
    LACKING = "lacking"
    TAKEN_OVER = "taken over"


#: Where a resume, or the end of the cause, leads: the phase that was left, `Rollout.returns_to`.
LEFT = (Phase.WAITING, Phase.APPLYING, Phase.SOAKING, Phase.WATCHING, Phase.UNDOING)

Happening = Event | Word
Target = Phase | tuple[Phase, ...]

_TROUBLE: Mapping[Happening, Target] = {
    Event.HELD: Phase.PAUSED,
    Event.LOST: Phase.PAUSED,
    Event.FAILED: Phase.PAUSED,
    Event.EDITED: Phase.PAUSED,
    Event.STOPPED: Phase.PAUSED,
    Event.SENT_BACK: Phase.UNDOING,
    Event.TAKEN_OVER: Phase.IDLE,
    Word.PAUSE: Phase.PAUSED,
    Word.ABORT: Phase.UNDOING,
    Word.UNDO: Phase.UNDOING,
}

_TABLE: Mapping[Phase, Mapping[Happening, Target]] = {
    Phase.WAITING: {
        Event.STARTED: Phase.APPLYING,
        Event.UNDECIDED: Phase.PAUSED,
        Event.HELD: Phase.PAUSED,
        Event.SENT_BACK: Phase.UNDOING,
        Event.TAKEN_OVER: Phase.IDLE,
        Word.PAUSE: Phase.PAUSED,
        Word.ABORT: Phase.UNDOING,
        Word.UNDO: Phase.UNDOING,
    },
    Phase.APPLYING: {
        Event.STAGED: Phase.APPLYING,
        Event.IN_FORCE: Phase.SOAKING,
        Event.UNDECIDED: Phase.PAUSED,
        Word.APPROVE: Phase.APPLYING,
        **_TROUBLE,
    },
    Phase.SOAKING: {
        Event.READY: Phase.SOAKING,
        Event.PASSED: Phase.APPLYING,
        Event.FINISHED: Phase.WATCHING,
        Event.UNDECIDED: Phase.PAUSED,
        Word.APPROVE: Phase.SOAKING,
        **_TROUBLE,
    },
    Phase.WATCHING: {
        Event.PASSED: Phase.APPLYING,
        Event.OVER: Phase.IDLE,
        Event.UNDECIDED: Phase.PAUSED,
        **_TROUBLE,
    },
    Phase.PAUSED: {
        Event.RELEASED: LEFT,
        Event.HEALED: LEFT,
        Event.FAILED: Phase.PAUSED,
        Event.UNDO_FAILED: Phase.HALTED,
        Event.EDITED: Phase.PAUSED,
        Event.STOPPED: Phase.PAUSED,
        Event.SENT_BACK: Phase.UNDOING,
        Event.TAKEN_OVER: Phase.IDLE,
        Word.APPROVE: Phase.PAUSED,
        Word.PAUSE: Phase.PAUSED,
        Word.RESUME: LEFT,
        Word.ABORT: Phase.UNDOING,
        Word.RETRY: Phase.IDLE,
        Word.UNDO: Phase.UNDOING,
    },
    Phase.UNDOING: {
        Event.STAGED: Phase.UNDOING,
        Event.PASSED: Phase.UNDOING,
        Event.RETURNED: Phase.IDLE,
        Event.FELL_BACK: Phase.PAUSED,
        Event.LACKING: Phase.UNDOING,
        Event.HELD: Phase.PAUSED,
        Event.UNDO_FAILED: Phase.HALTED,
        Word.PAUSE: Phase.PAUSED,
        Word.ABORT: Phase.UNDOING,
    },
    Phase.HALTED: {
        Word.RETRY: Phase.UNDOING,
        Word.RESUME: Phase.IDLE,
    },
    Phase.IDLE: {
        Word.UNDO: Phase.UNDOING,
        Word.RETRY: Phase.IDLE,
    },
}

#: Phase -> what may happen in it -> the phase that it leads to (one of several, where it depends on what was left).
TABLE: Mapping[Phase, Mapping[Happening, Target]] = MappingProxyType(_TABLE)

#: Why a word has no effect in a phase: for every phase, every word that the table has no line for.
WHY_NOT: Mapping[Phase, Mapping[Word, str]] = {
    Phase.WAITING: {
        Word.APPROVE: "its first step has not begun yet",
        Word.RESUME: "it is not paused; it waits for its turn",
        Word.RETRY: "nothing has failed",
    },
    Phase.APPLYING: {
        Word.RESUME: "it is not paused",
        Word.RETRY: "nothing has failed",
    },
    Phase.SOAKING: {
        Word.RESUME: "it is not paused",
        Word.RETRY: "nothing has failed",
    },
    Phase.WATCHING: {
        Word.APPROVE: "all steps have passed",
        Word.RESUME: "it is not paused",
        Word.RETRY: "nothing has failed",
    },
    Phase.PAUSED: {},
    Phase.UNDOING: {
        Word.APPROVE: "it is being undone",
        Word.RESUME: "it is not paused; it is being undone",
        Word.RETRY: "the undo has not failed",
        Word.UNDO: "it is being undone already; abort makes haste",
    },
    Phase.HALTED: {
        Word.APPROVE: "its undo has failed",
        Word.PAUSE: "its undo has failed, nothing moves; retry tries it again",
        Word.ABORT: "its undo has failed; retry tries it again",
        Word.UNDO: "its undo has failed; retry tries it again",
    },
    Phase.IDLE: {
        Word.APPROVE: "it has ended",
        Word.PAUSE: "it has ended",
        Word.RESUME: "it has ended",
        Word.ABORT: "it has ended; undo takes it back",
    },
}


def target(phase: Phase, happening: Happening, returns_to: Phase) -> Phase:
    """Return the phase that a happening leads to. Raises LookupError for one that the table does not have."""
    found = TABLE[phase][happening]
    if isinstance(found, Phase):
        return found
    return found[found.index(returns_to)]
