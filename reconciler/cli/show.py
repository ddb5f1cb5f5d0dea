"""How a command shows a report, and how it ends."""

import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import wraps
from threading import Event
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from reconciler.cli.options import TARGET
from reconciler.core.report import Report
from reconciler.errors import Fenced, InvalidInput, ReconcilerError, Unavailable
from reconciler.reports.safe import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

#: Options with which a person decides something for one run; the digest of a plan counts only together with them.
DECISIONS = frozenset({"adopt", "allow", "prune_now"})
#: More columns than any table has.
WIDEST = 10_000
#: Columns of tables where the output is no terminal: a pipeline's log, a file.
WIDTH = 160
_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s]*@")


def said() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what was typed on this command line and belongs into the commands that a report proposes.

    First the options that named the target, without passwords, then the decisions for this run.
    """
    return _typed(TARGET.keys() - {"mode"}), _typed(DECISIONS)


def _typed(names: Collection[str]) -> tuple[str, ...]:
    context = click.get_current_context()
    words = []
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in names and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            value = context.params[name]
            for one in value if parameter.multiple else (value,):
                words += [parameter.opts[0], _PASSWORD.sub(r"\1:***@", str(one))]
    return tuple(words)


def show(report: Report, form: str, options: Sequence[str] = (), decisions: Sequence[str] = ()) -> None:
    """Print a report to standard output in the form asked for; what was typed goes into the commands that it proposes."""
    if form == "terminal":
        from reconciler.reports.terminal import draw

        draw(report, console(), options, decisions)
    else:
        from reconciler.reports import render

        click.echo(render(report, form))


def show_table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], form: str, *, whole: Collection[str] = ()
) -> None:
    """Print a table in one of the forms of reports but JSON; on a terminal the title is what stands there without a row.

    What stands under the heads in `whole` is typed by people, and never broken or cut.
    """
    from reconciler.reports import tables

    match form:
        case "markdown":
            click.echo(tables.markdown(title, heads, rows))
        case "html":
            click.echo(tables.html(title, heads, rows))
        case _ if rows and _fits(heads, rows, whole):
            table(heads, rows, whole)
        case _ if rows:
            _one_by_one(heads, rows)
        case _:
            click.echo(title)


def _fits(heads: Sequence[str], rows: Sequence[Sequence[str]], whole: Collection[str]) -> bool:
    """Tell whether a table with columns that must stay whole has room for them beside the longest word of each other one."""
    from rich.measure import Measurement

    here = console()
    drawn = drawn_table(heads, rows, whole)
    return not whole or Measurement.get(here, here.options.update(width=WIDEST), drawn).minimum <= here.width


def _one_by_one(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print each row as lines of a head and a cell; a terminal that is too narrow breaks them itself, and copies them whole."""
    for row in rows:
        for head, cell in zip(heads, row, strict=True):
            click.echo(clean(f"{head:<9}{cell}"))
        click.echo()


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], whole: Collection[str] = ()) -> None:
    """Print a table that fits the terminal; nothing where there is no row. `whole` is as in `show_table`."""
    drawn = drawn_table(heads, rows, whole)
    if drawn.row_count:
        console().print(drawn)


def drawn_table(heads: Sequence[str], rows: Iterable[Sequence[str]], whole: Collection[str] = ()) -> "Table":
    """Return a table for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, show_header=any(heads))
    for head in heads:
        drawn.add_column(head, overflow="fold", no_wrap=head in whole)
    for row in rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    return drawn


def show_anew(draw: "Callable[[], RenderableType]", every: float) -> None:
    """Draw something on a terminal every so many seconds, until Ctrl-C. Raises InvalidInput where there is none."""
    from rich.live import Live

    on = console()
    if not on.is_terminal:
        raise InvalidInput("--watch needs a terminal; ask again and again with -o json instead")
    never = Event()
    try:
        with Live(draw(), console=on, auto_refresh=False) as live:
            while not never.wait(every):
                live.update(draw(), refresh=True)
    except KeyboardInterrupt:
        return


def console() -> "Console":
    """Return standard output as what it is: a terminal, or a file with lines of a fixed width."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH)


def failing(command: Callable[..., int]) -> Callable[..., None]:
    """Turn a command's exit code into the process's, and our errors into messages on standard error."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs)
        except InvalidInput as error:
            for problem in error.problems:
                click.echo(clean(str(problem)), err=True)
            code = 1
        except Fenced as error:
            click.echo(clean(f"refused: {error}"), err=True)
            code = 3
        except Unavailable as error:
            click.echo(clean(f"cannot be reached: {error}"), err=True)
            code = 1
        except ReconcilerError as error:
            click.echo(clean(f"error: {error}"), err=True)
            code = 1
        sys.exit(code)

    return run
