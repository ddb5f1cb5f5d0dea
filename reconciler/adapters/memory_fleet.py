"""What the registry's server keeps, in memory, for tests. It keeps the promises of the SQL one."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice, takewhile

from reconciler.core.fleet.audit import Extent, Link, Mark, linked
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.rows import identity
from reconciler.core.fleet.values import Agent, Row, Sign
from reconciler.errors import Conflict
from reconciler.ports import FleetChanges


class MemoryFleet:
    """The rows of one target."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: dict[tuple[str, str], Row] = {}
        self._signs: dict[str, Sign] = {}
        self._links: list[Link] = []
        self._cut = Mark()
        self._version = 0

    def changes(self, since: int = 0) -> FleetChanges:
        """Return the rows that were written after a version, in the order of their writes."""
        with self._lock:
            newer = (row for row in self._rows.values() if row.version > since)
            return FleetChanges(self._version, tuple(sorted(newer, key=lambda row: row.version)))

    def save(self, decision: Decision) -> tuple[Row, ...]:
        """Store all rows of a decision, or none. Raises Conflict."""
        with self._lock:
            for row in decision.rows:
                known = self._rows.get(identity(row))
                if row.version != (known.version if known else 0):
                    raise Conflict(f"{' '.join(identity(row)).strip()} was written by somebody else meanwhile")
            for row in decision.gone:
                known = self._rows.get(identity(row))
                if known and known.version != row.version:
                    raise Conflict(f"{' '.join(identity(row)).strip()} was written by somebody else meanwhile")
            for row in decision.gone:
                self._rows.pop(identity(row), None)
                if isinstance(row, Agent):
                    self._signs.pop(row.id, None)
            self._links += linked(decision.audit, self.extent().newest)
            return tuple(self._write(row) for row in decision.rows)

    def sign(self, signs: Mapping[str, Sign]) -> None:
        """Keep the newest sign of each agent."""
        with self._lock:
            for agent, sign in signs.items():
                known = self._signs.get(agent)
                self._signs[agent] = sign if known is None or sign.at > known.at else known

    def signs(self) -> Mapping[str, Sign]:
        """Return the newest sign of each agent."""
        with self._lock:
            return dict(self._signs)

    def audit(self, after: int = 0, limit: int = 1000) -> tuple[Link, ...]:
        """Return links of the audit log by their numbers."""
        with self._lock:
            return tuple(link for link in self._links if link.number > after)[:limit]

    def extent(self) -> Extent:
        """Return where the audit log begins and ends."""
        with self._lock:
            return Extent(self._cut, self._links[-1].mark if self._links else self._cut)

    def cut(self, before: datetime, most: int) -> int:
        """Cut off the oldest links."""
        with self._lock:
            old = tuple(islice(takewhile(lambda link: link.entry.at < before, self._links), most))
            self._links = self._links[len(old) :]
            self._cut = old[-1].mark if old else self._cut
            return len(old)

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, row: Row) -> Row:
        self._version += 1
        self._rows[identity(row)] = replace(row, version=self._version)
        return self._rows[identity(row)]
