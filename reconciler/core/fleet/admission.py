"""A credential at the door: whose it is, whether a copy of it is about, whether our record is an older one than the agents.

A copy locks both holders out; the workloads keep their last health, so whoever stole a credential takes no endpoint away. A
record that is behind (a restored backup) is taken forward by the signed counters of the agents themselves: from then on the
fleet is `recovering` until a person ends that, and meanwhile nobody is locked, nothing flips and nothing expires.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.credentials import Claim, Credential, Standing, copied, standing, unknown
from reconciler.core.fleet.keeping import is_forgotten
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import NOTHING, Decision, Roster
from reconciler.core.fleet.values import Agent, AgentState, Fleet, Row, Workload


@dataclass(frozen=True, slots=True)
class Admission:
    """The agent as it is from now on. `decision` is to be stored first; then `refused` is the answer, where there is one."""

    agent: Agent | None
    decision: Decision = NOTHING
    refused: Refused | None = None

    @property
    def begins_recovery(self) -> bool:
        """Whether it is this credential that shows that the record is behind."""
        return any(isinstance(row, Fleet) for row in self.decision.rows)


def admit(roster: Roster, credential: Credential, now: datetime) -> Admission:
    """Return what comes of a credential that was signed by us."""
    agent = roster.agents.get(credential.agent)
    match standing(agent, credential):
        case Standing.CURRENT:
            return Admission(agent)
        case Standing.SUCCESSOR if agent:
            return _rotated(agent, credential, now)
        case Standing.AHEAD if agent or not is_forgotten(roster.fleet, credential.agent):
            return _recovered(roster, agent, credential, now)
        case Standing.COPIED if agent and not roster.fleet.recovering:
            return _locked(roster, agent, now)
    return Admission(None, refused=unknown())


def check_certificate(roster: Roster, credential: Credential, shown: str) -> None:
    """Hold a certificate against the one that a credential is bound to; empty where connections show none.

    Raises Refused, before anything comes of the credential: who has stolen it must have stolen the key of the certificate too.
    """
    agent = roster.agents.get(credential.agent)
    if agent and agent.certificate and shown and agent.certificate != shown:
        raise Refused(Refusal.CREDENTIAL_BOUND, "this credential is bound to another certificate than the one that is shown")


def recovery_by(roster: Roster, credential: Credential, now: datetime) -> Decision:
    """Return what a credential that is further than the record comes to, nothing for any other."""
    if standing(roster.agents.get(credential.agent), credential) is Standing.AHEAD:
        return admit(roster, credential, now).decision
    return NOTHING


def fallen_back(roster: Roster, now: datetime) -> Decision:
    """Return a fleet that recovers, since an older copy of the record was put in place under us."""
    if roster.fleet.recovering:
        return NOTHING
    entry = Entry(now, "registry", "recovering", "fleet", "the record is an older one than it was")
    return Decision((replace(roster.fleet, recovering=now),), (entry,))


def claims_of(roster: Roster, agent: str) -> tuple[Claim, ...]:
    """Return what a credential of an agent says of its workloads today."""
    return tuple(map(claim_of, roster.of(agent)))


def claim_of(workload: Workload) -> Claim:
    """Return what a credential says of a workload."""
    return Claim(workload.namespace, workload.name, workload.epoch, workload.group)


def _rotated(agent: Agent, credential: Credential, now: datetime) -> Admission:
    moved = replace(agent, counter=credential.counter, nonce=credential.nonce, rotated=now)
    return Admission(moved, Decision((moved,)))


def _locked(roster: Roster, agent: Agent, now: datetime) -> Admission:
    if agent.state is AgentState.LOCKED:
        return Admission(None, refused=copied())
    names = ", ".join(str(one.key) for one in roster.of(agent.id))
    entry = Entry(now, "registry", "credential-copied", agent.id, f"locked; it speaks for {names}")
    return Admission(None, Decision((replace(agent, state=AgentState.LOCKED),), (entry,)), copied())


def _recovered(roster: Roster, agent: Agent | None, credential: Credential, now: datetime) -> Admission:
    """Believe a signed credential more than a record that is behind it."""
    rows: list[Row] = []
    audit = [Entry(now, "registry", "recovered", credential.agent, f"counter {credential.counter}")]
    if roster.fleet.recovering is None:
        rows.append(replace(roster.fleet, recovering=now))
        audit.insert(0, Entry(now, "registry", "recovering", "fleet", "an agent is ahead of the record"))
    if agent is None:
        agent = Agent(credential.agent, now, now, credential.counter, credential.nonce, networks=credential.networks)
    else:
        agent = replace(agent, counter=credential.counter, nonce=credential.nonce, rotated=now)
    rows += [agent, *(one for claim in credential.claims if (one := _reclaimed(roster, claim, agent.id, now)))]
    return Admission(agent, Decision(tuple(rows), tuple(audit)))


def _reclaimed(roster: Roster, claim: Claim, agent: str, now: datetime) -> Workload | None:
    """Give a workload back to its agent, where the record knows of no later join. When a member joined nobody knows then."""
    claimed = Workload(claim.namespace, claim.name, claim.epoch, agent)
    known = roster.workloads.get(claimed.key)
    if known is None:
        return replace(claimed, group=claim.group, joined=now if claim.group else None)
    return replace(known, agent=agent, epoch=claim.epoch) if known.epoch < claim.epoch else None
