"""What others are shown: the status of a record in the VM registry, and a VM as operators see it."""

from datetime import UTC, datetime

from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.sweep import Silence
from reconciler.core.fleet.values import AgentState, Presence, Sign, Token, Workload, reason_of
from reconciler.core.records import Health, MachineStatus
from reconciler.core.resources import Document


def held_by(roster: Roster, workload: Workload, silence: Silence, now: datetime) -> tuple[str, ...]:
    """Return the scopes whose brakes keep a silent workload from being lost."""
    agent = roster.agents.get(workload.agent) if roster.fleet.tripped else None
    if agent is None or agent.state is not AgentState.ACTIVE or workload.presence is not Presence.PRESENT:
        return ()
    silent = not silence.is_planned(workload) and silence.is_silent(agent, now)
    return tuple(scope for scope in silence.scopes(workload) if silent and scope in roster.fleet.tripped)


def status_of(roster: Roster, workload: Workload, sign: Sign | None, *, held: bool = False) -> MachineStatus:
    """Return the status of a workload's record: who is lost or has left is unhealthy, whatever he said last."""
    agent = roster.agents.get(workload.agent)
    return MachineStatus(
        address=agent.address if agent else "",
        health=workload.health if workload.presence is Presence.PRESENT else Health.UNHEALTHY,
        last_seen=sign.at if sign else None,
        reason=reason_of(workload),
        draining=workload.draining,
        drain=workload.drain,
        held=held,
    )


def shown(roster: Roster, workload: Workload, silence: Silence, now: datetime) -> Document:
    """Return a workload as operators see it: health, last seen, lease, who holds it and why."""
    agent = roster.agents.get(workload.agent)
    sign = silence.signs.get(workload.agent)
    ends = silence.deadline(workload.agent, now)
    return {
        "namespace": workload.namespace,
        "name": workload.name,
        "presence": workload.presence.value,
        "health": status_of(roster, workload, sign).health.value,
        "reported": workload.reported.value,
        "reason": reason_of(workload),
        "draining": workload.draining,
        "drain": workload.drain.document if workload.drain else None,
        "flapping": workload.damping.held_out,
        "address": agent.address if agent else "",
        "agent": workload.agent,
        "agentState": agent.state.value if agent else "",
        "versions": dict(agent.versions) if agent else {},
        "certificate": agent.certificate if agent else "",
        "serviceAccount": workload.service_account,
        "epoch": workload.epoch,
        "joined": moment(workload.joined) if workload.joined else None,
        "lastSeen": moment(sign.at) if sign else None,
        "leaseEnds": moment(ends) if workload.agent else None,
        "heldBy": list(held_by(roster, workload, silence, now)),
        "version": workload.version,
    }


def shown_token(token: Token, now: datetime) -> Document:
    """Return a token as operators see it; its text is not known."""
    used = "used" if token.used_by else ""
    state = used or ("withdrawn" if token.withdrawn else "expired" if now >= token.expires else "open")
    return {
        "id": token.id,
        "namespace": token.namespace,
        "name": token.name,
        "group": token.group,
        "serviceAccount": token.service_account,
        "addresses": list(token.networks),
        "created": moment(token.created),
        "expires": moment(token.expires),
        "state": state,
        "usedBy": token.used_by,
    }


def moment(time: datetime) -> str:
    """Return a time as RFC 3339, UTC."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
