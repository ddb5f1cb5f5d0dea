"""What one cycle has found out, and what it comes to: its verdict and its report."""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.core.changes import Action, ObjectDiff
from reconciler.core.groups.members import Member
from reconciler.core.health.planning import Health
from reconciler.core.plans import Plan
from reconciler.core.report import Report, Verdict, WriteResult, Written
from reconciler.core.resources import DesiredState, Key, ObservedState, Revision
from reconciler.core.rollouts.rollout import Phase
from reconciler.cycle.target import Policy
from reconciler.errors import InvalidInput, Problem, Severity, Unavailable
from reconciler.rollouts.leading import Look


@dataclass(slots=True)
class Sight:
    """What one cycle has found out so far; whatever ends it, the report holds that much. `said` is what Git said."""

    command: str
    started: datetime
    said: Hashable = None
    revision: Revision | None = None
    desired: DesiredState | None = None
    observed: ObservedState | None = None
    inventory: frozenset[Key] = frozenset()
    differences: tuple[ObjectDiff, ...] = ()
    look: Look | None = None
    plan: Plan | None = None
    health: Health = field(default_factory=Health)
    members: tuple[Member, ...] = ()
    membership_due: datetime | None = None
    awaited: tuple[ObjectDiff, ...] = ()
    results: tuple[WriteResult, ...] = ()
    problems: tuple[Problem, ...] = ()
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    stale: bool = False
    fenced: bool = False

    def keep_to(self, accepted: Revision, error: InvalidInput | Unavailable) -> None:
        """Note that an older commit stays in force, and why."""
        if isinstance(error, InvalidInput):
            self.problems = error.problems
            self.notes.append(f"{accepted.short} stays in force")
        else:
            self.stale = True
            self.reason = f"{error}; {accepted.short} stays in force"


def report_of(sight: Sight, verdict: Verdict, policy: Policy, now: datetime) -> Report:
    """Return everything that a cycle found out, as the one value that all renderers show."""
    desired = sight.desired
    report = Report(
        command=sight.command,
        target=policy.target,
        mode=policy.mode,
        started=sight.started,
        ended=now,
        verdict=verdict,
        revision=sight.revision,
        in_force=desired.revision if desired else None,
        objects=len(desired.manifests) + len(desired.machines) + len(sight.awaited) if desired else 0,
        differences=sight.differences,
        plan=sight.plan,
        results=sight.results,
        problems=(*sight.problems, *(desired.warnings if desired else ())),
        skipped=desired.skipped if desired else (),
        reason=sight.reason,
        notes=tuple(sight.notes),
        members=sight.members,
    )
    if sight.look is None:
        return report
    written = {one.key for one in report.results if one.written is Written.DONE and one.action is not Action.CONDITION}
    left = {one.key for one in report.left}
    rollouts = sight.look.outlooks(written, left, predict=sight.command != "serve")
    if sight.command == "diff":
        rollouts = tuple(replace(one, held=sight.look.held(one.id)) for one in rollouts)
    return replace(report, rollouts=rollouts)


def verdict_of(sight: Sight, *, write: bool) -> Verdict:
    """Sum up: what was not done first, since it is tried again, then errors in Git, then who holds the rest."""
    guards = [guard for unit in sight.plan.units for guard in unit.guards] if sight.plan else []
    if any(result.written is not Written.DONE for result in sight.results):
        return Verdict.FAILED
    if any(problem.severity is Severity.ERROR for problem in sight.problems):
        return Verdict.INVALID
    if sight.stale:
        return Verdict.UNAVAILABLE
    if sight.command != "diff" and any(guard.until is None for guard in guards):
        return Verdict.REFUSED
    stands = sight.look.under_way if sight.look and sight.command != "diff" else []
    if any(one.phase in (Phase.PAUSED, Phase.HALTED, Phase.IDLE) for one in stands):
        return Verdict.REFUSED
    if stands:
        return Verdict.CHANGES
    done = {result.key for result in sight.results if result.action is not Action.CONDITION}
    if all(one.key in done for one in sight.differences) and not _ill(sight):
        return Verdict.APPLIED if write and sight.results else Verdict.IN_SYNC
    return Verdict.CHANGES


def _ill(sight: Sight) -> bool:
    """Tell whether conditions are still to be written, or held back."""
    written = {result.key for result in sight.results if result.action is Action.CONDITION}
    due = (change for unit in sight.health.units for step in unit.steps for change in step.changes)
    return any(unit.held for unit in sight.health.units) or any(change.key not in written for change in due)
