"""What the registry's server keeps, in memory, for tests. It keeps the promises of the SQL one."""

import threading
from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.fleet.audit import BEGINNING, Link, linked
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.rows import identity
from reconciler.core.fleet.values import Row, Sign
from reconciler.errors import Conflict
from reconciler.ports import FleetChanges


class MemoryFleet:
    """The rows of one target."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], Row] = {}
        self._signs: dict[str, Sign] = {}
        self._links: list[Link] = []
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
            last = self._links[-1] if self._links else None
            self._links += linked(decision.audit, len(self._links), last.hash if last else BEGINNING)
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
            return tuple(self._links[after : after + limit])

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, row: Row) -> Row:
        self._version += 1
        self._rows[identity(row)] = replace(row, version=self._version)
        return self._rows[identity(row)]
