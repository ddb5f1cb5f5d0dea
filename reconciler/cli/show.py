"""How a command shows a report, and how it ends."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from reconciler.cli.options import TARGET
from reconciler.core.report import Report
from reconciler.errors import Fenced, InvalidInput, ReconcilerError, Unavailable
from reconciler.reports.safe import clean

if TYPE_CHECKING:
    from rich.console import Console

#: Columns of tables where the output is no terminal: a pipeline's log, a file.
WIDTH = 160
_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):[^/\s]*@")


def said() -> tuple[str, ...]:
    """Return the options that named the target on this command line, for the commands that a report proposes; no passwords."""
    context = click.get_current_context()
    words = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and isinstance(parameter, click.Option) and parameter.name in TARGET.keys() - {"mode"}:
            words += [parameter.opts[0], _PASSWORD.sub(r"\1:***@", str(value))]
    return tuple(words)


def show(report: Report, form: str, options: Sequence[str] = ()) -> None:
    """Print a report to standard output in the form asked for; `options` go into the commands that it proposes."""
    if form == "terminal":
        from reconciler.reports.terminal import draw

        draw(report, _console(), options)
    else:
        from reconciler.reports import render

        click.echo(render(report, form))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table that fits the terminal; nothing where there is no row."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*heads, box=box.SIMPLE_HEAD, show_header=any(heads))
    for row in rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    if drawn.row_count:
        _console().print(drawn)


def _console() -> "Console":
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
