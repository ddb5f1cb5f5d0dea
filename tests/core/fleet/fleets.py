"""A fleet in memory, on values alone: agents that keep their credentials as real ones do, and time that is passed by hand."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from reconciler.core.fleet import operating
from reconciler.core.fleet.admission import admit, claims_of
from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.beating import Report, beat, successor_due
from reconciler.core.fleet.brakes import BrakeRules
from reconciler.core.fleet.credentials import Credential, Signer
from reconciler.core.fleet.joining import Newcomer, join, usable
from reconciler.core.fleet.keeping import agent_id
from reconciler.core.fleet.leases import Pace
from reconciler.core.fleet.operating import Grant
from reconciler.core.fleet.roster import Decision, Roster
from reconciler.core.fleet.rows import identity
from reconciler.core.fleet.sweep import Silence, sweep
from reconciler.core.fleet.values import Agent, Row, Sign, Workload
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import Health
from reconciler.core.resources import Key

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SIGNER = Signer("production", (b"k" * 32,))
_numbers = count()


def key(name: str = "vm-1", namespace: str = "shop") -> Key:
    """Return the key of a workload."""
    return Key(VIRTUAL_MACHINE, namespace, name)


@dataclass(slots=True)
class Vm:
    """What an agent keeps: its credential. Two of one value are a VM and a copy of it."""

    credential: str = ""
    address: str = "10.0.0.1"


@dataclass(slots=True)
class FleetWorld:
    """The server's side, decided by the same functions as there, and stored as a store does."""

    now: datetime = NOON
    pace: Pace = field(default_factory=Pace)
    rules: BrakeRules = field(default_factory=BrakeRules)
    roster: Roster = field(default_factory=Roster)
    signs: dict[str, Sign] = field(default_factory=dict)
    since: datetime = NOON
    localities: dict[Key, str] = field(default_factory=dict)
    audit: list[Entry] = field(default_factory=list)
    version: int = 0

    @property
    def silence(self) -> Silence:
        """What is known of who is silent."""
        return Silence(self.signs, self.since, self.localities, self.pace, self.rules)

    def is_silent(self, agent: Agent) -> bool:
        """Whether an agent's lease is over."""
        return self.silence.is_silent(agent, self.now)

    def store(self, decision: Decision) -> None:
        """Store and apply a decision. No row may be in one twice."""
        assert len({identity(row) for row in decision.rows}) == len(decision.rows)
        stored: list[Row] = []
        for row in decision.rows:
            self.version += 1
            stored.append(replace(row, version=self.version))
        self.roster.apply(stored)
        self.roster.forget(decision.gone)
        for row in stored:
            if isinstance(row, Workload):
                self.localities.setdefault(row.key, "")  # Git knows it, as long as a test does not say otherwise
        self.audit += decision.audit

    def token(
        self,
        name: str = "vm-1",
        namespace: str = "shop",
        networks: tuple[str, ...] = (),
        life: timedelta = HOUR,
        group: str = "",
    ) -> str:
        """Issue a token, for a VM or for a member of a group."""
        text = f"mrj1_{next(_numbers)}"
        _, decision = operating.issue(Grant(namespace, name, "", networks, life, group), text[5:], text, "operator", self.now)
        self.store(decision)
        return text

    def join(self, vm: Vm, token: str) -> None:
        """Let a VM join with a token; it keeps the credential. Raises Refused."""
        credential = SIGNER.read(vm.credential) if vm.credential else None
        agent = admit(self.roster, credential, self.now).agent if credential else None
        number = next(_numbers)
        name = agent.id if agent else agent_id(self.now, f"{number:x}")
        new = Newcomer(name, vm.address, {}, agent, credential if agent else None)
        usable_token = usable(self.roster, token, self.now)
        joined = join(self.roster, usable_token, new, self.now, f"nonce-{number}", self.is_silent)
        self.store(joined.decision)
        self._sign(joined.agent.id)
        vm.credential = SIGNER.text(joined.credential)

    def newcomer(self, name: str = "vm-1", address: str = "10.0.0.1", namespace: str = "shop") -> Vm:
        """Let a new VM join."""
        vm = Vm(address=address)
        self.join(vm, self.token(name, namespace))
        return vm

    def beat(self, vm: Vm, health: Health = Health.HEALTHY, reason: str = "", *, keeps: bool = True) -> str:
        """Let a VM report this of all its workloads; returns the successor that it was given. Raises Refused.

        It uses a successor from its next beat on, unless the answer was lost on the way (`keeps`).
        """
        credential = SIGNER.read(vm.credential)
        admission = admit(self.roster, credential, self.now)
        if admission.agent is None:
            self.store(admission.decision)
            assert admission.refused is not None
            raise admission.refused
        known = self.roster.agents.get(credential.agent)
        healths = {one.key: (health, reason) for one in self.roster.of(credential.agent)}
        self.store(beat(self.roster, admission, Report(healths, vm.address, {}), self.now, self.is_silent))
        self._sign(credential.agent)
        moved = known is not None and known.address not in ("", vm.address)
        successor = self._successor(credential, moved=moved)
        if keeps and successor:
            vm.credential = successor
        return successor

    def sweep(self) -> list[Workload]:
        """Sweep once; returns who was lost."""
        decision = sweep(self.roster, self.silence, self.now)
        self.store(decision)
        return [row for row in decision.rows if isinstance(row, Workload)]

    def actions(self) -> list[str]:
        """What the audit log says was done, in order."""
        return [entry.action for entry in self.audit]

    def workload(self, name: str = "vm-1", namespace: str = "shop") -> Workload:
        """Return a workload as it stands."""
        return self.roster.workloads[key(name, namespace)]

    def _successor(self, credential: Credential, *, moved: bool) -> str:
        agent = self.roster.agents[credential.agent]
        if not successor_due(self.roster, agent, credential, self.now, self.pace.rotate, moved=moved):
            return ""
        claims = claims_of(self.roster, agent.id)
        return SIGNER.text(credential.successor(f"nonce-{next(_numbers)}", claims, agent.networks))

    def _sign(self, agent: str) -> None:
        next_in = self.pace.next_in(len(self.roster.agents))
        self.signs[agent] = Sign(self.now, self.pace.lease_for(next_in))
