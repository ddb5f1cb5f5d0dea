"""Journal, inventory and last written documents of one store: queries, each inside somebody's transaction."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    select,
    tuple_,
    update,
)

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema import AnyRow
from reconciler.adapters.sql.schema_state import journal, objects, stores
from reconciler.core.resources import Document, Key
from reconciler.ports import JournalEntry

#: Values in one IN list: below every database's limit of parameters.
CHUNK = 500
#: Characters of a message that are kept.
MESSAGE = 4_000

_THE_STORE: BindParameter[int] = bindparam("the_store")


def is_key(table: Table) -> ColumnElement[bool]:
    """Return the condition "this row is of this store and key", with the parameters of `key_parameters`."""
    return and_(
        table.c.store == _THE_STORE, *(table.c[name] == bindparam(f"the_{name}") for name in ("kind", "namespace", "name"))
    )


def key_parameters(store: int, key: Key) -> dict[str, Any]:
    """Return the parameters of `is_key`."""
    return {"the_store": store, "the_kind": key.kind, "the_namespace": key.namespace, "the_name": key.name}


def key_columns(store: int, key: Key) -> dict[str, Any]:
    """Return the columns that name a key in a store."""
    return {"store": store, "kind": key.kind, "namespace": key.namespace, "name": key.name}


def row_key(row: AnyRow) -> Key:
    """Return the key in a row."""
    return Key(row.kind, row.namespace, row.name)


_NUMBERS = update(stores).where(stores.c.number == _THE_STORE).returning(stores.c.entries)
_INTEND = insert(journal)
_IS_ENTRY = and_(journal.c.store == _THE_STORE, journal.c.id == bindparam("the_id"))
_SETTLE = update(journal).where(_IS_ENTRY)
_OPEN = and_(journal.c.store == _THE_STORE, journal.c.outcome == "")
_DROP = delete(objects).where(is_key(objects))
_CLEAR = update(objects).where(is_key(objects), objects.c.entry < bindparam("the_entry"))
_COLUMNS = ("store", "kind", "namespace", "name", "document", "entry")


@dataclass(frozen=True, slots=True)
class JournalRows:
    """Queries over the rows of one store."""

    database: Database
    store: int

    def intend(self, connection: Connection, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        """Insert entries under new numbers; returns them with these."""
        grown = _NUMBERS.values(entries=stores.c.entries + len(entries))
        last = connection.execute(grown, {"the_store": self.store}).scalar_one()
        numbered = [replace(entry, id=last - len(entries) + place) for place, entry in enumerate(entries, start=1)]
        connection.execute(_INTEND, [self._columns(entry) for entry in numbered])
        return numbered

    def settle(self, connection: Connection, entries: Sequence[JournalEntry]) -> bool:
        """Store the outcomes of those that are still open; returns whether there were any."""
        still_open = {row.id: row for row in self._open(connection, [entry.id for entry in entries])}
        entries = [entry for entry in entries if entry.id in still_open]
        if not entries:
            return False
        outcomes = [
            {
                "the_store": self.store,
                "the_id": entry.id,
                "outcome": entry.outcome,
                "message": _text(entry.message),
                "ended": entry.ended,
            }
            for entry in entries
        ]
        connection.execute(_SETTLE, outcomes)
        # Of several writes to one object only the last one stands.
        done = sorted(entry.id for entry in entries if entry.outcome == "done")
        newest = {row_key(still_open[number]): still_open[number] for number in done}
        self._written(connection, [row.id for row in newest.values() if not row.deleted])
        self._deleted(connection, [row for row in newest.values() if row.deleted])
        return True

    def unsettled(self, connection: Connection) -> list[JournalEntry]:
        """Return the open entries, oldest first."""
        rows = connection.execute(select(journal).where(_OPEN).order_by(journal.c.id), {"the_store": self.store})
        return [_entry(row) for row in rows]

    def settled(self, connection: Connection, after: int) -> list[JournalEntry]:
        """Return the entries after that number that have an outcome, oldest first."""
        is_later = and_(self._mine(journal), journal.c.id > after, journal.c.outcome != "")
        return [_entry(row) for row in connection.execute(select(journal).where(is_later).order_by(journal.c.id))]

    def last(self, connection: Connection) -> int:
        """Return the number of the newest entry."""
        return int(connection.execute(select(stores.c.entries).where(stores.c.number == self.store)).scalar_one())

    def inventory(self, connection: Connection) -> frozenset[Key]:
        """Return all keys."""
        rows = connection.execute(select(objects.c.kind, objects.c.namespace, objects.c.name).where(self._mine(objects)))
        return frozenset(map(Key._make, rows))

    def widen(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Add keys that are not there yet."""
        rows = [{**key_columns(self.store, key), "entry": 0} for key in keys]
        if rows:
            connection.execute(self.database.insert(objects).on_conflict_do_nothing(), rows)

    def narrow(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Drop keys with their documents."""
        rows = [key_parameters(self.store, key) for key in keys]
        if rows:
            connection.execute(_DROP, rows)

    def written(self, connection: Connection, keys: Iterable[Key] | None) -> dict[Key, Document]:
        """Return the last written documents of these keys, or of all."""
        query = select(objects).where(self._mine(objects), objects.c.document.is_not(None))
        if keys is None:
            return {row_key(row): json.loads(row.document) for row in connection.execute(query)}
        columns = tuple_(objects.c.kind, objects.c.namespace, objects.c.name)
        found: dict[Key, Document] = {}
        for chunk in chunks(sorted(set(keys)), CHUNK // 3):
            rows = connection.execute(query.where(columns.in_([(key.kind, key.namespace, key.name) for key in chunk])))
            found.update((row_key(row), json.loads(row.document)) for row in rows)
        return found

    def deleted_services(self, connection: Connection, since: datetime) -> tuple[Key, ...]:
        """Return the ServiceEntries that a write of ours is known to have deleted since then."""
        entry = journal.c
        deletion = and_(entry.kind == "ServiceEntry", entry.action == "delete", entry.outcome == "done")
        query = select(entry.kind, entry.namespace, entry.name).where(self._mine(journal), deletion, entry.ended >= since)
        rows = connection.execute(query.order_by(entry.ended, entry.id))
        return tuple(dict.fromkeys(row_key(row) for row in rows))

    def forget(self, connection: Connection, before: datetime) -> None:
        """Drop settled entries that ended before then."""
        old = and_(journal.c.outcome != "", journal.c.ended < before)
        connection.execute(delete(journal).where(self._mine(journal), old))

    def _open(self, connection: Connection, numbers: Sequence[int]) -> Iterable[AnyRow]:
        entry = journal.c
        query = select(entry.id, entry.kind, entry.namespace, entry.name, entry.after.is_(None).label("deleted")).where(_OPEN)
        for chunk in chunks(numbers, CHUNK):
            yield from connection.execute(query.where(entry.id.in_(chunk)), {"the_store": self.store})

    def _written(self, connection: Connection, numbers: Sequence[int]) -> None:
        """Make journalled documents the last written ones, inside the database."""
        entry = journal.c
        documents = select(entry.store, entry.kind, entry.namespace, entry.name, entry.after, entry.id)
        for chunk in chunks(numbers, CHUNK):
            source = documents.where(entry.store == self.store, entry.id.in_(chunk))
            insertion = self.database.insert(objects).from_select(_COLUMNS, source)
            excluded = insertion.excluded
            connection.execute(
                insertion.on_conflict_do_update(
                    index_elements=objects.primary_key,
                    set_={"document": excluded.document, "entry": excluded.entry},
                    where=objects.c.entry < excluded.entry,
                )
            )

    def _deleted(self, connection: Connection, rows: Sequence[AnyRow]) -> None:
        cleared = [
            {**key_parameters(self.store, row_key(row)), "the_entry": row.id, "document": None, "entry": row.id} for row in rows
        ]
        if cleared:
            connection.execute(_CLEAR, cleared)

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return table.c.store == self.store

    def _columns(self, entry: JournalEntry) -> dict[str, Any]:
        return {
            **key_columns(self.store, entry.key),
            "id": entry.id,
            "plan": entry.plan,
            "action": str(entry.action),
            "after": None if entry.after is None else json.dumps(entry.after),
            "uid": entry.uid,
            "resource_version": entry.resource_version,
            "outcome": "",
            "message": "",
            "started": entry.started,
        }


def chunks(values: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """Yield the values in pieces of at most this size."""
    return (values[start : start + size] for start in range(0, len(values), size))


def _entry(row: AnyRow) -> JournalEntry:
    return JournalEntry(
        id=row.id,
        plan=row.plan,
        key=row_key(row),
        action=row.action,
        after=None if row.after is None else json.loads(row.after),
        uid=row.uid,
        resource_version=row.resource_version,
        outcome=row.outcome,
        message=row.message,
        started=row.started,
        ended=row.ended,
    )


def _text(text: str) -> str:
    """Return a foreign text as any database keeps it."""
    return text[:MESSAGE].replace("\0", "\ufffd").encode(errors="replace").decode()
