"""How a command shows a report, and how it ends."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import click

from reconciler.core.report import Report
from reconciler.errors import Fenced, InvalidInput, ReconcilerError, Unavailable


def show(report: Report, form: str) -> None:
    """Print a report to standard output in the form asked for."""
    if form == "terminal":
        from rich.console import Console

        from reconciler.reports.terminal import report_view

        Console(highlight=False, soft_wrap=False).print(report_view(report))
    else:
        from reconciler.reports import render

        click.echo(render(report, form))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table that fits the terminal; nothing where there is no row."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(*heads, box=box.SIMPLE_HEAD, show_header=any(heads))
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    if drawn.row_count:
        Console(highlight=False).print(drawn)


def failing(command: Callable[..., int]) -> Callable[..., None]:
    """Turn a command's exit code into the process's, and our errors into messages on standard error."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            code = command(*args, **kwargs)
        except InvalidInput as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            code = 1
        except Fenced as error:
            click.echo(f"refused: {error}", err=True)
            code = 3
        except Unavailable as error:
            click.echo(f"cannot be reached: {error}", err=True)
            code = 1
        except ReconcilerError as error:
            click.echo(f"error: {error}", err=True)
            code = 1
        sys.exit(code)

    return run
