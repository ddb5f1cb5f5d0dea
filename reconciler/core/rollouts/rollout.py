"""A rollout as a value: what is stored of it, resumed after a crash, shown, and replayed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.stopwatch import Stopwatch
from reconciler.core.rollouts.values import Approval, Carried, Documents, Figures, RolloutStep, Way


class Phase(StrEnum):
    """Where a rollout is. What leads from one to the next, `table` says.

    WAITING: accepted, nothing has begun. APPLYING: the writes of the current stage. SOAKING: the step is in force; its hold,
    gates and approval are awaited. WATCHING: at 100 %, or less by what is held back; gates stay armed. PAUSED: no
    step begins until a person says so, or the cause ends. UNDOING: on the way back. HALTED: the way back failed; a person is
    needed. IDLE: ended, see the outcome.
    """

    WAITING = "waiting"
    APPLYING = "applying"
    SOAKING = "soaking"
    WATCHING = "watching"
    PAUSED = "paused"
    UNDOING = "undoing"
    HALTED = "halted"
    IDLE = "idle"


class Outcome(StrEnum):
    """How a rollout ended. UNDONE: its origin stands. SUPERSEDED: another one took over from where traffic was."""

    NONE = ""
    SUCCEEDED = "succeeded"
    UNDONE = "undone"
    SUPERSEDED = "superseded"


class Cause(StrEnum):
    """Why a rollout is paused.

    PERSON: somebody said so. FAILED: a store refused a write. EDITED: somebody lowered the exposure by hand. HOLD: an operator
    keeps all hands off the unit. HARM: a gate has proven harm. UNDECIDED: a gate could not say yes or no in time. OUTAGE: one
    side of the service has lost its endpoints. RECOVERED: it was put together again after a loss of the state store. HOLD and
    OUTAGE end by themselves.
    """

    NONE = ""
    PERSON = "person"
    FAILED = "failed"
    EDITED = "edited"
    HOLD = "hold"
    HARM = "harm"
    RECOVERED = "recovered"
    UNDECIDED = "undecided"
    OUTAGE = "outage"


#: Digits of a plan's digest that tell it from others; reports print so many.
DIGITS = 12
#: While a rollout is paused for one of these, nothing at all of its unit is written, not even against drift.
HANDS_OFF = frozenset({Cause.FAILED, Cause.EDITED, Cause.HOLD, Cause.RECOVERED})


@dataclass(frozen=True, slots=True)
class Rollout:
    """A unit's accepted plan being carried out: all that is stored of it, so that it resumes exactly.

    The full documents of the unit's objects stand in `way`, whatever becomes of Git. `origin` is what an undo restores: the
    start of the way, or, where this rollout took over from one that had not ended, the start of that one. `digest` is that of
    the plan, which approvals are bound to; `content` tells what is to be reached from everything else (`refusal`). `base` is
    the commit that was accepted before. `held` means that the VMs' share at the origin was one that was held, not just what
    the weights made of the Pods that were there.

    `step` and `stage` are indices into the way that it is `on`, and a stage stands until the next one begins. `started` is when
    the first step began (None: everything still stands at the start of the way), `in_force` when the current step was first
    seen to be in force (None: not yet), `passed` the index of the last step of which everything passed, -1 for none.
    `approvals` are those of the current step, `gate_state` is what each gate keeps between looks (JSON values), `population`
    the Pod versions that the evidence is about, `loads` who was there when the step began (`balance.loads_of`), `carried` what
    Pods bore at the origin: what an undo may trust them with. `let` is how many Pods a person has let come to armed weights.
    `figures` are those of the last look, for people.

    While PAUSED, `cause` says why and `returns_to` where a resume leads. `reason` says why it is where it is, for people.
    `overrules` means that somebody let it go on over what was changed by hand, until that is written over.

    On the way back, `goal` is the step whose state is to be reached again, -1 for the origin; `at_once` means that it does not
    wait for capacity, `replan` that a way back from where it stands has yet to be found.

    `heard` is the newest entry of the journal of writes that its evidence tells of, or that is older than it.

    `refused` means that what it leads to must not be tried again until it changes, or a person says so. `successor` is what
    took over from it: another rollout's id, or a commit that wants nothing else than what stands. `turn` counts how often it
    was stored, so that nobody stores over what he has not seen.
    """

    id: str
    unit: str
    commit: str
    digest: str
    content: str
    attempt: int
    policy: RolloutPolicy
    origin: Documents
    way: Way
    began: datetime
    base: str = ""
    held: bool = True
    phase: Phase = Phase.WAITING
    entered: datetime | None = None
    reason: str = ""
    step: int = 0
    stage: int = 0
    passed: int = -1
    started: datetime | None = None
    in_force: datetime | None = None
    time: Stopwatch = field(default_factory=Stopwatch)
    approvals: tuple[Approval, ...] = ()
    gate_state: Mapping[str, Any] = field(default_factory=dict)
    population: str = ""
    loads: Mapping[str, int] = field(default_factory=dict)
    carried: tuple[Carried, ...] = ()
    let: int = 0
    figures: Figures | None = None
    cause: Cause = Cause.NONE
    returns_to: Phase = Phase.WAITING
    overrules: bool = False
    back: Way | None = None
    goal: int = -1
    at_once: bool = False
    replan: bool = False
    refused: bool = False
    outcome: Outcome = Outcome.NONE
    ended: datetime | None = None
    successor: str = ""
    heard: int = 0
    turn: int = 0

    @property
    def plan(self) -> str:
        """The digits of its digest by which people name what they approve."""
        return self.digest[:DIGITS]

    @property
    def on(self) -> Way:
        """The way that it is on now: back, while it is undone."""
        return self.back or self.way

    @property
    def current(self) -> RolloutStep:
        return self.on.steps[self.step]

    @property
    def is_last_stage(self) -> bool:
        return self.stage == len(self.current.stages) - 1

    @property
    def is_last_step(self) -> bool:
        return self.step == len(self.on.steps) - 1

    @property
    def is_watched(self) -> bool:
        """Whether the watch comes after the current step."""
        return self.step == self.on.watched

    @property
    def goes_back(self) -> bool:
        """Whether it is on the way back, be it paused or halted there."""
        return self.phase in (Phase.UNDOING, Phase.HALTED) or (self.phase is Phase.PAUSED and self.returns_to is Phase.UNDOING)

    @property
    def stands(self) -> bool:
        """Whether it says what is wanted now: once it has succeeded Git does, and once something took over, that does."""
        return not self.successor and (self.outcome is not Outcome.SUCCEEDED or self.holds)

    @property
    def holds(self) -> bool:
        """Whether it has succeeded and left a split, which is held from then on; all but the weights is as Git says."""
        return self.outcome is Outcome.SUCCEEDED and self.way.splits[1] is not None and not self.successor

    @property
    def tries_again(self) -> bool:
        """Whether it has ended short of what it was to lead to, and nothing speaks against trying that once more."""
        return self.outcome in (Outcome.UNDONE, Outcome.SUPERSEDED) and not self.refused

    @property
    def hands_off(self) -> bool:
        """Whether nothing of its unit may be written: what a store refused is not sent again, no hand at work is disturbed."""
        return self.phase is Phase.HALTED or (self.phase is Phase.PAUSED and self.cause in HANDS_OFF)
