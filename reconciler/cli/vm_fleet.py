"""`vm list`, `vm show`, `vm drain`, `vm undrain`, `vm accept`: the VMs of a target, and who holds them where."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from reconciler.cli.options import FORMS, namespace_and_name, report_form, some_options, take_settings
from reconciler.cli.show import failing, show_table, table
from reconciler.errors import InvalidInput, SetupCode

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from reconciler.core.health.drains import Draining
    from reconciler.core.health.rollcall import Row
    from reconciler.ports import Clock
    from reconciler.vms.mustering import Muster

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
#: Seconds by which the clocks of this process and of the registry's server may differ.
_SLACK = 2.0
_HEADS = ("VM", "health", "seen", "lease", "mesh", "why")


def _options(command: Command) -> Command:
    command = click.option("--server-ca", type=_FILE, help="Authorities of its certificate (PEM).  [default: the system's]")(
        command
    )
    command = click.option(
        "--operator-url", default="", metavar="URL", help="The registry's server.  [default: by the settings]"
    )(command)
    command = click.option("--operator-token", type=_FILE, help="File with an operator's token.  [default: by the settings]")(
        command
    )
    return some_options("config", "target", "kubeconfig", "context", "registry", "data")(command)


@click.command("list")
@click.argument("namespace", required=False, default="")
@_options
@report_form(*FORMS)
@failing
def list(*, namespace: str, **options: Any) -> int:  # noqa: A001 - the command's name
    r"""List VMs: how they are, whether they get requests, and who holds them there.

    Lease and brakes are the registry's server's, which is asked where its operator's token is at hand.

    \b
    reconciler vm list shop
    reconciler vm list -o json
    """
    with _mustered(options) as (muster, form):
        now = muster.clock.now()
        rows = [one for one in muster.rows() if namespace in ("", one.namespace)]
    if form == "json":
        click.echo(json.dumps({"version": "mesh-reconciler.io/vms/v1", "vms": [one.document for one in rows]}, indent=2))
    else:
        show_table("no VM", _HEADS, [_cells(one, now) for one in rows], form)
    return 0


@click.command()
@click.argument("name", metavar="NAMESPACE/NAME")
@_options
@failing
def show(*, name: str, **options: Any) -> int:
    """Show one VM with all that is known of it."""
    namespace, vm = namespace_and_name(name)
    with _mustered(options) as (muster, _):
        found = next((one for one in muster.rows() if (one.namespace, one.name) == (namespace, vm)), None)
    if found is None:
        raise InvalidInput(f"nobody knows a VM {name}", code=SetupCode.OPTION)
    rows = [
        (key, "; ".join(map(str, value)) if key in ("states", "why") else str(value)) for key, value in found.document.items()
    ]
    table(("", ""), [(key, value) for key, value in rows if value not in ("", "None")])
    return 0


@click.command()
@click.argument("name", metavar="NAMESPACE/NAME")
@_options
@click.option("--even-last", is_flag=True, help="Though it is the last good endpoint of something: the plan then asks by name.")
@click.option(
    "--within", metavar="TIME", help="For how long its last requests are awaited.  [default: as long as --wait says, else 10m]"
)
@click.option("--wait", "longest", metavar="TIME", help="Wait until it gets no requests any more, for so long at most.")
@failing
def drain(*, name: str, even_last: bool, within: str | None, longest: str | None, **options: Any) -> int:
    r"""Take a VM out of load balancing, however well it is; `vm undrain` lets it back in at any moment.

    Whoever runs the target carries it out: first its weight goes down to 1, then it leaves the endpoint list, by its condition
    where its health counts, else without the labels by which it is picked. Nothing is deleted, and requests that are under way
    end by themselves. The last good endpoint of a service stays.

    With --wait each stage is told, and it ends once the VM is out and, where a Prometheus counts them, has had no requests for
    30 s; where nobody counts them, once the time is over. Where some are left by then, it ends with 1 and says so. The drain
    stays either way.

    \b
    reconciler vm drain shop/billing-1
    reconciler vm drain shop/billing-1 --wait 5m && ssh billing-1 poweroff
    """
    from reconciler.core.drain import PATIENCE
    from reconciler.settings import length_of

    namespace, vm = namespace_and_name(name)
    patience = length_of(longest) if longest else None
    with _mustered(options) as (muster, _):
        time = length_of(within) if within else patience or PATIENCE
        strained = muster.drain(namespace, vm, even_last=even_last, within=time)
        told = f": {strained}" if strained else ""
        click.echo(f"{name} is being drained{told}; `reconciler vm show {name}` says how far it is")
        return wait_for_drain(muster, namespace, vm, patience) if patience else 0


class Parting(Protocol):
    """Who says how far drains are: a `Muster`."""

    @property
    def clock(self) -> "Clock": ...

    def parting(self, namespace: str, name: str) -> "tuple[Draining | None, str]": ...


def wait_for_drain(muster: Parting, namespace: str, name: str, patience: "timedelta") -> int:
    """Look once a second until nothing is awaited or time is over, and tell each stage; returns 1 where something is left."""
    from reconciler.core.health.drains import Stage

    ends = muster.clock.monotonic() + patience.total_seconds() + _SLACK
    told, never = "", Event()
    while True:
        found, text = muster.parting(namespace, name)
        if found is None:
            click.echo(f"nobody drains {namespace}/{name} any more", err=True)
            return 1
        if text != told:
            click.echo(text)
            told = text
        if found.stage is Stage.DRAINED or muster.clock.monotonic() >= ends:
            break
        never.wait(1.0)
    if found.stage is not Stage.DRAINED or found.seen.requests:
        click.echo(f"{namespace}/{name} is not through in time", err=True)
        return 1
    return 0


@click.command()
@click.argument("name", metavar="NAMESPACE/NAME")
@_options
@failing
def undrain(*, name: str, **options: Any) -> int:
    """Let a drained VM back in, as soon as it is well."""
    namespace, vm = namespace_and_name(name)
    with _mustered(options) as (muster, _):
        muster.undrain(namespace, vm)
    click.echo(f"{name} is drained no more")
    return 0


@click.command()
@click.argument("name", metavar="NAMESPACE/NAME")
@_options
@failing
def accept(*, name: str, **options: Any) -> int:
    """Print what to commit where a VM reports from another address than Git says, such as one that was rebuilt."""
    import yaml

    namespace, vm = namespace_and_name(name)
    with _mustered(options) as (muster, _):
        wanted = muster.accept(namespace, vm)
    click.echo(f"# In Git, change of WorkloadEntry {name}:")
    click.echo(yaml.safe_dump(wanted, sort_keys=False), nl=False)
    return 0


def _cells(row: "Row", now: "datetime") -> tuple[str, ...]:
    from reconciler.core.gates.words import length

    seen = f"{length(now - row.seen)} ago" if row.seen else "never"
    lease = "" if row.lease is None else length(row.lease - now) if row.lease > now else "over"
    states = [f"[{', '.join(row.states)}]"] if row.states else []
    why = [f"from group {row.origin.group}, joined at {row.origin.at}"] if row.origin else []
    told = " ".join([*states, "; ".join([*why, *row.why])])
    return (f"{row.namespace}/{row.name}", row.health, seen, lease, row.mesh, told)


@contextmanager
def _mustered(options: dict[str, Any]) -> "Iterator[tuple[Muster, str]]":
    from reconciler import wiring
    from reconciler.cycle.observing import Observer
    from reconciler.vms.mustering import Muster
    from reconciler.vms.witnessing import Witnesses

    url, token, ca = options.pop("operator_url"), options.pop("operator_token"), options.pop("server_ca")
    settings = take_settings(options)
    policy, clock = wiring.policy(settings), wiring.system_clock()
    with ExitStack() as open_parts:
        cluster, _ = wiring.kubernetes(settings, clock)
        open_parts.callback(cluster.close)
        if registry := wiring.vm_registry(settings, clock):
            open_parts.callback(registry.close)
        if office := wiring.fleet_office(settings, url, token, ca):
            open_parts.callback(office.close)
        if metrics := wiring.metrics(settings):
            open_parts.callback(metrics.close)
        witnesses = wiring.witnesses(settings, clock)
        for witness in witnesses.values():
            open_parts.callback(witness.close)
        observer = Observer(cluster, registry, Witnesses(settings.target, witnesses))
        yield Muster(observer, office, policy.plan, policy.brake, clock, metrics, policy.pace.settle), settings.output
