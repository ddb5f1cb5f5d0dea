"""`registry serve`: the VM registry's server, until told to stop."""

import gc
import logging
from threading import Event
from typing import Any

import click

from reconciler.cli.beside import registry_beside
from reconciler.cli.ending import ended_by_signals
from reconciler.cli.options import TARGET, take_settings
from reconciler.cli.show import failing

#: As in `cli.main`, but older garbage is searched for in small pieces: nobody is answered meanwhile, and the rows of a large
#: fleet, which are no garbage, are looked through hardly ever.
COLLECT_AFTER = 10_000, 3, 100


@click.group()
def registry() -> None:
    """Run the VM registry."""


def _options(command: Any) -> Any:
    for name in ("data", "registry", "target", "config"):
        command = click.option(f"--{name}", **TARGET[name])(command)
    return command


@registry.command("serve")
@_options
@click.option("--listen", metavar="HOST:PORT", help="Where agents and operators find it.  [default: 127.0.0.1:8750]")
@failing
def serve(*, listen: str | None, **options: Any) -> int:
    r"""Answer agents and operators: joins, heartbeats, drains; watch over leases.

    Plain HTTP, for loopback or behind a TLS terminator, unless the settings name a certificate. Runs in the foreground and logs
    to standard error. The keys of credentials and the operator's token are files in the data folder, made at the first start.

    \b
    reconciler registry serve --config registry.toml
    curl -H "Authorization: Bearer $(cat ~/.local/state/mesh-reconciler/default/operator.token)" localhost:8750/v1/vms
    """
    settings = take_settings(options, registry_server={"listen": listen} if listen else None)
    gc.set_threshold(*COLLECT_AFTER)
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
    log = logging.getLogger("reconciler")
    over = Event()
    with registry_beside(settings, over.set) as stop, ended_by_signals(stop, log.info):
        over.wait()
    log.info("stopped")
    return 0
