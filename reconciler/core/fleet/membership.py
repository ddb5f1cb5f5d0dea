"""Members of groups: the name that a join gets, and who must not lose it by that.

A token of a group names no VM: the name follows from the group and the verified address, so that nobody can ask for another's.
It is the one that istiod would give (pilot/pkg/autoregistration, with an IPv6 address written out). A VM that is rebuilt at its
address joins under the same name, with a higher epoch; one that is rebuilt elsewhere is another member, or gets a token for its
old name. What a join of a member comes to in its record stands in `core.groups.joins`.
"""

from collections.abc import Callable, Container
from ipaddress import ip_address

from reconciler.core.fleet.addresses import not_allowed
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.values import Agent, AgentState, Presence, Token, Workload
from reconciler.core.groups.joins import Gone, Join
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import checked_key
from reconciler.core.resources import Key


def member_key(token: Token, address: str) -> Key:
    """Return the workload that a token stands for at an address. Raises Rejected where the group's name is too long."""
    if not token.group:
        return Key(VIRTUAL_MACHINE, token.namespace, token.name)
    return checked_key(token.namespace, f"{token.group}-{_dashed(address)}")


def check_name_is_free(
    roster: Roster, token: Token, key: Key, address: str, taken: Container[Key], is_silent: Callable[[Agent], bool]
) -> None:
    """Let a member have its name. Raises Refused where it is a VM's of Git, of another group, or of one that lives elsewhere.

    `taken` are the names that Git gives to VMs. Whoever holds the name at this very address gives way: the address was proved.
    """
    holder = roster.workloads.get(key)
    if key in taken or (holder is not None and holder.group != token.group):
        raise Refused(Refusal.CONFLICT, f"{key.namespace}/{key.name} is a VM that is not of the group {token.group}")
    agent = roster.agents.get(holder.agent) if holder and holder.presence is Presence.PRESENT else None
    if agent and agent.state is AgentState.ACTIVE and agent.address != address and not is_silent(agent):
        raise not_allowed("the name belongs to a member of the group that lives at another address")


def join_of(workload: Workload, agent: Agent | None, before: Join | None) -> Join | None:
    """Return what the record of a workload has to say of its join, None where it is no member of a group.

    A VM that has gone has no address any more: then the one that it had, as told `before`, stays.
    """
    address = (agent.address if agent else "") or (before.address if before else "")
    if not workload.group or workload.joined is None or not address:
        return None
    gone = {Presence.PRESENT: None, Presence.LOST: Gone.LOST, Presence.LEFT: Gone.LEFT}[workload.presence]
    return Join(
        group=workload.group,
        at=workload.joined,
        epoch=workload.epoch,
        address=address,
        service_account=workload.service_account,
        network=workload.network,
        locality=workload.locality,
        gone=gone,
        since=workload.departed if gone else None,
    )


def _dashed(address: str) -> str:
    return ip_address(address).exploded.replace(".", "-").replace(":", "-")
