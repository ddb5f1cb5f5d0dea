"""What operators decide, and what an agent's own goodbye comes to."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.drain import PATIENCE, Drain
from reconciler.core.fleet.addresses import network_of
from reconciler.core.fleet.admission import Admission
from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.brakes import ALL, Member
from reconciler.core.fleet.joining import LONGEST_LIFE, digest
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import NOTHING, Decision, Roster
from reconciler.core.fleet.sweep import Silence, braking, due, lost
from reconciler.core.fleet.values import AgentState, Presence, Row, Token, Workload
from reconciler.core.records import checked_key
from reconciler.core.resources import Key

#: The account of a WorkloadGroup whose template names none, as in Istio.
USUAL_ACCOUNT = "default"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is to be good for: one workload, or a member of a group."""

    namespace: str
    name: str
    service_account: str
    networks: tuple[str, ...]
    life: timedelta
    group: str = ""


def issue(grant: Grant, identity: str, text: str, actor: str, now: datetime) -> tuple[Token, Decision]:
    """Return a new token; only its hash is kept. Raises Rejected for names, networks and times that cannot be."""
    if not timedelta(0) < grant.life <= LONGEST_LIFE:
        raise Refused(Refusal.INVALID, f"a token lives up to {LONGEST_LIFE.days} days")
    for network in grant.networks:
        network_of(network)
    if bool(grant.name) == bool(grant.group):
        raise Refused(Refusal.INVALID, "a token is for one VM, or for a member of one group")
    if grant.group and not grant.networks:
        raise Refused(Refusal.INVALID, "a token for a member of a group says in which networks the VM must be")
    key = checked_key(grant.namespace, grant.name or grant.group)
    token = Token(
        id=identity,
        digest=digest(text),
        namespace=key.namespace,
        name=grant.name,
        created=now,
        expires=now + grant.life,
        service_account=grant.service_account or (USUAL_ACCOUNT if grant.group else ""),
        networks=grant.networks,
        group=grant.group,
    )
    return token, Decision((token,), (Entry(now, actor, "token-issued", token.subject, f"token {identity}"),))


def withdraw(roster: Roster, identity: str, actor: str, now: datetime) -> Decision:
    """Return a token made useless. Raises Refused where there is none."""
    token = roster.token(identity)
    if token is None:
        raise Refused(Refusal.NOT_FOUND, "there is no such token")
    return Decision(
        (replace(token, withdrawn=True),), (Entry(now, actor, "token-withdrawn", token.subject, f"token {identity}"),)
    )


def drain(
    roster: Roster,
    key: Key,
    actor: str,
    now: datetime,
    *,
    draining: bool,
    within: timedelta = PATIENCE,
    known: Container[Key] = frozenset(),
) -> Decision:
    """Return a workload on its way out, or back in; nothing where it is there already. Raises Refused.

    `within` is for how long its last requests are awaited. `known` are the VMs of Git: one of them may have no agent, since
    somebody else tells its health.
    """
    workload = Workload(key.namespace, key.name, 0, "") if key in known and key not in roster.workloads else found(roster, key)
    if workload.draining == draining:
        return NOTHING
    said = Drain(actor, now, now + within) if draining else None
    audit = Entry(now, actor, "drain" if draining else "undrain", str(key))
    return Decision((replace(workload, draining=draining, drain=said),), (audit,))


def revoke(roster: Roster, silence: Silence, key: Key, actor: str, now: datetime) -> Decision:
    """Return a VM without any right: its credential is dead in the write that takes its workloads out.

    They are drained, too: so those leave load balancing whose health does not count there. Raises Refused where so many at once
    would trip a brake: whoever has stolen an operator's token empties nothing with it.
    """
    agent = roster.agents.get(found(roster, key).agent)
    if agent is None or agent.state is AgentState.REVOKED:
        raise Refused(Refusal.CONFLICT, "nobody speaks for this workload any more")
    present = [one for one in roster.of(agent.id) if one.presence is Presence.PRESENT]
    if held := _held(roster, silence, present, now):
        raise Refused(Refusal.BRAKE, f"the brake of {', '.join(held)} holds: drain it first, or release the brake")
    rows: list[Row] = [replace(agent, state=AgentState.REVOKED, address="")]
    said = Drain(actor, now, now + PATIENCE)
    for one in roster.of(agent.id):
        out = _gone(one, silence, now, "revoked by an operator") if one in present else one
        rows.append(replace(out, draining=True, drain=one.drain or said))
    return Decision(tuple(rows), (Entry(now, actor, "revoke", str(key), f"agent {agent.id}"),))


def leave(roster: Roster, silence: Silence, admission: Admission, now: datetime) -> Decision:
    """Return what an agent's goodbye comes to. Where too many leave at once it is silence, which the brakes hold."""
    agent, before = admission.agent, admission.decision
    if agent is None or roster.fleet.recovering or admission.begins_recovery:
        return before
    present = [one for one in roster.of(agent.id) if one.presence is Presence.PRESENT]
    if _held(roster, silence, present, now):
        return before
    rows = (_gone(one, silence, now, "its agent has left") for one in present)
    audit = (Entry(now, f"agent/{agent.id}", "left", str(one.key)) for one in present)
    return Decision((*before.rows, *rows), (*before.audit, *audit))


def release(roster: Roster, silence: Silence, scope: str, actor: str, now: datetime) -> Decision:
    """Return those lost whom a brake holds, by a person's will, so that no brake counts them. Raises Refused."""
    if scope not in roster.fleet.tripped:
        raise Refused(Refusal.NOT_FOUND, "no brake holds there")
    let_go = [roster.workloads[one.key] for one in due(roster, silence, now) if scope in one.scopes]
    left = {one: since for one, since in roster.fleet.tripped.items() if one not in (scope, *_within(scope, roster))}
    rows: list[Row] = [replace(lost(one, now, "let go by an operator"), planned=True) for one in let_go]
    rows.append(replace(roster.fleet, tripped=left))
    return Decision(tuple(rows), (Entry(now, actor, "brake-released", scope, f"{len(let_go)} let go"),))


def end_recovery(roster: Roster, actor: str, now: datetime) -> Decision:
    """Return a fleet whose record is trusted again. Raises Refused.

    Older tokens that look unused may have been used since the backup: they are withdrawn. Those issued meanwhile are good.
    """
    began = roster.fleet.recovering
    if began is None:
        raise Refused(Refusal.CONFLICT, "the registry is not recovering")
    unused = [one for one in roster.tokens.values() if not one.used_by and not one.withdrawn and one.created <= began]
    rows: list[Row] = [replace(roster.fleet, recovering=None), *(replace(one, withdrawn=True) for one in unused)]
    return Decision(tuple(rows), (Entry(now, actor, "recovery-ended", "fleet", f"{len(unused)} tokens withdrawn"),))


def found(roster: Roster, key: Key) -> Workload:
    """Return a workload. Raises Refused where nobody has ever joined as it."""
    workload = roster.workloads.get(key)
    if workload is None:
        raise Refused(Refusal.NOT_FOUND, "no VM has joined under this name")
    return workload


def _within(scope: str, roster: Roster) -> Sequence[str]:
    return tuple(roster.fleet.tripped) if scope == ALL else ()


def _gone(workload: Workload, silence: Silence, now: datetime, reason: str) -> Workload:
    planned = silence.is_planned(workload)
    return replace(workload, presence=Presence.LEFT, departed=now, planned=planned, reason=reason)


def _held(roster: Roster, silence: Silence, going: Sequence[Workload], now: datetime) -> tuple[str, ...]:
    """Return the scopes that would not let these go; who is meant to goes freely."""
    asking = [Member(one.key, silence.scopes(one), now) for one in going if not silence.is_planned(one)]
    held = braking(roster, silence, asking, now).held if asking else {}
    return tuple(sorted({scope for scopes in held.values() for scope in scopes}))
