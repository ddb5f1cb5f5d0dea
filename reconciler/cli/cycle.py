"""`diff`, `plan` and `apply`: one cycle, looked at from three distances."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

from reconciler.cli.ending import ended_by_signals
from reconciler.cli.options import output_option, take_settings, target_options
from reconciler.cli.show import failing, said, show
from reconciler.core.adoption import Adoption
from reconciler.core.report import Report, Verdict
from reconciler.cycle.target import NOTHING_SAID, SILENT, Progress, Request
from reconciler.errors import InvalidInput, ReconcilerError
from reconciler.rollouts.driving import drive


@click.command()
@target_options
@output_option
@failing
def diff(**options: Any) -> int:
    r"""Show where cluster and registry differ from Git, field by field. Writes nothing.

    \b
    reconciler diff --repo https://git.example.com/mesh.git --path production
    reconciler diff --repo . --ref commit:$(git rev-parse HEAD) -o markdown > comment.md
    """
    return _look("diff", options, NOTHING_SAID)


def _decisions(command: Any) -> Any:
    """Add the options with which a person decides something for one run."""
    for option in (
        click.option("--prune-now", multiple=True, metavar="KIND/NAMESPACE/NAME", help="Delete this without waiting."),
        click.option("--allow", multiple=True, metavar="NAME", help="Give a named override, as the plan prints it."),
        click.option("--adopt", multiple=True, metavar="KIND/NAMESPACE/NAME|all", help="Take over what exists already."),
    ):
        command = option(command)
    return command


@click.command()
@target_options
@output_option
@_decisions
@failing
def plan(**options: Any) -> int:
    """Show what apply would write, in order, where traffic would go, and what waits for whom. Writes nothing."""
    return _look("plan", options, _request(options))


@click.command()
@target_options
@output_option
@_decisions
@click.option("--digest", default="", metavar="PLAN", help="Carry out this plan, as reviewed, or nothing.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option("--no-wait", is_flag=True, help="Leave rollouts to the service after their first step; exits 2.")
@failing
def apply(*, digest: str, yes: bool, no_wait: bool, **options: Any) -> int:
    r"""Carry out the plan: show it, ask, write, and say what became of each write.

    Rollouts are driven to their end, step by step, as long as no person is needed. Interrupted, or with --no-wait, they stay
    where they are: `reconciler serve` or the next `apply` goes on with them.

    \b
    reconciler apply --repo . --path production
    reconciler apply --repo . --path production --yes --digest 3f2a...   exactly the plan that was reviewed
    """
    from reconciler.wiring import open_target

    request = _request(options, digest)
    if yes and request.allow and not digest:
        raise InvalidInput("--allow with --yes needs --digest: an override counts for one plan, which must be named")
    if yes and request.adoption != Adoption() and not digest:
        raise InvalidInput(
            "--adopt with --yes needs --digest: what is taken over must have been looked at, in the plan that says so"
        )
    settings = take_settings(options)
    form = settings.output
    with open_target(settings, local=True) as target:
        if not yes:
            seen = target.cycle.run("plan", write=False, request=request)
            show(seen, form, *said())
            if seen.verdict is not Verdict.CHANGES and not _has_writes(seen):
                return seen.verdict.exit_code
            if not sys.stdin.isatty():
                raise InvalidInput("there is no terminal to ask on: say --yes, best with --digest of the plan above")
            if not click.confirm("Carry this out?", err=True):
                return seen.verdict.exit_code
            request = _request_for(request, seen)
        with _bar(form) as progress, _writing(target.cycle.authority):
            report = target.cycle.run("apply", write=True, request=request, progress=progress)
            if report.rolls and not no_wait:
                report = drive(target.cycle, report, request, progress, _teller(form))
                target.cycle.keep(report)
    show(report, form, *said())
    return report.verdict.exit_code


def _teller(form: str) -> Callable[[Report], None]:
    """Return what tells of rollouts while they go on: a line each time that one has moved, on standard error."""
    from reconciler.reports import rollouts

    told: dict[str, str] = {}

    def tell(report: Report) -> None:
        for line in rollouts.news(report, told):
            if form == "terminal":
                click.echo(line, err=True)

    return tell


def _look(command: str, options: dict[str, Any], request: Request) -> int:
    from reconciler.wiring import open_target

    settings = take_settings(options)
    with open_target(settings, local=True) as target:
        report = target.cycle.run(command, write=False, request=request)
    show(report, settings.output, *said())
    return report.verdict.exit_code


def _request(options: dict[str, Any], digest: str = "") -> Request:
    return Request(
        adoption=Adoption.parse(options.pop("adopt")),
        allow=frozenset(options.pop("allow")),
        prune_now=frozenset(options.pop("prune_now")),
        digest=digest,
    )


def _has_writes(report: Report) -> bool:
    return report.plan is not None and any(step.waves for unit in report.plan.units for step in unit.steps)


def _request_for(request: Request, seen: Report) -> Request:
    """Bind the request to the plan that was shown."""
    from dataclasses import replace

    return replace(request, digest=seen.plan.digest if seen.plan else "")


@contextmanager
def _writing(authority: Any) -> Iterator[None]:
    """Let SIGINT and SIGTERM end the run after the writes in hand, and give the lease back in the end."""
    with ended_by_signals(authority.stop, partial(click.echo, err=True)):
        try:
            yield
        finally:
            try:
                authority.release()
            except ReconcilerError as error:
                click.echo(f"the lease was not given back, and runs out by itself: {error}", err=True)


@contextmanager
def _bar(form: str) -> Iterator[Progress]:
    """Draw a progress bar on a terminal while writes go out, on standard error, so that reports stay clean."""
    if form != "terminal" or not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading Git and both stores", total=None)

        def began(plan: Any) -> None:
            bar.update(task, description="writing", total=sum(len(step.changes) for unit in plan.units for step in unit.steps))

        def wrote(result: Any) -> None:
            bar.update(task, advance=1, description=str(result.key))

        yield Progress(began, wrote)
