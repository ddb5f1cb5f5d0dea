"""What was kept of a rollout, looked at again: `replay`."""

import json
from typing import Any

import click

from reconciler.cli.options import output_option, take_settings, target_options
from reconciler.cli.show import failing, show_table


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
    from reconciler.replaying import replayed
    from reconciler.reports import replays
    from reconciler.saying import chosen
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
