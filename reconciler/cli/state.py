"""What a person asks of, or says to, the state of a target: `status`, `recover`, `release`."""

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import output_option, take_settings, target_options
from reconciler.cli.show import console, drawn_table, failing, show_anew, show_table, table
from reconciler.errors import InvalidInput
from reconciler.reports.safe import clean

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reconciler.cycle.status import Status


#: Seconds between two looks of `status --watch`.
_EVERY = 2.0


@click.command()
@target_options
@click.option("--watch", is_flag=True, help="Look again every 2 seconds until Ctrl-C.")
@output_option
@failing
def status(*, watch: bool, **options: Any) -> int:
    """Show the target's state: commit in force, writer, open writes, fights, the last run, what waits, rollouts under way."""
    from reconciler.cycle.status import read_status
    from reconciler.wiring import kubernetes, state_store, system_clock

    settings = take_settings(options)
    with ExitStack() as open_parts:
        clock = system_clock()
        store = state_store(settings)
        open_parts.callback(store.close)
        cluster, lease = kubernetes(settings, clock)
        open_parts.callback(cluster.close)

        def read() -> "Status":
            return read_status(settings.target, store, lease, clock.now())

        if watch:
            show_anew(lambda: _drawn(read()), _EVERY)
        elif settings.output == "json":
            click.echo(json.dumps(read().document(), indent=2))
        elif settings.output == "terminal":
            console().print(_drawn(read()))
        else:
            found = read()
            show_table(f"target {settings.target}", ("", ""), [*found.rows(), *found.rollout_rows()], settings.output)
    return 0


def _drawn(found: "Status") -> "RenderableType":
    from rich.console import Group

    from reconciler.reports.rollout_drawing import tree

    drawn = drawn_table(("", ""), found.rows())
    return Group(drawn, tree("rollouts", found.rollouts)) if found.rollouts else drawn


@click.command()
@target_options
@click.option("--yes", is_flag=True, help="Ask nothing.")
@failing
def recover(*, yes: bool, **options: Any) -> int:
    """Make this state store the target's own, after the old one was lost or put back from a backup.

    Reads the marks in the cluster and the records in the VM registry, shows what they say is ours, and goes on from the commit
    that Git names now. Rollouts under way are put together from their checkpoints and Git, and wait for `resume` or `abort`.
    Nothing is written to either store but the lease.
    """
    from reconciler.core.rollouts.checkpoint import found_in
    from reconciler.core.rollouts.outlook import outlook
    from reconciler.cycle.recovery import ours_in
    from reconciler.cycle.recovery import recover as rebuild
    from reconciler.reports.rollouts import title
    from reconciler.reports.words import counted
    from reconciler.wiring import open_target

    with open_target(take_settings(options), local=True) as target:
        ports = target.ports
        observed = target.cycle.observe()
        owned = ours_in(observed, target.settings.target)
        revision = ports.source.poll()
        rollouts = target.cycle.recovered(observed, revision)
        table(("object", "namespace", "name"), [(key.kind, key.namespace, key.name) for key in sorted(owned)])
        click.echo(clean(f"ours: {counted(len(owned), 'object')}; going on from commit {revision.short} {revision.subject}"))
        states = [(one.id, one.unit, f"{title(outlook(one))}: {one.reason}") for one in rollouts]
        table(("rollout", "unit", "from now on"), states, whole=("rollout",))
        noted = {one.rollout for one in found_in(observed.objects, target.settings.target).values()}
        for lost in sorted(noted - {one.id for one in rollouts}):
            click.echo(clean(f"{lost} cannot be put together from Git: its unit begins anew from where traffic is"))
        if not yes and not click.confirm("Take this as the target's state?", err=True):
            return 2
        target.cycle.authority.seize(lambda: rebuild(ports.store, owned, revision, ports.clock, rollouts))
    click.echo("this state store is the target's own now; `reconciler plan` shows what is left to do")
    return 0


@click.command()
@click.argument("names", nargs=-1, metavar="[UNIT|KIND/NAMESPACE/NAME]...")
@target_options
@click.option("--all", "everything", is_flag=True, help="Release every object of the target.")
@click.option("--to", "manager", required=True, metavar="MANAGER", help="Field manager that gets the ownership.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@failing
def release(*, names: tuple[str, ...], everything: bool, manager: str, yes: bool, **options: Any) -> int:
    r"""Hand objects over to another manager: ownership goes to it, our marks go away, spec and weights stay as they are.

    A unit is a service with all that belongs to it, named as `plan` names it.

    \b
    reconciler release shop/billing --to argocd-controller
    reconciler release ServiceEntry/shop/billing --to argocd-controller
    reconciler release --all --to kubectl
    """
    from reconciler.cycle.release import chosen, release_objects
    from reconciler.reports.words import counted
    from reconciler.wiring import open_target

    if bool(names) == everything:
        raise InvalidInput("name what to release (a unit, or Kind/namespace/name), or say --all")
    with open_target(take_settings(options), local=True) as target:
        owned = target.ports.store.inventory()
        keys = sorted(owned) if everything else chosen(names, target.cycle.units(), owned)
        target.cycle.authority.look()
        observed = target.cycle.observe()
        table(("object", "namespace", "name"), [(key.kind, key.namespace, key.name) for key in keys])
        if not yes and not click.confirm(f"Release these to {manager}?", err=True):
            return 2
        with target.cycle.authority.alone(observed):
            released = release_objects(keys, observed, target.ports, manager)
    click.echo(clean(f"{counted(released, 'object')} released to {manager}"))
    return 0
