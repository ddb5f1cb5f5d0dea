"""Rollouts as people read them: where each one is, a table of its steps, and what it waits for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from reconciler.core.gates.words import length
from reconciler.core.plans import Split
from reconciler.core.report import Report
from reconciler.core.rollouts.outlook import Outlook, Standing, StepOutlook
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.reports import safe, words
from reconciler.reports.shapes import Hanging

HEADS = ("step", "exposure", "what changes", "predicted traffic", "then waits for")

_MARKS = {Standing.PASSED: "✓", Standing.CURRENT: "→", Standing.COMING: " "}
_STYLES = {Standing.PASSED: "green", Standing.CURRENT: "bold", Standing.COMING: ""}
_TONES = {Phase.PAUSED: "bold yellow", Phase.HALTED: "bold red", Phase.UNDOING: "bold yellow", Phase.WATCHING: "green"}
_BAR = 24


@dataclass(frozen=True, slots=True)
class Row:
    """One step as cells, in the order of `HEADS`."""

    standing: Standing
    cells: tuple[str, ...]


def title(one: Outlook) -> str:
    """Return where a rollout is: ``soaking, step 2 of 3``."""
    if one.outcome is not Outcome.NONE:
        return f"{one.outcome}"
    at = next((number for number, step in enumerate(one.steps, 1) if step.standing is Standing.CURRENT), 0)
    where = f", step {at} of {len(one.steps)}" if at and one.phase not in (Phase.WAITING, Phase.WATCHING) else ""
    back = " on the way back" if one.back and one.phase is not Phase.UNDOING else ""
    return f"{one.phase}{back}{where}"


def progress(one: Outlook) -> float:
    """Return how much of its way a rollout has gone (0 to 1), all legs counted alike."""
    legs = dict.fromkeys(step.leg for step in one.steps)
    gone = {step.leg: float(step.exposure) for step in one.steps if step.standing is not Standing.COMING}
    return sum(gone.values()) / len(legs) if legs else 1.0


def news(report: Report, told: dict[str, str]) -> Iterator[str]:
    """Yield a line for each rollout that has moved since it was last told of, and for each that is there no more.

    `told` keeps what was told, by rollout, from one call to the next.
    """
    for one in report.rollouts:
        line = safe.clean(f"{one.unit}: {title(one)}, {progress(one):.0%}: {one.reason}")
        if told.get(one.id) != line:
            yield line
        told[one.id] = line
    for gone in told.keys() - {one.id for one in report.rollouts}:
        yield safe.clean(f"{told.pop(gone).split(':')[0]}: through")


def rows(one: Outlook) -> Iterator[Row]:
    """Yield the steps."""
    for number, step in enumerate(one.steps, 1):
        traffic = "; ".join(_split(split) for split in step.split) or "-"
        yield Row(step.standing, (str(number), words.percent(step.exposure), _changes(step), traffic, _asks(step)))


def _split(split: Split) -> str:
    return words.split(split)


def _changes(step: StepOutlook) -> str:
    kinds: dict[str, int] = {}
    for key in step.objects:
        kinds[key.kind] = kinds.get(key.kind, 0) + 1
    what = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if kind != "VirtualMachine")
    return safe.clean(f"{step.leg}: {what}" if what else f"{step.leg}")


def _asks(step: StepOutlook) -> str:
    parts = [*([length(step.hold)] if step.hold > timedelta(0) else []), "endpoints", *step.gates]
    parts += ["approval"] if step.approval else []
    return safe.clean(", ".join(parts))


def draw(one: Outlook) -> Iterator[RenderableType]:
    """Yield a rollout for a terminal."""
    yield Text()
    head = Text("rollout  ", style="dim").append(safe.clean(one.unit), style="not dim bold")
    head.append(f"  {title(one)}", style=f"not dim {_TONES.get(one.phase, 'cyan')}")
    attempt = f", attempt {one.attempt}" if one.attempt > 1 else ""
    yield Hanging(head.append(f"  commit {safe.clean(one.commit[:10])}{attempt}", style="dim not bold"), 9)
    grid = Table.grid(padding=(0, 1))
    grid.add_row("        ", ProgressBar(100, 100 * progress(one), width=_BAR), f"{progress(one):.0%}")
    yield grid
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("", *HEADS):
        table.add_column(name, overflow="fold")
    for row in rows(one):
        style = _STYLES[row.standing]
        table.add_row(Text(f"  {_MARKS[row.standing]}"), *(Text(cell, style=style) for cell in row.cells))
    yield table
    if one.start:
        yield Hanging(Text(f"  now: {'; '.join(_split(split) for split in one.start)}", style="dim"), 9)
    if one.reason:
        yield Hanging(Text(f"  {safe.clean(one.reason)}", style="dim"), 2)
    for text in dict.fromkeys(one.waits):
        yield Hanging(Text("  waits  ", style="bold yellow").append(safe.clean(text), style="not bold default"), 9)
    for note in dict.fromkeys([*one.notes, *(note for step in one.steps for note in step.notes)]):
        yield Hanging(Text(f"  note: {safe.clean(note)}", style="dim"), 8)
