"""What one look at a unit, its gates and its people has found, as far as its rollout is concerned."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from reconciler.core.gates.consequence import Consequence
from reconciler.core.gates.verdict import Verdict
from reconciler.core.resources import EMPTY, Key
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.values import Overrun


class Word(StrEnum):
    """What a person can say to a rollout. UNDO goes back as the policy says, ABORT at once; RETRY is a new attempt."""

    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    RETRY = "retry"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Command:
    """What a person said, once: `id` makes a repetition harmless. `rollout` is the id of the rollout that it is for."""

    id: str
    rollout: str
    word: Word
    by: str
    reason: str
    at: datetime
    role: str = "operator"
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """An operator keeps all hands off a unit until then; `unit` is named as its ServiceEntry: namespace/name."""

    unit: str
    until: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class HandEdit:
    """Somebody changed by hand what a stage had written. `lowers`: fewer requests go where the rollout leads to."""

    key: Key
    path: str
    manager: str
    lowers: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """What a gate answers, and what its policy makes of that (`gates.consequence`)."""

    verdict: Verdict
    consequence: Consequence

    def __str__(self) -> str:
        return str(self.verdict)


@dataclass(frozen=True, slots=True)
class Pace:
    """What the operator decided about time.

    `settle` is how long after its read-back a stage counts as in force where nothing tells exactly. What lies more than `gap`
    between two looks was not observed. Gates have deadlines of their own; what else keeps a rollout from going on and should
    not last, a person is told of after `patience`.
    """

    settle: timedelta = timedelta(seconds=15)
    gap: timedelta = timedelta(minutes=3)
    patience: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """One look.

    Of the current stage: `written` (all its documents are written and read back), `in_force` (what an endpoint dump says, None
    where there is none: then time decides), `failed` (writes that a store refused, as sentences), `blocked` (why its writes
    cannot be made, as a law or a guard says it), `yields` (which of its objects are not written because they belong to somebody
    else, who that is, and what to do), `hand_edits`, and `gates` by name: all that count now (None: not asked yet).

    Sentences, empty where all is well: `unhealthy` (endpoints that receive traffic are ill, or there are none), `unstarted`
    (others have yet to start the first Pods that do), `outage` (one side has lost all its endpoints), `capacity` (why the side
    that would receive traffic next cannot carry it; `early`: it is others who have yet to start the first of its Pods),
    `retreat` (why the old side could not even take back what the first step of an undo gives it), `void` (why what was approved
    is not what would happen now).

    `overrun` is what has come beyond the Pods that weights are armed for, if anything.

    `place`: one more unit may roll. `hold` is the one in force. `group` are the other rollouts of the group that the same
    commit began. `newer` is the commit that wants something else than this rollout, `later` the id of a rollout of the same
    unit that came after it, both empty where there is none. `asked`: Git wants again what it was to lead to, which is refused
    because of it. `population` names the versions of the Pods. `commands` were not handled yet.
    """

    written: bool = False
    in_force: bool | None = None
    failed: tuple[str, ...] = ()
    blocked: str = ""
    yields: str = ""
    hand_edits: tuple[HandEdit, ...] = ()
    gates: Mapping[str, Judged | None] = field(default_factory=lambda: EMPTY)
    unhealthy: str = ""
    unstarted: str = ""
    outage: str = ""
    capacity: str = ""
    early: bool = False
    retreat: str = ""
    void: str = ""
    overrun: Overrun | None = None
    place: bool = True
    hold: Hold | None = None
    group: tuple[Rollout, ...] = ()
    newer: str = ""
    later: str = ""
    asked: bool = False
    population: str = ""
    commands: tuple[Command, ...] = ()

    def elsewhere(self) -> Self:
        """Return what still counts once the rollout has gone on: what was seen of one stage says nothing of another one."""
        return replace(self, written=False, in_force=None, failed=(), blocked="", yields="", hand_edits=(), gates=EMPTY)

    def turned(self) -> Self:
        """Return what still counts once the rollout goes back: who receives traffic next is the old side."""
        return replace(self.elsewhere(), capacity=self.retreat, early=False)

    def unjudged(self) -> Self:
        """Return what still counts once evidence begins anew: the gates are the same, and none of them has been asked."""
        return replace(self, gates=dict.fromkeys(self.gates))
