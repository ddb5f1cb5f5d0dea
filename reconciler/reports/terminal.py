"""The report drawn for a terminal with rich; plain text of the same layout where the output is no terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.plan import UnitPlan
from reconciler.core.report import Report, Verdict, Written
from reconciler.errors import Problem, Severity
from reconciler.reports import words

_STATE_STYLES = {State.CREATE: "green", State.UPDATE: "yellow", State.DELETE: "red", State.ADOPT: "cyan"}
_SEVERITY_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}
_VERDICT_STYLES = {
    Verdict.IN_SYNC: "bold green",
    Verdict.APPLIED: "bold green",
    Verdict.CHANGES: "bold yellow",
    Verdict.REFUSED: "bold yellow",
}
_WRITTEN_STYLES = {Written.DONE: "green", Written.FAILED: "red", Written.UNKNOWN: "red", Written.NOT_STARTED: "dim"}


def report_view(report: Report) -> RenderableType:
    """Return everything that the report holds, the sentence that sums it up last."""
    parts: list[RenderableType] = [_about(report)]
    parts += [problem_line(problem) for problem in report.problems]
    parts += [part for difference in report.differences for part in _object(difference)]
    if report.plan and report.command != "diff":
        parts += list(_plan(report.plan.units))
    parts += list(_guards(report))
    parts += list(_results(report))
    parts.append(Text(words.headline(report), style=_VERDICT_STYLES.get(report.verdict, "bold red")))
    return Group(*parts)


def problem_line(problem: Problem) -> Text:
    """Return one problem as ``file:line:column: severity: field: message [code]``, for editors to jump to."""
    text = Text(overflow="fold")
    if problem.place:
        text.append(f"{words.clean(str(problem.place))}: ", style="bold")
    text.append(f"{problem.severity}: ", style=_SEVERITY_STYLES[problem.severity])
    subject = " ".join(part for part in (problem.object, problem.field) if part)
    if subject:
        text.append(f"{words.clean(subject)}: ", style="cyan")
    text.append(words.clean(problem.message))
    text.append(f" [{problem.code}]", style="dim")
    return text


def _about(report: Report) -> Text:
    text = Text(style="dim", overflow="fold")
    if report.revision:
        subject = words.clean(report.revision.subject)
        text.append(f"commit {report.revision.short} {subject} ({words.clean(report.revision.author)})\n")
    if report.in_force and report.revision and report.in_force.id != report.revision.id:
        text.append(f"in force: {report.in_force.short} {words.clean(report.in_force.subject)}\n")
    text.append(f"target {report.target}, mode {report.mode}")
    for note in report.notes:
        text.append(f"\n{words.clean(note)}")
    for kind in report.skipped:
        text.append(f"\nskipped {kind.count} {kind.api_version} {kind.kind} (not managed), first at {kind.place}")
    return text


def _object(difference: ObjectDiff) -> Iterator[RenderableType]:
    style = _STATE_STYLES.get(difference.state, "magenta")
    line = Text(f"{words.SYMBOLS[difference.state]} {difference.state} ", style=style)
    line.append(str(difference.key), style="bold")
    if difference.place:
        line.append(f"  {words.clean(str(difference.place))}", style="dim")
    yield line
    if difference.fields:
        owned = any(field.managers for field in difference.fields)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
        for head in ("  field", "Git", "last written", "cluster", "registry", *(["owned by"] if owned else [])):
            table.add_column(head, overflow="fold")
        for field in difference.fields:
            managers = [Text(words.clean(", ".join(field.managers)))] if owned else []
            table.add_row(Text(f"  {words.clean(field.path)}"), *(Text(cell) for cell in words.cells(field)), *managers)
        yield table
    for problem in difference.problems:
        yield Text("  ").append_text(problem_line(problem))


def _plan(units: tuple[UnitPlan, ...]) -> Iterator[RenderableType]:
    shown = [unit for unit in units if unit.steps]
    if not shown:
        return
    table = Table(title="Plan: writes in order; those of one number go together", title_justify="left", box=box.SIMPLE_HEAD)
    for head in ("unit", "#", "write", "object", "store", "cause"):
        table.add_column(head, overflow="fold")
    for unit in shown:
        name = unit.name + (" (observe: not written)" if unit.mode == "observe" else "")
        waves = [wave for step in unit.steps for wave in step.waves]
        for number, wave in enumerate(waves, 1):
            for change in wave:
                cells = (str(number), change.action, f"{change.key}", change.key.store, change.cause)
                table.add_row(Text(name), *(Text(str(cell)) for cell in cells))
                name = ""
    yield table
    yield from _traffic(shown)


def _traffic(units: list[UnitPlan]) -> Iterator[RenderableType]:
    table = Table(title="Predicted traffic", title_justify="left", box=box.SIMPLE_HEAD)
    for head in ("service", "before", "after"):
        table.add_column(head, overflow="fold")
    for unit in units:
        for row in words.splits(unit):
            table.add_row(*(Text(words.clean(cell)) for cell in row))
    if table.row_count:
        yield table
        for note in dict.fromkeys(note for unit in units for note in words.caveats(unit)):
            yield Text(f"  note: {words.clean(note)}", style="dim")


def _guards(report: Report) -> Iterator[RenderableType]:
    rows = words.waiting(report.plan)
    if rows:
        table = Table(title="Waiting", title_justify="left", box=box.SIMPLE_HEAD)
        for head in ("unit", "why", "goes on"):
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*(Text(words.clean(cell)) for cell in row))
        yield table
    if report.plan and report.plan.units:
        yield Text(f"plan {report.plan.digest}", style="dim")


def _results(report: Report) -> Iterator[RenderableType]:
    for result in report.results:
        if result.written is not Written.DONE:
            line = Text(f"{result.written} ", style=_WRITTEN_STYLES[result.written])
            line.append(f"{result.action} {result.key}", style="bold")
            yield line.append(f": {words.clean(result.message)}", style="not bold")
