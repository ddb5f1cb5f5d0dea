"""`vm`: the group of commands about VMs, each imported when it runs."""

from typing import Any

import click

from reconciler.cli.main import Commands, Table

#: Command -> (module, one line for the list), as in `main`.
COMMANDS: Table = {
    "bootstrap": ("vm_bootstrap", "Write what a VM, or each VM of a group, needs to join."),
    "list": ("vm_fleet", "List VMs: health, last seen, lease, and who holds what and why."),
    "show": ("vm_fleet", "Show one VM with all that is known of it."),
    "drain": ("vm_fleet", "Take a VM out of load balancing; nothing is deleted."),
    "undrain": ("vm_fleet", "Let a drained VM back in."),
    "token": ("vm_office", "Issue a token by which a VM joins."),
    "tokens": ("vm_office", "List join tokens: for whom, from where, until when, used or not."),
    "withdraw": ("vm_office", "Make a join token useless that nobody has used."),
    "revoke": ("vm_office", "Take all rights from a VM's agent, and the VM out of load balancing."),
    "release-brake": ("vm_office", "Let those VMs go whom a brake of the registry's server holds."),
    "end-recovery": ("vm_office", "Trust the record of a restored registry again."),
    "audit": ("vm_office", "Check the log of what was decided about VMs, and show its end."),
    "accept": ("vm_fleet", "Print what to commit where a VM has another address now."),
    "agent-file": ("vm_agent", "Write the agent as one file to copy to VMs."),
}


@click.group(cls=Commands, table=COMMANDS)
def vm(**_: Any) -> None:
    """Bring VMs into the mesh, see how they are, take them out of load balancing and let them back in."""
