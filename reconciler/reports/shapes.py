"""Shapes of text on a terminal that rich has not: lines that hang, and fields that stand in columns only where these fit."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from reconciler.core.changes import FieldDiff
from reconciler.reports import layout, safe, words

_OWNERS = "owned by"


class Hanging:
    """A line of text; where it is wrapped, the lines that follow are indented by `indent` more than the first."""

    def __init__(self, text: Text, indent: int = 4, first: int = 0) -> None:
        self.text, self.indent, self.first = text, indent + first, first

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text(" " * self.first).append_text(self.text)
        if options.no_wrap or line.cell_len <= options.max_width:
            yield line
            return
        # The first line may be longer than the others: it is wrapped alone, and the rest again.
        head, *rest = line.wrap(console, options.max_width, overflow="fold")
        yield head
        if rest:
            indent = min(self.indent, options.max_width // 2)
            tail = line[len(head) + _break(line, len(head)) :]
            for one in tail.wrap(console, options.max_width - indent, overflow="fold"):
                yield Text(" " * indent).append_text(one)


def _break(line: Text, at: int) -> int:
    """Return how many blanks a line break at this place has eaten."""
    plain = line.plain[at:]
    return len(plain) - len(plain.lstrip(" "))


class Fields:
    """The fields of an object in columns; below one another where there is only one, or where the columns do not fit."""

    def __init__(self, fields: Sequence[FieldDiff], indent: int) -> None:
        self.indent = indent
        rows = [(safe.clean(row.path), [*layout.cells(row), safe.clean(", ".join(row.managers)) or "-"]) for row in fields]
        heads = (*words.COLUMNS, _OWNERS)
        shown = [at for at in range(len(heads)) if at == 0 or any(cells[at] != "-" for _, cells in rows)]
        self.heads = [heads[at] for at in shown]
        self.rows = [(path, [cells[at] for at in shown]) for path, cells in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for form in (self._line(), self._table()):
            # Room without bound, to learn what it would take.
            if form and Measurement.get(console, options.update(width=10_000), form).maximum <= options.max_width:
                yield form
                return
        yield Group(*self._stacked())

    def _line(self) -> Text | None:
        if len(self.rows) != 1:
            return None
        (path, cells), *_ = self.rows
        line = Text(f"{' ' * self.indent}{path}")
        for head, cell in zip(self.heads, cells, strict=True):
            line.append(f"  {head} ", style="dim").append(cell)
        return line

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        for head in ("", *self.heads):
            table.add_column(head, overflow="fold")
        for path, cells in self.rows:
            table.add_row(Text(f"{' ' * self.indent}{path}"), *map(Text, cells))
        return table

    def _stacked(self) -> Iterator[RenderableType]:
        """Columns that hold the same share a line: a long value that nobody has touched since stands there once."""
        for path, cells in self.rows:
            yield Hanging(Text(path), first=self.indent)
            columns = list(zip(self.heads, cells, strict=True))
            heads: dict[str, list[str]] = {}
            for head, cell in columns:
                if head != _OWNERS:
                    heads.setdefault(cell, []).append(head)
            lines = [(", ".join(alike), cell) for cell, alike in heads.items()]
            lines += [(head, cell) for head, cell in columns if head == _OWNERS and cell != "-"]
            width = max(len(head) for head, _ in lines) + 2
            for head, cell in lines:
                text = Text(f"{head:<{width}}", style="dim").append(cell, style="not dim")
                yield Hanging(text, indent=width, first=self.indent + 2)
