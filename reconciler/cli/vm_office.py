"""What a person says to the registry's server: about join tokens, credentials, brakes, its recovery and its audit log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.options import namespace_and_name, some_options, take_settings
from reconciler.cli.show import failing, table
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key
from reconciler.errors import InvalidInput, SetupCode

if TYPE_CHECKING:
    from reconciler.core.resources import Document
    from reconciler.ports import FleetDesk

Command = TypeVar("Command", bound=Callable[..., Any])

_HEADS = ("at", "who", "what", "whom", "detail")
_TOKENS = ("id", "for", "from", "expires", "state", "used by")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OFFICE: dict[str, dict[str, Any]] = {
    "operator-url": {"default": "", "metavar": "URL", "help": "The registry's server.  [default: by the settings]"},
    "operator-token": {"type": _FILE, "help": "File with an operator's token.  [default: by the settings]"},
    "server-ca": {"type": _FILE, "help": "Authorities of its certificate (PEM).  [default: the system's]"},
}


def _options(command: Command) -> Command:
    for name, attributes in reversed(_OFFICE.items()):
        command = click.option(f"--{name}", **attributes)(command)
    return some_options("config", "target", "data")(command)


@click.command()
@click.argument("name", metavar="[NAMESPACE/NAME]", required=False)
@click.option("--group", metavar="NAMESPACE/NAME", help="A new member of this WorkloadGroup, named after its address.")
@_options
@click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="CIDR",
    help="Where the VM's address must be; for a group it must be said.  [default: anywhere]",
)
@click.option("--ttl", default="1h", metavar="TIME", show_default=True, help="How long it is good.")
@click.option(
    "--service-account", default="", metavar="NAME", help="Shown beside the VM; for a group that of its template (default)."
)
@failing
def token(
    *, name: str | None, group: str | None, addresses: tuple[str, ...], ttl: str, service_account: str, **options: Any
) -> int:
    r"""Print a token by which one agent may join once.

    It joins as this WorkloadEntry; a VM that has joined as it before is fenced then. Or it joins a WorkloadGroup whose
    annotation mesh-reconciler.io/autoRegister lets VMs in that Git does not hold.

    \b
    reconciler vm token shop/billing-1 --address 10.0.0.5/32 --ttl 15m
    reconciler vm token --group shop/web --address 10.0.0.0/24 --service-account web
    """
    from reconciler.core.fleet.joining import LONGEST_LIFE
    from reconciler.settings import length_of

    life = length_of(ttl)
    if life > LONGEST_LIFE:
        raise InvalidInput(f"--ttl: a token lives up to {LONGEST_LIFE.days} days", code=SetupCode.OPTION)
    if bool(name) == bool(group):
        raise InvalidInput("name one VM, or a --group", code=SetupCode.OPTION)
    if group and not addresses:
        raise InvalidInput("a token for a group needs an --address: the networks of its VMs", code=SetupCode.OPTION)
    key = Key("WorkloadGroup", *namespace_and_name(group)) if group else _key(name or "")
    with _office(options) as office:
        click.echo(office.issue(key, addresses, life, service_account))
    return 0


@click.command()
@_options
@failing
def tokens(**options: Any) -> int:
    """List join tokens, the newest first; their texts are known to nobody but who was given them."""
    with _office(options) as office:
        found = office.tokens()
    table(_TOKENS, [_token_cells(one) for one in found])
    return 0


def _token_cells(one: "Document") -> tuple[str, ...]:
    whom = f"{one['namespace']}/{one['name']}" if one["name"] else f"a new member of {one['namespace']}/{one['group']}"
    return (one["id"], whom, ", ".join(one["addresses"]) or "anywhere", one["expires"], one["state"], one["usedBy"])


@click.command()
@click.argument("identity", metavar="ID")
@_options
@failing
def withdraw(*, identity: str, **options: Any) -> int:
    """Make a join token useless, by the ID that `vm tokens` shows; who has joined by it already stays (see `vm revoke`)."""
    with _office(options) as office:
        office.withdraw(identity)
    click.echo(f"the join token {identity} is good for nothing any more")
    return 0


@click.command()
@click.argument("name", metavar="NAMESPACE/NAME")
@_options
@failing
def revoke(*, name: str, **options: Any) -> int:
    """Take all rights from a VM's agent, and its workloads out of load balancing; a new token lets it back in."""
    with _office(options) as office:
        office.revoke(_key(name))
    click.echo(f"{name} is revoked")
    return 0


@click.command("release-brake")
@click.argument("scope", default="all")
@_options
@failing
def release_brake(*, scope: str, **options: Any) -> int:
    r"""Let those VMs go as lost whom a brake holds: in all, or in one scope, such as namespace/shop or locality/eu-1.

    \b
    reconciler vm list                   # whom the brakes hold
    reconciler vm release-brake
    """
    with _office(options) as office:
        office.release_brake(scope)
    click.echo(f"the brake of {scope} is released")
    return 0


@click.command("end-recovery")
@_options
@failing
def end_recovery(**options: Any) -> int:
    """Trust the record of a restored registry again; unused join tokens from before that was in doubt are good no more."""
    with _office(options) as office:
        office.end_recovery()
    click.echo("the registry's record is trusted again; revoke again what was revoked since the backup")
    return 0


@click.command()
@_options
@click.option("--last", default=20, metavar="NUMBER", show_default=True, help="How many entries to show.")
@failing
def audit(*, last: int, **options: Any) -> int:
    r"""Check the audit log of the registry's server from its beginning, and show its last entries.

    Each entry carries the hash of the one before it. Ends with 1 where one does not follow. Keep the newest hash somewhere
    else, to notice a log that was written anew as a whole.

    \b
    reconciler vm audit --last 5
    """
    from reconciler.reports.words import moment
    from reconciler.vms.auditing import audited, text_of

    with _office(options) as office:
        found = audited(office, last)
    entries = (one.entry for one in found.last)
    table(_HEADS, [(moment(one.at), one.actor, one.action, one.subject, one.detail) for one in entries])
    click.echo(text_of(found), err=found.broken is not None)
    return 1 if found.broken is not None else 0


def _key(name: str) -> Key:
    return Key(VIRTUAL_MACHINE, *namespace_and_name(name))


@contextmanager
def _office(options: dict[str, Any]) -> "Iterator[FleetDesk]":
    from reconciler import wiring

    url, token_file, ca = options.pop("operator_url"), options.pop("operator_token"), options.pop("server_ca")
    office = wiring.fleet_office(take_settings(options), url, token_file, ca)
    if office is None:
        raise InvalidInput("no operator's token is at hand: name its file with --operator-token", code=SetupCode.SECRET)
    try:
        yield office
    finally:
        office.close()
