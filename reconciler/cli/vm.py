"""`vm`: the group of commands about VMs, each imported when it runs."""

from typing import Any

import click

from reconciler.cli.main import Commands, Table

#: Command -> (module, one line for the list), as in `main`.
COMMANDS: Table = {
    "bootstrap": ("vm_bootstrap", "Write what a VM, or each VM of a group, needs to join."),
    "agent-file": ("vm_agent", "Write the agent as one file to copy to VMs."),
}


@click.group(cls=Commands, table=COMMANDS)
def vm(**_: Any) -> None:
    """Bring VMs into the mesh: what they need to join, and what runs on them."""
