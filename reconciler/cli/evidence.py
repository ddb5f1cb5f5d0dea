"""What was kept of runs and rollouts, looked at again: `history`, `replay`."""

import json
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import output_option, take_settings, target_options
from reconciler.cli.show import failing, show_table
from reconciler.errors import InvalidInput, SetupCode

if TYPE_CHECKING:
    from reconciler.ports import Store
    from reconciler.settings import Settings


@click.command()
@click.argument("service", required=False, default="", metavar="[NAMESPACE/SERVICE]")
@target_options
@click.option("--at", metavar="TIME", help="The moment, such as 2026-03-01T12:30:00Z; now, if it is not given.")
@click.option("--limit", default=20, show_default=True, help="How many runs, or rollouts.")
@click.option(
    "--rollouts", "of_rollouts", is_flag=True, help="List rollouts instead: how long each took, how it ended and why."
)
@output_option
@failing
def history(*, service: str, at: str | None, limit: int, of_rollouts: bool, **options: Any) -> int:
    r"""List past runs, newest first: when, which commit, how it ended, how much was written.

    With a service: what was in force of it at a moment. Which commit, who wrote, signed and approved it, where its rollout was,
    the shares as planned, written and observed, and every write so far with the weights that it gave and its cause. Of a
    service that had no rollout by then, what runs and the journal of writes have kept; the rest is said to be not kept.

    \b
    reconciler history shop/billing --at 2026-03-01T12:30:00Z
    """
    from reconciler.wiring import state_store

    if (at and not service) or (service and of_rollouts):
        raise InvalidInput(
            "--at is about one service, and --rollouts about all of them: say which you want", code=SetupCode.OPTION
        )
    settings = take_settings(options)
    store = state_store(settings)
    try:
        if service:
            _moment(store, service, at, settings.output)
        else:
            shown = _rollouts if of_rollouts else _runs
            shown(store, limit, settings)
    finally:
        store.close()
    return 0


def _moment(store: "Store", service: str, at: str | None, form: str) -> None:
    from reconciler.history.remembering import moment, moment_of
    from reconciler.reports import moments
    from reconciler.wiring import system_clock

    found = moment(store, service, moment_of(at) if at else system_clock().now())
    if form == "json":
        click.echo(json.dumps(moments.document(found), indent=2))
        return
    show_table(f"{found.service} at a moment", ("", ""), moments.rows(found), form)
    show_table("no write of it is known by then", moments.WRITES, moments.writes(found), form)


def _runs(store: "Store", limit: int, settings: "Settings") -> None:
    from reconciler.reports import words

    cycles = store.history(limit)
    if settings.output == "json":
        click.echo(json.dumps([one.report for one in cycles], indent=2))
        return
    rows = [
        (str(one.id), words.moment(one.at), one.commit[:10], one.outcome, str(one.written), one.digest[:12]) for one in cycles
    ]
    title = f"runs of target {settings.target}" if rows else f"no run of target {settings.target} is known here"
    show_table(title, ("run", "when", "commit", "outcome", "writes", "plan"), rows, settings.output)


def _rollouts(store: "Store", limit: int, settings: "Settings") -> None:
    from reconciler.cycle import status as states
    from reconciler.wiring import system_clock

    found, now = store.rollouts.history(limit), system_clock().now()
    if settings.output == "json":
        click.echo(json.dumps([states.past_document(one) for one in found], indent=2))
        return
    title = f"rollouts of target {settings.target}" if found else f"no rollout of target {settings.target} is known here"
    show_table(title, states.PAST, [states.past_row(one, now) for one in found], settings.output, whole=states.PAST[:1])


@click.command()
@click.argument("rollout", metavar="ROLLOUT|UNIT")
@target_options
@click.option(
    "--set", "changed", multiple=True, metavar="GATE.SETTING=VALUE", help="Judge with this setting of a gate changed."
)
@output_option
@failing
def replay(*, rollout: str, changed: tuple[str, ...], **options: Any) -> int:
    r"""Judge the gates of a rollout again, over the answers that were kept, and say where it would have stopped.

    Without --set it says what it said then. Nothing is asked, and nothing is changed. Gates that ask nobody (soak, health of
    endpoints, approval, hours) are left out.

    \b
    reconciler replay shop/billing --set success.min=0.98
    reconciler replay shop/billing@3f2a61c09b.1 --set success.samples=500 --set success.onNoData=pause
    """
    from reconciler.history.replaying import replayed
    from reconciler.reports import replays
    from reconciler.rollouts.saying import chosen
    from reconciler.wiring import library, state_store

    settings = take_settings(options)
    store = state_store(settings)
    try:
        found = chosen(store.rollouts, rollout)
        looks = replayed(store.rollouts, found, changed, library(settings))
    finally:
        store.close()
    if settings.output == "json":
        click.echo(json.dumps(replays.document(found, looks), indent=2))
        return 0
    title = f"rollout {found.id}" if looks else f"rollout {found.id}: no look that asked anything is kept"
    show_table(title, replays.HEADS, replays.rows(looks), settings.output)
    if settings.output == "terminal":
        click.echo(replays.summary(looks))
    return 0
