"""`vm agent-file`: the agent as one file."""

from pathlib import Path

import click

from reconciler.vms import agent_file as packing


@click.command("agent-file")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=packing.NAME)
def agent_file(file: Path) -> None:
    """Write the agent to FILE: one file that Python 3.9 or later runs, without anything else.

    The same version of reconciler writes the same bytes on every machine.
    """
    file.write_bytes(packing.agent_file())
    file.chmod(0o755)
    click.echo(f"{file} is ready")
