"""The rows of one target's registry: single queries, each inside somebody's transaction."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
    func,
    insert,
    or_,
    select,
    update,
)

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema import AnyRow
from reconciler.adapters.sql.schema_registry import machines, removed, targets
from reconciler.core.documents import shared
from reconciler.core.drain import Drain
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import Health, MachineSpec, MachineStatus, record_object
from reconciler.core.resources import Key, LiveObject
from reconciler.errors import Rejected

#: PostgreSQL tells listeners on this channel, with the target as the message.
CHANNEL = "mesh_reconciler_registry"


# Statements are built once: building one takes longer than SQLite needs to run it.
def _is(table: Table) -> ColumnElement[bool]:
    return and_(*(table.c[name] == bindparam(f"the_{name}") for name in ("target", "namespace", "name")))


_OF_TARGET: BindParameter[str] = bindparam("the_target")
_SINCE: BindParameter[int] = bindparam("since")
_VERSION = select(targets.c.version).where(targets.c.target == _OF_TARGET)
_LOCK = _VERSION.with_for_update()
_FLOOR = select(targets.c.floor).where(targets.c.target == _OF_TARGET)
_SERVED = select(targets.c.served, targets.c.recovering).where(targets.c.target == _OF_TARGET)
_ADVANCE = update(targets).where(targets.c.target == _OF_TARGET)
_TELL = select(func.pg_notify(CHANNEL, _OF_TARGET))
_FIND = select(machines).where(_is(machines))
_ALL = select(machines).where(machines.c.target == _OF_TARGET)
_CHANGED = _ALL.where(machines.c.changed > _SINCE)
_CREATE = insert(machines).returning(machines)
_CHANGE = update(machines).where(_is(machines)).returning(machines)
_SEEN_AT: BindParameter[datetime] = bindparam("seen_at", type_=machines.c.last_seen.type)
_SEEN = (
    update(machines)
    .where(_is(machines), or_(machines.c.last_seen.is_(None), machines.c.last_seen < _SEEN_AT))
    .values(last_seen=_SEEN_AT)
)
_REMOVE = delete(machines).where(_is(machines))
_REMOVED = select(removed.c.namespace, removed.c.name).where(removed.c.target == _OF_TARGET, removed.c.changed > _SINCE)
_FORGET = delete(removed).where(removed.c.target == _OF_TARGET, removed.c.changed <= _SINCE)


@dataclass(frozen=True, slots=True)
class RegistryRows:
    """Queries over the rows of one target."""

    database: Database
    target: str

    def version(self, connection: Connection) -> int:
        """Return the number of the newest change of content."""
        return connection.scalar(_VERSION, self._target) or 0

    def floor(self, connection: Connection) -> int:
        """Return the number up to which deletions are no longer listed."""
        return connection.scalar(_FLOOR, self._target) or 0

    def served(self, connection: Connection) -> tuple[bool, bool]:
        """Return whether a server of ours keeps the records, and whether it doubts them."""
        found = connection.execute(_SERVED, self._target).one_or_none()
        return (found.served, found.recovering) if found else (False, False)

    def serve(self, connection: Connection, *, recovering: bool) -> None:
        """Note that a server keeps the records, and whether it doubts them; the lock must be held."""
        connection.execute(_ADVANCE, {**self._target, "served": True, "recovering": recovering})

    def lock(self, connection: Connection) -> int:
        """Keep all other writers of content away until the transaction ends, so that numbers follow commits; the version."""
        version = connection.scalar(_LOCK, self._target)
        if version is None:
            first = self.database.insert(targets).values(target=self.target, version=0, floor=0)
            connection.execute(first.on_conflict_do_nothing())
            version = connection.scalar(_LOCK, self._target)
        return version or 0

    def turn(self, connection: Connection) -> "Turn":
        """Return what the writers of one transaction share."""
        return Turn(self, connection)

    def advance(self, connection: Connection, version: int) -> None:
        """Make this the newest change, and tell whoever listens once it is committed."""
        connection.execute(_ADVANCE, {**self._target, "version": version})
        if not self.database.is_sqlite:
            connection.execute(_TELL, self._target)

    def find(self, connection: Connection, key: Key) -> AnyRow | None:
        """Return one record's row."""
        return connection.execute(_FIND, self._key(key)).one_or_none()

    def registered(self, connection: Connection, key: Key) -> AnyRow:
        """Return one record's row. Raises Rejected where there is none."""
        row = self.find(connection, key)
        if row is None:
            raise Rejected(f"{key} is not registered", status=404)
        return row

    def all(self, connection: Connection) -> dict[Key, LiveObject]:
        """Return every record."""
        return _records(connection.execute(_ALL, self._target))

    def changed(self, connection: Connection, since: int) -> dict[Key, LiveObject]:
        """Return the records with content newer than this version."""
        return _records(connection.execute(_CHANGED, {**self._target, "since": since}))

    def gone(self, connection: Connection, since: int) -> list[Key]:
        """Return the keys deleted after this version; one that is there again is also among those that `changed` returns."""
        rows = connection.execute(_REMOVED, {**self._target, "since": since})
        return [Key(VIRTUAL_MACHINE, row.namespace, row.name) for row in rows]

    def create(self, connection: Connection, wanted: MachineSpec, **values: Any) -> AnyRow:
        """Insert a record that has not reported yet."""
        key = {"target": self.target, "namespace": wanted.key.namespace, "name": wanted.key.name}
        status = {**status_columns(MachineStatus()), "reported": 0}
        return connection.execute(_CREATE, {**key, **status, **spec_columns(wanted), **values}).one()

    def change(self, connection: Connection, key: Key, **values: Any) -> AnyRow:
        """Set columns of a record that is there. Raises Rejected where it has just gone."""
        row = connection.execute(_CHANGE, {**self._key(key), **values}).one_or_none()
        if row is None:
            raise Rejected(f"{key} is not registered", status=404)
        return row

    def seen(self, connection: Connection, newest: Mapping[Key, datetime]) -> None:
        """Move signs of life on, of records that are there."""
        values = [{**self._key(key), "seen_at": at} for key, at in sorted(newest.items())]
        connection.execute(_SEEN, values)

    def remove(self, connection: Connection, key: Key, version: int) -> None:
        """Delete a record and list the deletion."""
        connection.execute(_REMOVE, self._key(key))
        listed = self.database.insert(removed).values(
            target=self.target, namespace=key.namespace, name=key.name, changed=version
        )
        connection.execute(listed.on_conflict_do_update(index_elements=removed.primary_key, set_={"changed": version}))

    def forget(self, connection: Connection, version: int) -> None:
        """Stop listing the deletions up to this version."""
        if connection.execute(_FORGET, {**self._target, "since": version}).rowcount:
            connection.execute(_ADVANCE, {**self._target, "floor": version})

    @property
    def _target(self) -> dict[str, str]:
        return {"the_target": self.target}

    def _key(self, key: Key) -> dict[str, str]:
        return {"the_target": self.target, "the_namespace": key.namespace, "the_name": key.name}


@dataclass(slots=True)
class Turn:
    """The writers of one transaction: they share the lock, each change gets a number of its own, the last one is stored."""

    rows: RegistryRows
    connection: Connection
    _stored: int | None = None
    _newest: int = 0

    def lock(self) -> None:
        """Keep all other transactions that change content away."""
        if self._stored is None:
            self._stored = self._newest = self.rows.lock(self.connection)

    def next(self) -> int:
        """Return the number of one more change; the lock must be held."""
        self._newest += 1
        return self._newest

    def end(self) -> None:
        """Make the last change the newest one."""
        if self._stored is not None and self._newest > self._stored:
            self.rows.advance(self.connection, self._newest)


def _records(rows: Iterable[AnyRow]) -> dict[Key, LiveObject]:
    return {record.key: record for record in map(live_record, rows)}


def spec_columns(wanted: MachineSpec) -> dict[str, str]:
    """Return the columns that Git says."""
    return {"labels": json.dumps(dict(wanted.labels)), "spec": json.dumps(wanted.spec)}


def spec_of(row: AnyRow) -> MachineSpec:
    """Return the side of a row that Git says."""
    key = Key(VIRTUAL_MACHINE, shared(row.namespace), shared(row.name))
    return MachineSpec(key, shared(json.loads(row.labels)), shared(json.loads(row.spec)))


def status_columns(status: MachineStatus) -> dict[str, Any]:
    """Return the columns that the VM says, its last sign of life aside."""
    return {
        "address": status.address,
        "health": status.health.value,
        "reason": status.reason,
        "draining": status.draining,
        "drain": json.dumps(status.drain.document) if status.drain else "",
        "held": status.held,
    }


def status_of(row: AnyRow) -> MachineStatus:
    """Return the side of a row that the VM says."""
    drain = Drain.read(json.loads(row.drain)) if row.drain else None
    return MachineStatus(row.address, Health(row.health), row.last_seen, row.reason, row.draining, drain, row.held)


def live_record(row: AnyRow, spec: MachineSpec | None = None) -> LiveObject:
    """Return a row as the ports speak of it; `spec` is what it is known to hold."""
    wanted = spec or spec_of(row)
    return record_object(wanted, status_of(row), uid=row.uid, epoch=row.epoch, created=row.created)
