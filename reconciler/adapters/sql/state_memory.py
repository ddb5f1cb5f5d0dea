"""Decisions of people, counters, named values and history of one store: queries, each inside somebody's transaction."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, select, update

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema_state import cycles, due, fights, flips, overrides, remembered, stores
from reconciler.adapters.sql.state_journal import CHUNK, chunks, is_key, key_columns, key_parameters, row_key
from reconciler.core.resources import Document, Key
from reconciler.ports import CycleRecord, Override

#: Characters of one remembered value; a longer one is not kept.
MAX_VALUE = 16 * 1024 * 1024
HOUR = timedelta(hours=1)
#: Characters of a field's path and of a manager's name, which Kubernetes keeps to 128.
PATH, MANAGER = 1_000, 128


@dataclass(frozen=True, slots=True)
class MemoryRows:
    """Queries over the rows of one store; `memories` is how many values of one family are kept."""

    database: Database
    store: int
    memories: int

    def due(self, connection: Connection) -> dict[Key, datetime]:
        """Return since when keys have been due for deletion."""
        return {row_key(row): row.since for row in connection.execute(select(due).where(self._mine(due)))}

    def set_due(self, connection: Connection, keys: frozenset[Key], now: datetime) -> dict[Key, datetime]:
        """Make these keys the ones that are due, the new ones since now."""
        known = self.due(connection)
        gone = [key_parameters(self.store, key) for key in known.keys() - keys]
        new = [{**key_columns(self.store, key), "since": now} for key in keys - known.keys()]
        if gone:
            connection.execute(delete(due).where(is_key(due)), gone)
        if new:
            connection.execute(insert(due), new)
        return {key: known.get(key, now) for key in keys}

    def overrides(self, connection: Connection, digest: str) -> tuple[Override, ...]:
        """Return the overrides given for a plan, by name."""
        query = select(overrides).where(self._mine(overrides), overrides.c.digest == digest).order_by(overrides.c.name)
        return tuple(
            Override(row.digest, row.name, row.given_by, row.reason, row.given_at) for row in connection.execute(query)
        )

    def override(self, connection: Connection, given: Override) -> None:
        """Insert or replace an override."""
        said = {"given_by": given.by, "reason": given.reason, "given_at": given.at}
        insertion = self.database.insert(overrides).values(store=self.store, digest=given.digest, name=given.name, **said)
        connection.execute(insertion.on_conflict_do_update(index_elements=overrides.primary_key, set_=said))

    def flip(self, connection: Connection, key: Key, path: str, manager: str, now: datetime, limit: int) -> int:
        """Count a flip, make it a fight at the limit; returns how many there were within the hour."""
        what = {"path": path[:PATH], "manager": manager[:MANAGER]}
        columns = key_columns(self.store, key)
        connection.execute(delete(flips).where(self._mine(flips), flips.c.at <= now - HOUR))
        connection.execute(insert(flips).values(**columns, **what, at=now))
        same = and_(*(flips.c[name] == value for name, value in {**columns, **what}.items()))
        count = connection.execute(select(func.count()).select_from(flips).where(same)).scalar_one()
        if count >= limit:
            connection.execute(self.database.insert(fights).values(**columns, **what).on_conflict_do_nothing())
        return count

    def fights(self, connection: Connection) -> dict[Key, tuple[str, ...]]:
        """Return the fields in a fight, as ``path manager`` texts."""
        found: dict[Key, tuple[str, ...]] = {}
        rows = connection.execute(select(fights).where(self._mine(fights)))
        for row in rows:
            found[row_key(row)] = tuple(sorted((*found.get(row_key(row), ()), f"{row.path} {row.manager}")))
        return found

    def settle_fight(self, connection: Connection, key: Key) -> None:
        """Forget fights and flips of a key."""
        for table in (fights, flips):
            connection.execute(delete(table).where(is_key(table)), key_parameters(self.store, key))

    def remember(self, connection: Connection, values: Mapping[str, Document]) -> None:
        """Insert or replace values, and drop the oldest ones of their families."""
        texts = {name: json.dumps(value) for name, value in values.items()}
        kept = {name: text for name, text in texts.items() if len(text) <= MAX_VALUE}
        if not kept:
            return
        grown = update(stores).where(stores.c.number == self.store).values(turns=stores.c.turns + len(kept))
        last = connection.execute(grown.returning(stores.c.turns)).scalar_one()
        rows = [
            {"store": self.store, "name": name, "family": name.partition("/")[0], "turn": last - place, "value": text}
            for place, (name, text) in enumerate(kept.items())
        ]
        insertion = self.database.insert(remembered)
        newer = {"turn": insertion.excluded.turn, "value": insertion.excluded.value}
        connection.execute(insertion.on_conflict_do_update(index_elements=remembered.primary_key, set_=newer), rows)
        self._drop_oldest(connection, {row["family"] for row in rows})

    def recall(self, connection: Connection, names: Iterable[str]) -> dict[str, Document]:
        """Return those of these values that are there."""
        query = select(remembered.c.name, remembered.c.value).where(self._mine(remembered))
        return {
            row.name: json.loads(row.value)
            for chunk in chunks(sorted(set(names)), CHUNK)
            for row in connection.execute(query.where(remembered.c.name.in_(chunk)))
        }

    def record(self, connection: Connection, cycle: CycleRecord) -> None:
        """Add a cycle."""
        values = {"at": cycle.at, "commit_id": cycle.commit, "digest": cycle.digest, "outcome": cycle.outcome}
        counted = {"written": cycle.written, "report": json.dumps(cycle.report)}
        connection.execute(insert(cycles).values(store=self.store, **values, **counted))

    def history(self, connection: Connection, limit: int, before: int) -> list[CycleRecord]:
        """Return the newest cycles below a number (0: below none)."""
        query = select(cycles).where(self._mine(cycles)).order_by(cycles.c.id.desc()).limit(limit)
        rows = connection.execute(query.where(cycles.c.id < before) if before else query)
        return [
            CycleRecord(row.id, row.at, row.commit_id, row.digest, row.outcome, row.written, json.loads(row.report))
            for row in rows
        ]

    def forget(self, connection: Connection, before: datetime) -> None:
        """Drop cycles from before then."""
        connection.execute(delete(cycles).where(self._mine(cycles), cycles.c.at < before))

    def _drop_oldest(self, connection: Connection, families: Iterable[str]) -> None:
        for family in families:
            mine = and_(self._mine(remembered), remembered.c.family == family)
            oldest_kept = (
                select(remembered.c.turn).where(mine).order_by(remembered.c.turn.desc()).offset(self.memories - 1).limit(1)
            )
            connection.execute(delete(remembered).where(mine, remembered.c.turn < oldest_kept.scalar_subquery()))

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return table.c.store == self.store
