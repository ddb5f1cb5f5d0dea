"""The rows of a fleet by what they are looked up by, and what a decision about them comes to."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.values import Agent, Fleet, Presence, Row, Token, Workload
from reconciler.core.resources import Key


@dataclass(frozen=True, slots=True)
class Decision:
    """Rows to store, all or none, each over the version that it was decided on, and what the audit log gets.

    `gone` are rows to forget in the same write; one that is not there any more is gone already.
    """

    rows: tuple[Row, ...] = ()
    audit: tuple[Entry, ...] = ()
    gone: tuple[Row, ...] = ()


#: What comes of most heartbeats.
NOTHING = Decision()


class Roster:
    """All rows of a fleet. It belongs to one thread, which alone applies what was stored."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.tokens: dict[str, Token] = {}
        self.agents: dict[str, Agent] = {}
        self.workloads: dict[Key, Workload] = {}
        self.fleet = Fleet()
        self._of: dict[str, dict[Key, Workload]] = {}
        self._at: dict[str, set[str]] = {}
        self.apply(rows)

    def apply(self, rows: Iterable[Row]) -> None:
        """Take over rows as they are stored now; one that is known newer stays."""
        for row in rows:
            known = self._known(row)
            if known is None or known.version <= row.version:
                self._apply(row)

    def forget(self, rows: Iterable[Row]) -> None:
        """Let go of rows that are stored no more."""
        for row in rows:
            match row:
                case Token():
                    self.tokens.pop(row.digest, None)
                case Agent():
                    self.agents.pop(row.id, None)
                    self._at.get(row.address, set()).discard(row.id)
                    self._of.pop(row.id, None)
                case Workload():
                    self.workloads.pop(row.key, None)
                    self._of.get(row.agent, {}).pop(row.key, None)

    def of(self, agent: str) -> tuple[Workload, ...]:
        """Return the workloads that an agent speaks for."""
        return tuple(self._of.get(agent, {}).values())

    def at(self, address: str) -> tuple[Agent, ...]:
        """Return the agents that were last seen at an address."""
        return tuple(self.agents[one] for one in sorted(self._at.get(address, ())))

    def token(self, identity: str) -> Token | None:
        """Return a token by its id."""
        return next((one for one in self.tokens.values() if one.id == identity), None)

    def present(self) -> Iterable[Workload]:
        """Return the workloads that somebody answers for."""
        return (one for one in self.workloads.values() if one.presence is Presence.PRESENT)

    def _known(self, row: Row) -> Row | None:
        match row:
            case Token():
                return self.tokens.get(row.digest)
            case Agent():
                return self.agents.get(row.id)
            case Workload():
                return self.workloads.get(row.key)
            case Fleet():
                return self.fleet

    def _apply(self, row: Row) -> None:
        match row:
            case Token():
                self.tokens[row.digest] = row
            case Agent():
                self._apply_agent(row)
            case Workload():
                self._apply_workload(row)
            case Fleet():
                self.fleet = row

    def _apply_agent(self, agent: Agent) -> None:
        before = self.agents.get(agent.id)
        if before is not None and before.address != agent.address:
            self._at.get(before.address, set()).discard(agent.id)
        if agent.address:
            self._at.setdefault(agent.address, set()).add(agent.id)
        self.agents[agent.id] = agent

    def _apply_workload(self, workload: Workload) -> None:
        before = self.workloads.get(workload.key)
        if before is not None and before.agent != workload.agent:
            self._of.get(before.agent, {}).pop(workload.key, None)
        self.workloads[workload.key] = workload
        self._of.setdefault(workload.agent, {})[workload.key] = workload
