"""`hold`: all hands off a service while somebody works on it, and what that has changed, when it ends."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import output_option, take_settings, target_options
from reconciler.cli.rollouts import login, opened
from reconciler.cli.show import failing, said, show
from reconciler.errors import InvalidInput

if TYPE_CHECKING:
    from reconciler.settings import Settings


@click.command()
@click.argument("service", metavar="NAMESPACE/SERVICE")
@target_options
@output_option
@click.option("--for", "length", metavar="TIME", help="For how long, such as 2h or 90m.")
@click.option("--end", is_flag=True, help="End the hold before its time, and show what differs.")
@click.option("--reason", default="", help="Why; shown to everybody who looks.")
@failing
def hold(*, service: str, length: str | None, end: bool, reason: str, **options: Any) -> int:
    r"""Keep all hands off a service while somebody works on it: it is observed, and nothing of its unit is written.

    Before a hold ends, --end shows what is not as it is wanted now, and whose hand it was (in the form that -o names).

    \b
    reconciler hold shop/billing --for 2h --reason "we look into INC-7"
    reconciler hold shop/billing --end
    """
    from reconciler.rollouts import saying
    from reconciler.settings import length_of
    from reconciler.wiring import system_clock

    if bool(length) == end:
        raise InvalidInput("say for how long (--for 2h), or --end")
    if end:
        return _end(service, take_settings(options))
    with opened(take_settings(options)) as store:
        held = saying.hold(store, service, length_of(length or ""), login(), reason, system_clock().now())
    click.echo(f"{held.unit} is held until {held.until:%Y-%m-%d %H:%M:%S} UTC: nothing of it is written")
    return 0


def _end(service: str, settings: "Settings") -> int:
    """End a hold, once it was shown what is not as it is wanted now: that is written again from then on."""
    from reconciler.rollouts.holding import only
    from reconciler.wiring import open_target

    is_terminal = settings.output == "terminal"
    with opened(settings) as store:
        if service not in {one.unit for one in store.rollouts.holds()}:
            click.echo(f"{service} was not held", err=not is_terminal)
            return 0
    with open_target(settings, local=True) as target:
        report = target.cycle.run("diff", write=False)
        if report.verdict.exit_code == 1:
            show(report, settings.output, *said())
            raise InvalidInput(f"{service} stays held: what differs is not known; `--for 1s` ends the hold unseen")
        show(only(report, service, target.cycle.units()), settings.output, *said())
        target.ports.store.rollouts.unhold(service)
    click.echo(f"{service} is held no more", err=not is_terminal)
    return 0
