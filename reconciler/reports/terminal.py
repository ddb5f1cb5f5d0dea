"""The report drawn for a terminal with rich, and as plain text of the same layout where the output is no terminal.

Read from the bottom up: what to type next, how it ended, what waits, then unit by unit what it is about.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console, RenderableType
from rich.text import Text

from reconciler.core.changes import State
from reconciler.core.plans import UnitPlan
from reconciler.core.report import Report, Verdict, Written
from reconciler.errors import Problem, Severity
from reconciler.reports import layout, safe, words
from reconciler.reports.advice import Advice, advice
from reconciler.reports.shapes import Fields, Hanging

#: What is shown of long lists; whatever waits, failed or is wrong is shown before this bound takes effect.
MAX_UNITS, MAX_GROUPS, MAX_PROBLEMS, MAX_RESULTS = 25, 30, 100, 30
#: Rollouts of which the steps are shown, too.
MAX_ROLLOUTS = 8

_STATE_STYLES = {State.CREATE: "green", State.UPDATE: "yellow", State.DELETE: "red", State.ADOPT: "cyan"}
_SEVERITY_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_VERDICT_STYLES = {
    Verdict.VALID: "bold green",
    Verdict.IN_SYNC: "bold green",
    Verdict.APPLIED: "bold green",
    Verdict.CHANGES: "bold yellow",
    Verdict.REFUSED: "bold yellow",
}
_OUTCOME_STYLES = {Written.DONE: "green", Written.FAILED: "bold red", Written.UNKNOWN: "bold red", Written.NOT_STARTED: "dim"}


def draw(report: Report, console: Console, options: Sequence[str] = (), decisions: Sequence[str] = ()) -> None:
    """Draw a report. `options` and `decisions` are what was typed; advice repeats them."""
    for part in _parts(report, advice(report, options, decisions)):
        # What is no terminal has no width: its lines are as long as they are, for grep and for editors. So are commands.
        unbroken = isinstance(part, Text) and part.no_wrap
        console.print(part, soft_wrap=unbroken or (isinstance(part, Text | Hanging) and not console.is_terminal))


def _parts(report: Report, advised: Sequence[Advice]) -> Iterator[RenderableType]:
    yield from _about(report)
    yield from _problems(report.problems)
    yield from _units(report)
    yield from _members(report)
    yield from _rollouts(report)
    yield from _earlier(report)
    yield from _unfinished(report)
    yield Text()
    yield Text(words.headline(report), style=_VERDICT_STYLES.get(report.verdict, "bold red"))
    yield from _next(report, advised)


def _problem(problem: Problem, first: int = 0, known: str = "") -> Hanging:
    """Return a problem as ``file:line:column: severity: object field: message [code]``, for editors to jump to.

    `known` is the object under which it stands, which need not be named again.
    """
    text = Text()
    if problem.place and not known:
        text.append(f"{safe.clean(str(problem.place))}: ", style="bold")
    text.append(f"{problem.severity}: ", style=_SEVERITY_STYLES[problem.severity])
    if about := words.subject(problem, known):
        text.append(f"{about}: ", style="cyan")
    text.append(safe.clean(problem.message))
    text.append(f" [{safe.clean(problem.code)}]", style="dim")
    return Hanging(text, first=first)


def _about(report: Report) -> Iterator[RenderableType]:
    for name, told in words.about(report):
        style = "yellow" if name == "in force" else "dim"
        yield Hanging(Text(f"{name:<9} {told}", style=style), indent=10)


def _problems(problems: Sequence[Problem]) -> Iterator[RenderableType]:
    """Errors last, next to the sentence that counts them."""
    if not problems:
        return
    yield Text()
    shown = words.by_weight(problems)[:MAX_PROBLEMS]
    for severity in reversed(Severity):
        yield from (_problem(one) for one in shown if one.severity is severity)
    if len(problems) > MAX_PROBLEMS:
        yield Text(f"… and {words.counted(len(problems) - MAX_PROBLEMS, 'problem')} more: -o json has them all", style="dim")


def _units(report: Report) -> Iterator[RenderableType]:
    """What wants a person comes last, since the end is what stays on the screen."""
    units = layout.units(report)
    calm = [unit for unit in units if not unit.urgent]
    for unit in calm[:MAX_UNITS]:
        yield from _unit(unit, report)
    if len(calm) > MAX_UNITS:
        yield Text()
        yield Text(f"… and {words.counted(len(calm) - MAX_UNITS, 'unit')} more like these: -o html has them all", style="dim")
    for unit in units:
        if unit.urgent:
            yield from _unit(unit, report)


def _unit(unit: layout.Unit, report: Report) -> Iterator[RenderableType]:
    yield Text()
    if report.plan:
        yield Text(unit.title, style="bold underline").append(
            f" ({unit.remarks})" if unit.remarks else "", style="not bold not underline dim"
        )
    for group in unit.groups[:MAX_GROUPS]:
        yield from _group(group)
    if len(unit.groups) > MAX_GROUPS:
        left_out = sum(len(group.objects) for group in unit.groups[MAX_GROUPS:])
        yield Text(f"  … and {words.counted(left_out, 'object')} more: -o html has them all", style="dim")
    if unit.plan is None:
        return
    if report.command != "diff":
        yield from _order(unit)
        yield from _traffic(unit.plan)
    yield from (_problem(problem, first=2) for problem in unit.plan.problems)
    for guard in unit.plan.guards:
        yield Hanging(Text("waits    ", style="bold yellow").append(safe.clean(guard.message), style="not bold default"), 9, 2)
        yield Hanging(Text(f"         goes on {words.goes_on(guard, report.ended)}", style="dim"), 9, 2)


def _group(group: layout.Alike) -> Iterator[RenderableType]:
    line = Text(f"{words.SYMBOLS[group.state]} {group.state} ", style=_STATE_STYLES.get(group.state, "magenta"))
    line.append(group.name, style="bold default")
    if group.cause:
        line.append(f"  {group.cause}", style="not bold magenta")
    if group.outcome:
        line.append(f"  {group.outcome}", style="bold green" if group.done else "bold red")
    if group.origin:
        line.append(f"  {group.origin}", style="not bold cyan")
    elif group.first.place:
        line.append(f"  {safe.clean(str(group.first.place))}", style="not bold dim default")
    yield Hanging(line, first=2)
    if group.rows:
        yield Fields(group.rows[: layout.ROWS], indent=6)
        if len(group.rows) > layout.ROWS:
            left_out = len(group.rows) - layout.ROWS
            yield Text(f"      … and {words.counted(left_out, 'field')} more: -o json has them all", style="dim")
    yield from (_problem(problem, first=6, known=str(group.first.key)) for problem in group.first.problems)


def _order(unit: layout.Unit) -> Iterator[RenderableType]:
    """The order, where there is one: a single wave goes all at once."""
    writes = unit.writes
    if writes and writes[-1].wave > 1:
        for number, wave in groupby(writes, key=lambda write: write.wave):
            for at, write in enumerate(wave):
                head = ("order " if number == 1 and at == 0 else " " * 6) + (f"{number:>2} " if at == 0 else " " * 3)
                yield Hanging(Text(head, style="dim").append_text(_write(write)), 9, 2)
    for at, write in enumerate(unit.held):
        yield Hanging(Text("held     " if at == 0 else " " * 9, style="bold yellow").append_text(_write(write)), 9, 2)


def _write(write: layout.Write) -> Text:
    text = Text(f"{write.action} {write.name}", style="not bold not dim default")
    return text.append(" (in the registry)", style="dim") if write.store == "registry" else text


def _traffic(plan: UnitPlan) -> Iterator[RenderableType]:
    ports = words.traffic(plan)
    for port in ports:
        if port.moves:
            line = Text("traffic  ", style="dim").append(port.service, style="not dim bold")
            line.append(f"  {words.split(port.before)}", style="not dim not bold").append(" → ", style="bold")
            yield Hanging(line.append(words.after(port), style="not dim not bold"), 9, 2)
    if ports and not any(port.moves for port in ports):
        yield Hanging(Text("traffic  stays as it is", style="dim"), 9, 2)
    for note in words.caveats([plan]):
        yield Hanging(Text(f"         note: {note}", style="dim"), 9, 2)


def _members(report: Report) -> Iterator[RenderableType]:
    """The VMs that joined groups: what is in the mesh, or is to be, and stands in no commit."""
    if report.members:
        yield Text()
        yield Text("from groups, not in Git", style="bold underline")
    for one in report.members[:MAX_GROUPS]:
        yield Hanging(Text(words.member(one)), 9, 2)
    if len(report.members) > MAX_GROUPS:
        yield Text(f"  … and {words.counted(len(report.members) - MAX_GROUPS, 'VM')} more: -o json has them all", style="dim")


def _rollouts(report: Report) -> Iterator[RenderableType]:
    """Those that want a person last, and each of them."""
    if not report.rollouts:
        return
    from reconciler.reports import rollout_drawing, rollouts

    calm = [one for one in report.rollouts if rollouts.tone(one) not in rollouts.URGENT]
    for one in calm[:MAX_ROLLOUTS]:
        yield from rollout_drawing.draw(one)
    for one in calm[MAX_ROLLOUTS:MAX_UNITS]:
        yield from rollout_drawing.brief(one)
    if len(calm) > MAX_UNITS:
        yield Text()
        yield Text(f"… and {words.counted(len(calm) - MAX_UNITS, 'rollout')} more: -o html has them all", style="dim")
    for one in report.rollouts:
        if one not in calm:
            yield from rollout_drawing.draw(one)


def _earlier(report: Report) -> Iterator[RenderableType]:
    """What was written on the way here."""
    writes = layout.earlier(report)
    if writes:
        yield Text()
    for at, write in enumerate(writes[:MAX_RESULTS]):
        yield Hanging(Text("done     " if at == 0 else " " * 9, style="green").append(write, style="default"), 9)
    if len(writes) > MAX_RESULTS:
        yield Text(f"         … and {len(writes) - MAX_RESULTS} more: -o json has them all", style="dim")


def _unfinished(report: Report) -> Iterator[RenderableType]:
    """Every write that was tried and is not done, with the reason; those that were not even started are counted by reason."""
    tried = [one for one in report.results if one.written in (Written.FAILED, Written.UNKNOWN)]
    if tried:
        yield Text()
    for one in tried[:MAX_RESULTS]:
        line = Text(f"{one.written} ", style=_OUTCOME_STYLES[one.written])
        line.append(f"{one.action} {safe.clean(str(one.key))}", style="bold default")
        yield Hanging(line.append(f": {safe.clean(one.message)}", style="not bold default"))
    if len(tried) > MAX_RESULTS:
        yield Text(f"… and {len(tried) - MAX_RESULTS} more: -o json has them all", style="dim")
    yield from _counted_reasons(one.message for one in report.results if one.written is Written.NOT_STARTED)


def _counted_reasons(reasons: Iterable[str]) -> Iterator[RenderableType]:
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    for reason, count in list(counts.items())[:MAX_RESULTS]:
        yield Hanging(Text(f"{words.counted(count, 'write')} not started: {safe.clean(reason)}", style="dim"))


def _next(report: Report, advised: Sequence[Advice]) -> Iterator[RenderableType]:
    """Commands stand alone on their lines, unbroken, so that they can be copied."""
    if report.guards or advised:
        reviewed = report.plan if report.command != "diff" else None
        yield Text(f"plan {reviewed.digest}", style="dim") if reviewed else Text()
    for one in advised:
        yield Text(f"# {one.effect}", style="dim")
        yield Text(one.command, style="bold", no_wrap=True, overflow="ignore")
