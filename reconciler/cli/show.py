"""How a command shows a report, and how it ends."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from reconciler.core.report import Report
from reconciler.errors import Fenced, InvalidInput, ReconcilerError, Unavailable

#: Options that say which target a command is about.
TARGET_OPTIONS = frozenset(
    {"config", "repo", "ref", "path", "target", "kubeconfig", "context", "registry", "state", "data", "crds"}
)


def said() -> tuple[str, ...]:
    """Return the options that named the target on this command line, to be repeated in the commands that a report proposes."""
    context = click.get_current_context()
    words = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and isinstance(parameter, click.Option) and parameter.name in TARGET_OPTIONS:
            words += [parameter.opts[0], str(value)]
    return tuple(words)


def show(report: Report, form: str, options: Sequence[str] = ()) -> None:
    """Print a report to standard output in the form asked for; `options` go into the commands that it proposes."""
    if form == "terminal":
        from rich.console import Console

        from reconciler.reports.terminal import draw

        draw(report, Console(highlight=False), options)
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
