"""Sentences and rows that several renderers share, so that all of them say the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from reconciler.core.changes import Action, State
from reconciler.core.plans import Guard, Split, UnitPlan
from reconciler.core.report import Report, Verdict, Written
from reconciler.errors import Problem, Severity
from reconciler.reports import safe

if TYPE_CHECKING:
    from reconciler.core.groups.members import Member

#: The symbol of each state that is shown.
SYMBOLS = {
    State.CREATE: "+",
    State.UPDATE: "~",
    State.DELETE: "-",
    State.ADOPT: "@",
    State.NOT_ADOPTED: "?",
    State.FOREIGN_TOOL: "!",
    State.CO_OWNED: "!",
    State.FIGHT: "!",
    State.LEFT: "!",
    State.TERMINATING: "…",
    State.UNREADABLE: "?",
    State.WAITING: "…",
}
#: Heads of the four columns of a field, in the order of `layout.cells`.
COLUMNS = ("Git", "last written", "cluster", "registry")

_CHANGING = (State.CREATE, State.UPDATE, State.DELETE, State.ADOPT)


def counted(number: int, word: str) -> str:
    """Return a number with its word: ``1 error``, ``2 errors``."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def moment(at: datetime | None) -> str:
    """Return a time in UTC to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ") if at else "-"


def seconds(report: Report) -> str:
    """Return how long the run took."""
    return f"{(report.ended - report.started).total_seconds():.1f} s"


def headline(report: Report) -> str:
    """Return the sentence that says how the run ended."""
    done = report.written(Written.DONE)
    part = f"Applied in part: {counted(done, 'write')} done. " if done else ""
    match report.verdict:
        case Verdict.VALID:
            return f"Valid: {scope(report)}."
        case Verdict.IN_SYNC:
            return (
                _no_drift(report) or f"In sync: cluster and registry hold what Git says ({counted(report.objects, 'object')})."
            )
        case Verdict.APPLIED:
            return f"Applied: {counted(done, 'write')} done; cluster and registry hold what Git says."
        case Verdict.CHANGES:
            return _under_way(report) or f"{part}Changes are due: {tally(report)}."
        case Verdict.REFUSED:
            return f"{part}{_stopped(report) or f'Refused: {refusal(report)}.'}"
        case Verdict.INVALID:
            if report.command == "check":
                return f"Invalid: {scope(report)}."
            where = " in Git" if any(problem.place for problem in report.errors) else ""
            return f"Invalid: {counted(len(report.errors), 'error')}{where}; {_unchanged(report)}."
        case Verdict.UNAVAILABLE:
            return f"Cannot observe: {_reason(report)}; {_unchanged(report)}, and what could not be read counts as unknown."
        case Verdict.FAILED:
            return f"Failed: {failure(report)}."


def _no_drift(report: Report) -> str:
    """Say what is in sync where rollouts still hold objects back from what Git says."""
    if not report.rollouts:
        return ""
    rolling = counted(len(report.rollouts), "rollout")
    return f"No drift: cluster and registry hold what is wanted now; {rolling} not at what Git says yet."


def _under_way(report: Report) -> str:
    """Say that nothing is due but the next steps of rollouts, where that is so."""
    if not report.rollouts or (any(one.changes for one in report.differences) and not report.results):
        return ""
    done = report.written(Written.DONE)
    told = f"{counted(done, 'write')} done. " if done else ""
    return f"{told}Rolling out: {counted(len(report.rollouts), 'unit')} on the way to what Git says."


def _stopped(report: Report) -> str:
    """Say which rollouts wait for a person."""
    found = [one for one in report.rollouts if not one.moves]
    stopped = [safe.clean(f"{one.unit} is {one.outcome or one.phase}: {one.reason}") for one in found]
    if not stopped or report.reason or report.guards:
        return ""
    more = f" (and {len(stopped) - 1} more)" if len(stopped) > 1 else ""
    return f"A person must decide: {stopped[0]}{more}."


def scope(report: Report) -> str:
    """Return what a check looked at and found, in numbers."""
    skipped = sum(one.count for one in report.skipped)
    parts = [
        counted(report.files, "file"),
        counted(report.objects, "object"),
        *([f"{skipped:,} skipped by kind"] if skipped else []),
        *([counted(len(report.errors), "error")] if report.errors else []),
        counted(len(report.warnings), "warning"),
        seconds(report),
    ]
    return ", ".join(parts)


def refusal(report: Report) -> str:
    """Return why there was no way to begin, else how many guards hold what."""
    if report.reason:
        return f"{_reason(report)}; {_unchanged(report)}"
    held = sum(len(unit.held) for unit in report.plan.units) if report.plan else 0
    return f"{counted(len(report.guards), 'guard')}, {counted(held, 'write')} held back ({tally(report)})"


def failure(report: Report) -> str:
    """Return why there was no way to begin, else how many writes came to nothing."""
    if not report.results:
        return f"{_reason(report)}; {_unchanged(report)}"
    done = report.written(Written.DONE)
    return f"{counted(done, 'write')} done, {len(report.results) - done} not"


def tally(report: Report) -> str:
    """Return the counts in a line, Terraform's way."""
    changing = [f"{count:,} to {state}" for state in _CHANGING if (count := report.count(state))]
    rest = [state for state in State if state not in (State.IN_SYNC, *_CHANGING)]
    others = [f"{count:,} {state}" for state in rest if (count := report.count(state))]
    health = [f"{counted(left, 'VM')} in or out of load balancing"] if (left := _conditions(report)) else []
    return ", ".join([*changing, *others, *health, f"{max(report.count(State.IN_SYNC), 0):,} in sync"])


def _conditions(report: Report) -> int:
    """Return how many VMs are to get another condition: to be written, or held back."""
    written = {one.key for one in report.results if one.action is Action.CONDITION and one.written is Written.DONE}
    units = report.plan.units if report.plan else ()
    due = (change for unit in units for change in (*unit.held, *(one for step in unit.steps for one in step.changes)))
    return len({one.key for one in due if one.action is Action.CONDITION} - written)


def percent(share: Fraction) -> str:
    """Return a share (0 to 1) as a percentage with one digit."""
    return f"{float(share) * 100:.1f} %"


def split(one: Split | None) -> str:
    """Return a predicted split in a line: ``vm 75.0 % (3), pod 25.0 % (1)``, with the numbers of endpoints."""
    if one is None:
        return "no such service"
    if not one.endpoints:
        return "no healthy endpoint"
    platforms = sorted({endpoint.platform for endpoint in one.endpoints}, reverse=True)
    return ", ".join(
        f"{platform} {percent(one.share(platform))} ({sum(endpoint.platform == platform for endpoint in one.endpoints)})"
        for platform in platforms
    )


@dataclass(frozen=True, slots=True)
class Traffic:
    """One service port: where its requests go before and after."""

    service: str
    before: Split | None
    after: Split | None

    @property
    def moves(self) -> bool:
        """Whether any address gets another share, or the service comes or goes."""
        return (self.before is None) != (self.after is None) or self._shares(self.before) != self._shares(self.after)

    @property
    def notes(self) -> tuple[str, ...]:
        """What weakens the prediction, for a service that goes that of its last state."""
        told = self.after or self.before
        return told.notes if told else ()

    @staticmethod
    def _shares(one: Split | None) -> dict[str, Fraction]:
        """By address: an endpoint under a new name is where it was."""
        shares: dict[str, Fraction] = {}
        for endpoint in one.endpoints if one else ():
            where = endpoint.address or endpoint.name
            shares[where] = shares.get(where, Fraction(0)) + endpoint.share
        return shares


def member(one: "Member") -> str:
    """Return a VM that joined a group in a line: who, of which group since when, where it stands and why."""
    why = f": {one.why}" if one.why else ""
    return safe.clean(f"{one.key.namespace}/{one.key.name} from group {one.group}, joined at {one.at}, {one.standing}{why}")


def after(port: Traffic) -> str:
    """Return where requests go after the writes, also where only addresses or shares within a platform are others."""
    before, now = split(port.before), split(port.after)
    return f"{now} at other addresses or weights" if port.moves and now == before else now


def traffic(unit: UnitPlan) -> tuple[Traffic, ...]:
    """Return the service ports of a unit in the order of their names."""
    before = {(one.service, one.port): one for one in unit.before}
    after = {(one.service, one.port): one for one in unit.after}
    return tuple(
        Traffic(safe.clean(f"{service}:{port}"), before.get((service, port)), after.get((service, port)))
        for service, port in sorted(before.keys() | after.keys())
    )


def caveats(units: Iterable[UnitPlan]) -> tuple[str, ...]:
    """Return what weakens the predictions for services whose traffic moves, each once."""
    notes = (note for unit in units for port in traffic(unit) if port.moves for note in port.notes)
    return tuple(dict.fromkeys(map(safe.clean, notes)))


def goes_on(guard: Guard, now: datetime | None = None) -> str:
    """Return when (as seen from `now`, too) or how what a guard holds goes on, as the end of a sentence."""
    ways = []
    if guard.until:
        from_now = f" ({_from_now(guard.until - now)})" if now else ""
        ways.append(f"with the first run after {moment(guard.until)}{from_now}")
    if guard.override:
        ways.append(f"with --allow {safe.clean(guard.override)}")
    if guard.retry:
        ways += ["once Git says something else", f"as a new attempt with `reconciler retry {safe.clean(guard.retry)}`"]
    return ", or ".join(ways) or "once its cause is gone"


def _from_now(left: timedelta) -> str:
    minutes = int(left.total_seconds() // 60)
    if minutes < 1:
        return "any moment now"
    return f"in {minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"in {minutes} min"


def about(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what the run was about, as (name, text) pairs."""
    if report.command == "check":
        yield "folder", safe.clean(report.target)
    else:
        if report.revision:
            yield "commit", _commit(report)
        if report.in_force and report.revision and report.in_force.id != report.revision.id:
            yield "in force", safe.clean(f"{report.in_force.short} {report.in_force.subject}")
        yield "target", safe.clean(f"{report.target}, {report.mode}, {moment(report.started)}, {seconds(report)}")
    for note in report.notes:
        yield "note", safe.clean(note)
    for kind in report.skipped:
        what = f"{kind.count} {kind.api_version} {kind.kind} (not managed), first at {kind.place}"
        yield "skipped", safe.clean(what)


def place(problem: Problem) -> str:
    """Return where a problem is: in a file, else at an object."""
    return safe.clean(str(problem.place or problem.object))


def subject(problem: Problem, known: str = "") -> str:
    """Return what a problem is about: object and field, as far as they are there and the object is not `known` already."""
    about = "" if problem.object == known else problem.object
    return safe.clean(" ".join(part for part in (about, problem.field) if part))


def by_weight(problems: Iterable[Problem]) -> list[Problem]:
    """Return errors first, then warnings, then the rest; each in its order."""
    return sorted(problems, key=lambda problem: list(Severity).index(problem.severity))


def _commit(report: Report) -> str:
    revision = report.revision
    if revision is None:
        return "-"
    signed = f", signature {revision.signature}" if revision.signature not in ("unchecked", "good") else ""
    by = f" ({revision.author}{signed})" if revision.author or signed else ""
    return safe.clean(f"{revision.short} {revision.subject}{by}")


def _unchanged(report: Report) -> str:
    return "nothing was changed" if not report.results else f"{counted(report.written(Written.DONE), 'write')} done before"


def _reason(report: Report) -> str:
    return safe.clean(report.reason).rstrip(".")
