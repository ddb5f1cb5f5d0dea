"""The report of one run: the one value that terminal, JSON, Markdown, HTML, history and notifications render."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.core.changes import Action, Cause, ObjectDiff, State
from reconciler.core.plans import Guard, Mode, Plan
from reconciler.core.resources import Key, Revision, Skipped
from reconciler.errors import Problem, Severity

if TYPE_CHECKING:
    from reconciler.core.groups.members import Member
    from reconciler.core.rollouts.outlook import Outlook


class Verdict(StrEnum):
    """How a run ended. VALID is the good end of `check`, which compares with nothing."""

    VALID = "valid"
    IN_SYNC = "in-sync"
    APPLIED = "applied"
    CHANGES = "changes"
    REFUSED = "refused"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"

    @property
    def exit_code(self) -> int:
        """0 nothing to do or all done, 1 error, 2 changes are due, 3 refused by a guard."""
        match self:
            case Verdict.VALID | Verdict.IN_SYNC | Verdict.APPLIED:
                return 0
            case Verdict.CHANGES:
                return 2
            case Verdict.REFUSED:
                return 3
            case Verdict.INVALID | Verdict.UNAVAILABLE | Verdict.FAILED:
                return 1


class Written(StrEnum):
    """What became of one write."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_STARTED = "not-started"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """One write of the plan and what became of it; `message` says why where it was not done."""

    unit: str
    key: Key
    action: Action
    cause: Cause
    written: Written
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run saw, decided and did.

    `target` is the target's name, for `check` the folder. `revision` is the commit that Git names, `in_force` the accepted one
    that is enforced (an older one while Git's newest is invalid). `files` and `objects` count what was read and compared;
    `differences` holds only objects that were not in sync. `reason` says what ended the run before its end, `notes` are
    sentences about the run as a whole (where the CRDs came from, what was read back). `rollouts` are those that say what is
    wanted now, `members` the VMs that joined groups and have, or may get, a WorkloadEntry that is not in Git.
    """

    command: str
    target: str
    mode: Mode
    started: datetime
    ended: datetime
    verdict: Verdict
    revision: Revision | None = None
    in_force: Revision | None = None
    files: int = 0
    objects: int = 0
    differences: tuple[ObjectDiff, ...] = ()
    plan: Plan | None = None
    results: tuple[WriteResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
    rollouts: "tuple[Outlook, ...]" = ()
    members: "tuple[Member, ...]" = ()

    @property
    def guards(self) -> tuple[Guard, ...]:
        """All guards of all units."""
        return tuple(guard for unit in self.plan.units for guard in unit.guards) if self.plan else ()

    @property
    def rolls(self) -> bool:
        """Whether any rollout goes on by itself."""
        return any(one.moves for one in self.rollouts)

    def count(self, state: State) -> int:
        """Return how many objects are in a state now, after the writes of this run."""
        left = self.left
        return self.objects - len(left) if state is State.IN_SYNC else sum(one.state is state for one in left)

    def written(self, outcome: Written) -> int:
        """Return how many writes ended so."""
        return sum(one.written is outcome for one in self.results)

    @property
    def left(self) -> list[ObjectDiff]:
        """The objects that are not in sync yet: something of them was not written, or nobody tried."""
        done = {one.key for one in self.results if one.written is Written.DONE and one.action is not Action.CONDITION}
        undone = {one.key for one in self.results if one.written is not Written.DONE}
        undone |= {change.key for unit in self.plan.units for change in unit.held} if self.plan else set()
        return [one for one in self.differences if one.key not in done or one.key in undone]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return self._problems(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return self._problems(Severity.WARNING)

    def _problems(self, severity: Severity) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is severity)
