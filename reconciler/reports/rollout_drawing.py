"""Rollouts drawn for a terminal: a bar, the steps in a table, or below one another where that does not fit."""

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from reconciler.core.rollouts.outlook import Outlook, Standing
from reconciler.reports import layout, rollouts, safe, words
from reconciler.reports.shapes import Fields, Hanging

_STYLES = {Standing.PASSED: "green", Standing.CURRENT: "bold", Standing.COMING: ""}
_TONES = {"bad": "bold red", "wait": "bold yellow", "good": "green", "": "cyan"}
_BAR = 24
#: Steps shown of one rollout, and columns from which on they stand in a table that wraps its cells.
MAX_STEPS, _WIDE = 8, 100
#: Kinds of objects held back that are shown.
MAX_HELD = 10


def draw(one: Outlook) -> Iterator[RenderableType]:
    """Yield a rollout."""
    yield Text()
    yield from brief(one)
    if rollouts.gone(one):
        yield bar(one)
    yield Steps(one)
    if hidden := rollouts.left_out(one, MAX_STEPS):
        yield Text(f"  {hidden}", style="dim")
    yield from _held(one)
    if before := rollouts.before(one):
        yield Hanging(Text(f"before   {before}", style="dim"), 9, 2)
    yield from told(one, 2)


def _held(one: Outlook) -> Iterator[RenderableType]:
    """What is held back, objects that are alike together."""
    groups = layout.alike(one.held)
    for group in groups[:MAX_HELD]:
        yield Hanging(Text("held     ", style="dim").append(f"{group.state} {group.name}", style="not dim"), 9, 2)
        if group.rows:
            yield Fields(group.rows[: layout.ROWS], indent=11)
    if len(groups) > MAX_HELD:
        yield Text(
            f"  … and {words.counted(len(groups) - MAX_HELD, 'more object')} held back; -o json has them all", style="dim"
        )


def tree(title: str, found: Iterable[Outlook]) -> Tree:
    """Return rollouts below one another, each with its bar and the steps about the current one."""
    root = Tree(title, guide_style="dim")
    for one in found:
        branch = root.add(head(one))
        if rollouts.gone(one):
            branch.add(bar(one))
        for row in rollouts.rows(one)[rollouts.window(one, MAX_STEPS)]:
            number, exposure, what, *_, then = row.cells
            line = Text(f"{rollouts.MARKS[row.standing]} {number:>2}  {exposure:>7}  {what}", style=_STYLES[row.standing])
            branch.add(line.append(f"  then {then}", style="not bold dim"))
        if hidden := rollouts.left_out(one, MAX_STEPS):
            branch.add(Text(hidden, style="dim"))
        for part in told(one):
            branch.add(part)
    return root


def brief(one: Outlook) -> Iterator[RenderableType]:
    """Yield a rollout as one line."""
    yield Hanging(Text("rollout  ", style="dim").append_text(head(one)), 9)


def head(one: Outlook) -> Text:
    """Return unit, state and commit in a line."""
    text = Text(safe.clean(one.unit), style="not dim bold")
    text.append(f"  {rollouts.title(one)}", style=f"not dim {_TONES[rollouts.tone(one)]}")
    return text.append(f"  {rollouts.about(one)}", style="dim not bold")


def bar(one: Outlook) -> RenderableType:
    """Return how far it has come."""
    grid = Table.grid(padding=(0, 1))
    grid.add_row(" ", ProgressBar(100, 100 * rollouts.progress(one), width=_BAR), rollouts.gone(one))
    return grid


def told(one: Outlook, first: int = 0) -> Iterator[RenderableType]:
    """Yield why it is where it is, what it waits for, and what to know of it."""
    if one.reason:
        yield Hanging(Text(f"because  {safe.clean(one.reason)}", style="dim"), 9, first)
    for text in rollouts.waits(one):
        yield Hanging(Text("waits    ", style="bold yellow").append(text, style="not bold default"), 9, first)
    for name, text in (*rollouts.figures(one), *(("note", note) for note in rollouts.notes(one))):
        yield Hanging(Text(f"{name:<9}{text}", style="dim"), 9, first)


class Steps:
    """The steps of a rollout, as many as are shown."""

    def __init__(self, one: Outlook) -> None:
        self.rows = rollouts.rows(one)[rollouts.window(one, MAX_STEPS)]
        empty = [all(row.cells[at] == "-" for row in self.rows) for at in range(len(rollouts.HEADS))]
        self.columns = [at for at, without in enumerate(empty) if not without]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            return
        table = self._table()
        if (
            options.max_width >= _WIDE
            or Measurement.get(console, options.update(width=1_000), table).maximum <= options.max_width
        ):
            yield table
        else:
            yield from self._stacked()

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for name in ("", *(rollouts.HEADS[at] for at in self.columns)):
            table.add_column(name, overflow="fold", no_wrap=name in ("step", "exposure"))
        for row in self.rows:
            style = _STYLES[row.standing]
            table.add_row(f"  {rollouts.MARKS[row.standing]}", *(Text(row.cells[at], style=style) for at in self.columns))
        return table

    def _stacked(self) -> Iterator[RenderableType]:
        """One line says what the step is, each further one a thing about it; the same in the same place."""
        for row in self.rows:
            number, exposure, what, *others = row.cells
            style = _STYLES[row.standing]
            yield Hanging(Text(f"{rollouts.MARKS[row.standing]} {number:>2}  {exposure:>7}  {what}", style=style), 15, 2)
            for name, cell in zip(("predicted", "needs", "then"), others, strict=True):
                if cell != "-":
                    yield Hanging(Text(f"{name:<10}", style="dim").append(cell, style="not dim"), 10, 17)
