"""The built-in VM registry on SQLite or PostgreSQL. What its numbers mean stands in `sql/schema_registry.py`.

A commit to SQLite survives a kill of the process, not always a power cut: what is lost then is written again from Git, and
every process that could still hold a number from before has ended with the machine.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from sqlalchemy import Connection

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.registry_rows import (
    CHANNEL,
    RegistryRows,
    Turn,
    live_record,
    spec_columns,
    spec_of,
    status_columns,
    status_of,
)
from reconciler.adapters.sql.schema import AnyRow
from reconciler.adapters.sql.schema_registry import PART
from reconciler.adapters.sql.together import Together
from reconciler.adapters.sql.watch import Watch
from reconciler.core.records import MachineStatus, check_preconditions, checked_record, checked_status, latest
from reconciler.core.resources import Document, Key, LiveObject
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import Clock, RegistryState

T = TypeVar("T")

log = logging.getLogger(__name__)

#: So many deletions are listed for readers that have the rest; who is further behind reads everything.
REMOVALS = 10_000


class SqlRegistry:
    """The records of one target in a database that other targets may share.

    Raises InvalidInput for a URL or file that cannot be used; see `sql.location` and `sql.files`.
    """

    def __init__(self, url: str, target: str, clock: Clock, *, removals: int = REMOVALS) -> None:
        self._database = Database(url, PART, durable=False)
        self._rows = RegistryRows(self._database, target)
        self._together = Together(self._database, self._rows.turn, Turn.end)
        self._target, self._clock, self._removals = target, clock, removals
        self._observing = threading.Lock()
        self._observed: RegistryState | None = None
        self._stale = threading.Event()
        self._subscribing = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._watch: Watch | None = None
        self._told: int | None = None

    def observe(self) -> RegistryState:
        """Return all records of the target; the very same value while no content has changed.

        Reads only what has changed since the last call, and asks a server nothing while a watch on it is open. `lastSeen` is
        as of a record's last change of content, since a sign of life is none; `get` has it exactly.
        """
        with self._observing:
            watched = self._watch is not None and self._watch.tells_all
            if self._observed is None or not watched or self._stale.is_set():
                self._stale.clear()
                try:
                    self._observed = self._database.read(self._newest)
                except BaseException:
                    self._stale.set()
                    raise
            return self._observed

    def get(self, key: Key) -> LiveObject | None:
        """Return one record as it is now."""
        row = self._database.read(lambda connection: self._rows.find(connection, key))
        return live_record(row) if row else None

    def put(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Create or update a record's spec; one that stands there already is left as it is. Raises Conflict, Rejected."""
        wanted = checked_record(document)
        born = {"uid": str(uuid.uuid4()), "created": self._clock.now()}

        def work(turn: Turn) -> AnyRow:
            turn.lock()
            row = self._rows.find(turn.connection, wanted.key)
            check_preconditions(wanted.key, row and (row.uid, row.epoch), uid, resource_version)
            if row is not None and spec_of(row) == wanted:
                return row
            version = turn.next()
            if row is None:
                return self._rows.create(turn.connection, wanted, epoch=version, changed=version, **born)
            return self._rows.change(turn.connection, wanted.key, epoch=version, changed=version, **spec_columns(wanted))

        return live_record(self._write(work), wanted)

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this record; gone already is fine. Raises Conflict."""

        def work(turn: Turn) -> None:
            turn.lock()
            row = self._rows.find(turn.connection, key)
            if row is None:
                return
            check_preconditions(key, (row.uid, row.epoch), uid, resource_version, deleting=True)
            version = turn.next()
            self._rows.remove(turn.connection, key, version)
            self._rows.forget(turn.connection, version - self._removals)

        self._write(work)

    def report(self, key: Key, status: Document) -> LiveObject:
        """Store what a VM says of itself, seen now by our clock. Raises Rejected."""
        said = checked_status(status, self._clock.now())
        return live_record(self._write(lambda turn: self._restated(turn, key, said)))

    def tell(self, judged: Mapping[Key, MachineStatus]) -> None:
        """Store statuses as they are, all of them in one transaction."""

        def work(turn: Turn) -> None:
            for key, status in sorted(judged.items()):
                with suppress(Rejected):  # Git has just taken the record away
                    self._restated(turn, key, status)

        if judged:
            self._write(work)

    def seen(self, newest: Mapping[Key, datetime]) -> None:
        """Keep when VMs were last seen."""
        if newest:
            self._database.write(lambda connection: self._rows.seen(connection, newest))

    def serve(self, *, recovering: bool) -> None:
        """Note that a server keeps the record, and whether that may be an older one."""

        def work(turn: Turn) -> None:
            turn.lock()
            if self._rows.served(turn.connection) != (True, recovering):
                self._rows.serve(turn.connection, recovering=recovering)
                turn.next()

        self._write(work)

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call `changed` soon after any process has changed content, from a thread of our own."""
        with self._subscribing:
            self._listeners.append(changed)
            if self._watch is None:
                with suppress(Unavailable):
                    self._told = self._database.read(self._rows.version)
                self._watch = Watch(self._database, CHANNEL, self._target, self._moved)

    def close(self) -> None:
        """End the watch and close the connections."""
        with self._subscribing:
            watch, self._watch = self._watch, None
            self._listeners.clear()
        if watch is not None:
            watch.close()
        self._database.close()

    def _moved(self, *, certain: bool) -> None:
        self._stale.set()
        if not certain:
            version = self._database.read(self._rows.version)
            if version == self._told:
                return
            self._told = version
        for changed in tuple(self._listeners):
            try:
                changed()
            except Exception:
                # The watch must outlive a bug of whoever listens.
                log.exception("bug in a listener to the VM registry")

    def _restated(self, turn: Turn, key: Key, said: MachineStatus) -> AnyRow:
        row = self._rows.registered(turn.connection, key)
        if not status_of(row).same_content(said):
            turn.lock()
            row = self._rows.registered(turn.connection, key)
            changes = {**status_columns(said), "changed": turn.next()}
            self._rows.change(turn.connection, key, reported=row.reported + 1, **changes)
        # Two reports may pass each other on their way to the database; time does not go back for that.
        return self._rows.change(turn.connection, key, last_seen=latest(row.last_seen, said.last_seen))

    def _write(self, work: Callable[[Turn], T]) -> T:
        try:
            return self._together.write(work)
        finally:
            # What was written is seen by the next observe, whether or not its notification has arrived by then.
            self._stale.set()

    def _newest(self, connection: Connection) -> RegistryState:
        """Return the state after all changes since the one that is known."""
        version, known = self._rows.version(connection), self._observed
        if known is not None and known.version == str(version):
            return known
        since = int(known.version) if known else -1
        # A number below the one that we know: somebody put an older database in place.
        if known is None or since > version or since < self._rows.floor(connection):
            records = self._rows.all(connection)
        else:
            records = dict(known.machines)
            for key in self._rows.gone(connection, since):
                records.pop(key, None)
            records.update(self._rows.changed(connection, since))
        return RegistryState(MappingProxyType(records), str(version), *self._rows.served(connection))
