"""Joining: a token, used once, makes a workload an agent's; that of a group makes a new member of it (`membership`).

A rebuilt VM gets a token for the same name: its join raises the epoch of that name, and the agent before it is fenced. An
address belongs to one agent. While its holder lives nobody else gets it; a holder that is silent is taken out of the mesh in
the very write that lets the new one in (a rebuilt VM often gets the address of an old one).
"""

import hashlib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.core.fleet.addresses import not_allowed
from reconciler.core.fleet.admission import claim_of, claims_of
from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.credentials import Claim, Credential
from reconciler.core.fleet.membership import check_name_is_free, member_key
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import Decision, Roster
from reconciler.core.fleet.values import Agent, AgentState, Presence, Row, Token, Workload
from reconciler.core.resources import Key

#: Longest life of a token, and its usual one.
LONGEST_LIFE, USUAL_LIFE = timedelta(days=7), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Joined:
    """What to store, and the credential to hand out once it is stored."""

    decision: Decision
    agent: Agent
    credential: Credential


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who joins: an agent that is known already, with the credential that it showed, or a new id.

    The address is verified, and so is the certificate, which is empty where none is asked for. `network` and `locality` are
    what it says of itself.
    """

    id: str
    address: str
    versions: Mapping[str, str]
    agent: Agent | None = None
    credential: Credential | None = None
    certificate: str = ""
    network: str = ""
    locality: str = ""


def digest(text: str) -> str:
    """Return what is kept of a token. It has 256 random bits, so a plain hash is as hard to turn back as a slow one."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def usable(roster: Roster, text: str, now: datetime) -> Token:
    """Return the token of a text that may be used now. Raises Refused."""
    if roster.fleet.recovering:
        raise Refused(
            Refusal.RECOVERING,
            "the registry's record is an older one, which may take a used token for a new one: nobody joins until a person "
            "has ended the recovery",
            retry_after=timedelta(minutes=1),
        )
    token = roster.tokens.get(digest(text))
    if token is None or token.withdrawn:
        raise Refused(Refusal.TOKEN_UNKNOWN, "there is no such join token")
    if token.used_by:
        raise Refused(Refusal.TOKEN_USED, "this join token was used already")
    if now >= token.expires:
        raise Refused(Refusal.TOKEN_EXPIRED, "this join token has expired")
    return token


def join(
    roster: Roster,
    token: Token,
    new: Newcomer,
    now: datetime,
    nonce: str,
    is_silent: Callable[[Agent], bool],
    taken: Container[Key] = frozenset(),
) -> Joined:
    """Return what a join comes to. Raises Refused where the address belongs to a VM that lives.

    A member of a group gets no name that is `taken`: one that Git gives to a VM.
    """
    key = member_key(token, new.address)
    if token.group:
        check_name_is_free(roster, token, key, new.address, taken, is_silent)
    before = roster.workloads.get(key)
    fenced = roster.agents.get(before.agent) if before and before.agent != new.id else None
    agent = _agent(token, new, now, nonce)
    workload = _joined(token, key, new, before, now)
    if fenced is not None and fenced.state is AgentState.REVOKED:
        workload = replace(workload, draining=False, drain=None)  # what was revoked with it ends with the new token
    rows: list[Row] = [replace(token, used_by=new.id), agent, workload]
    rows += displaced(roster, new.address, [new.id, *([fenced.id] if fenced else [])], now, is_silent)
    if fenced is not None and len(roster.of(fenced.id)) == 1:
        rows.append(replace(fenced, state=AgentState.FENCED, address=""))
    audit = (Entry(now, f"token/{token.id}", "joined", str(key), f"agent {new.id} at {new.address}, epoch {workload.epoch}"),)
    others = [claim for claim in claims_of(roster, new.id) if (claim.namespace, claim.name) != (key.namespace, key.name)]
    claims = [*others, claim_of(workload)]
    return Joined(Decision(tuple(rows), audit), agent, _credential(agent, new, claims, nonce))


def _joined(token: Token, key: Key, new: Newcomer, before: Workload | None, now: datetime) -> Workload:
    """Return the workload of a join. A member that joins by a token for its own name stays in its group."""
    group = token.group or (before.group if before else "")
    joined = Workload(key.namespace, key.name, 1, new.id, token.service_account)
    if group:
        joined = replace(joined, group=group, network=new.network, locality=new.locality, joined=now)
    if before is None:
        return joined
    account = token.service_account or (before.service_account if group else "")
    return replace(
        joined,
        epoch=before.epoch + 1,
        service_account=account,
        damping=before.damping,
        draining=before.draining,
        drain=before.drain,
        version=before.version,
    )


def displaced(roster: Roster, address: str, own: Sequence[str], now: datetime, is_silent: Callable[[Agent], bool]) -> list[Row]:
    """Return what takes silent agents off an address that somebody else has now. Raises Refused where one of them lives."""
    rows: list[Row] = []
    for agent in roster.at(address):
        if agent.id in own or agent.state in (AgentState.REVOKED, AgentState.FENCED):
            continue
        present = [one for one in roster.of(agent.id) if one.presence is Presence.PRESENT]
        if present and not is_silent(agent):
            raise not_allowed("the address belongs to another VM, which is alive")
        rows.append(replace(agent, address=""))
        reason = "its address is another VM's now"
        rows += [replace(one, presence=Presence.LOST, departed=now, planned=True, reason=reason) for one in present]
    return rows


def _agent(token: Token, new: Newcomer, now: datetime, nonce: str) -> Agent:
    if new.agent is None:
        return Agent(new.id, now, now, 1, nonce, AgentState.ACTIVE, new.address, token.networks, new.versions, new.certificate)
    networks = new.agent.networks or token.networks
    certificate = new.agent.certificate or new.certificate
    return replace(new.agent, address=new.address, networks=networks, versions=new.versions, certificate=certificate)


def _credential(agent: Agent, new: Newcomer, claims: Sequence[Claim], nonce: str) -> Credential:
    if new.credential is None:
        return Credential(agent.id, 1, nonce, tuple(claims), agent.networks)
    return new.credential.successor(nonce, claims, agent.networks)
