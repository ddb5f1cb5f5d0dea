"""What agents ask for: join, heartbeat, leave. Decided by `core.fleet` on the ledger, in the event loop's thread."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.fleet.addresses import verified, wanted_addresses
from reconciler.core.fleet.admission import Admission, admit, check_certificate, claims_of, recovery_by
from reconciler.core.fleet.beating import Report, beat, successor_due
from reconciler.core.fleet.credentials import Credential, Signer, unknown
from reconciler.core.fleet.joining import Joined, Newcomer, join, usable
from reconciler.core.fleet.keeping import agent_id
from reconciler.core.fleet.operating import leave
from reconciler.core.fleet.refusals import Refused
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.sweep import Silence
from reconciler.core.fleet.values import Agent, Workload
from reconciler.core.records import Health
from reconciler.core.resources import Key
from reconciler.registry.hearing import Hearing
from reconciler.registry.ledger import Ledger
from reconciler.registry.proving import Prover
from reconciler.registry.publishing import Publisher

#: How soon an agent that has just joined is to come.
SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: where from, with which addresses of its own, running what, showing whose certificate (empty: none is asked).

    `network` and `locality` are told at a join.
    """

    source: str
    addresses: Sequence[str]
    versions: Mapping[str, str]
    certificate: str = ""
    network: str = ""
    locality: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent is told: when to come again, a credential to use from then on, its workloads."""

    next_in: timedelta
    credential: str | None
    workloads: tuple[Workload, ...]


class Registrar:
    """The registry's side of a conversation with an agent."""

    def __init__(self, ledger: Ledger, hearing: Hearing, publisher: Publisher, signer: Signer, prover: Prover) -> None:
        self.ledger, self.hearing, self.publisher = ledger, hearing, publisher
        self._signer, self._prover = signer, prover

    def silence(self) -> Silence:
        """Return what is known of who is silent."""
        return self.hearing.silence(self.publisher.localities)

    async def join(self, token: str, shown: str, caller: Caller) -> Answer:
        """Make a workload an agent's; who shows a credential that is good adds one to those he has. Raises Refused."""
        self.hearing.check()  # before a token is spent on it
        credential = self._read(shown)
        if credential is not None:
            check_certificate(self.ledger.roster, credential, caller.certificate)
            await self.ledger.decided(lambda now: recovery_by(self.ledger.roster, credential, now), lambda one: one)
        networks = usable(self.ledger.roster, token, self.ledger.now).networks
        wanted = wanted_addresses(caller.addresses, networks)
        address = verified(wanted, await self._prover.proved(wanted, caller.source))
        new, nonce = agent_id(self.ledger.now, secrets.token_hex(16)), secrets.token_hex(16)

        def decide(now: datetime) -> Joined:
            roster = self.ledger.roster
            found = admit(roster, credential, now).agent if credential else None
            comer = Newcomer(
                id=found.id if found else new,
                address=address,
                versions=caller.versions,
                agent=found,
                credential=credential if found else None,
                certificate=caller.certificate,
                network=caller.network,
                locality=caller.locality,
            )
            good, taken = usable(roster, token, now), self.publisher.named_by_git
            outcome = join(roster, good, comer, now, nonce, self._is_silent(now), taken)
            self._signer.check_fits(outcome.credential)  # before the token is spent
            return outcome

        joined = await self.ledger.decided(decide, lambda one: one.decision)
        self.hearing.hear(joined.agent.id, len(self.ledger.roster.agents))
        return Answer(SOON, self._signer.text(joined.credential), self.ledger.roster.of(joined.agent.id))

    async def heartbeat(self, text: str, healths: Mapping[Key, tuple[Health, str]], caller: Caller) -> Answer:
        """Take in what an agent says of its workloads. Raises Refused."""
        self.hearing.check()
        credential = self._signer.read(text)
        check_certificate(self.ledger.roster, credential, caller.certificate)
        known = self.ledger.roster.agents.get(credential.agent)
        wanted = wanted_addresses(caller.addresses, known.networks if known else credential.networks)
        address = verified(wanted, await self._prover.proved(wanted, caller.source, known.address if known else ""))

        def decide(now: datetime) -> tuple[Admission, Decision]:
            admission = admit(self.ledger.roster, credential, now)
            report = Report(healths, address, caller.versions, caller.certificate)
            return admission, beat(self.ledger.roster, admission, report, now, self._is_silent(now))

        admission, _ = await self.ledger.decided(decide, lambda one: one[1])
        agent = _admitted(admission)
        self.hearing.hear(agent.id, len(self.ledger.roster.agents))
        moved = known is not None and known.address not in ("", address)
        successor = self._successor(agent.id, credential, moved=moved)
        next_in = self.hearing.pace.next_in(len(self.ledger.roster.agents))
        return Answer(next_in, successor, self.ledger.roster.of(agent.id))

    async def leave(self, text: str, certificate: str) -> None:
        """Take in an agent's goodbye. Raises Refused."""
        credential = self._signer.read(text)
        check_certificate(self.ledger.roster, credential, certificate)

        def decide(now: datetime) -> tuple[Admission, Decision]:
            admission = admit(self.ledger.roster, credential, now)
            return admission, leave(self.ledger.roster, self.silence(), admission, now)

        admission, _ = await self.ledger.decided(decide, lambda one: one[1])
        _admitted(admission)

    def probe(self, key: Key) -> object:
        """Return the probe that the record of a workload says, None where it says none."""
        record = self.publisher.records.get(key)
        return record.document["spec"].get("probe") if record else None

    def _read(self, shown: str) -> Credential | None:
        try:
            return self._signer.read(shown)
        except Refused:
            return None

    def _successor(self, identity: str, credential: Credential, *, moved: bool) -> str | None:
        roster = self.ledger.roster
        agent, rotate = roster.agents[identity], self.hearing.pace.rotate
        if not successor_due(roster, agent, credential, self.ledger.now, rotate, moved=moved):
            return None
        claims = claims_of(roster, identity)
        return self._signer.text(credential.successor(secrets.token_hex(16), claims, agent.networks))

    def _is_silent(self, now: datetime) -> Callable[[Agent], bool]:
        silence = self.silence()
        return lambda agent: silence.is_silent(agent, now)


def _admitted(admission: Admission) -> Agent:
    if admission.agent is None:
        raise admission.refused or unknown()
    return admission.agent
