"""The VM registry in memory, for demos and tests. It keeps the promises of the SQL one; its contents end with the process."""

import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from reconciler.core.records import (
    MachineSpec,
    MachineStatus,
    check_preconditions,
    checked_record,
    checked_status,
    latest,
    record_object,
)
from reconciler.core.resources import Document, Key, LiveObject
from reconciler.errors import Rejected
from reconciler.ports import Clock, RegistryState


@dataclass(frozen=True, slots=True)
class _Record:
    wanted: MachineSpec
    status: MachineStatus
    uid: str
    epoch: int
    created: datetime

    @property
    def live(self) -> LiveObject:
        return record_object(self.wanted, self.status, uid=self.uid, epoch=self.epoch, created=self.created)


class MemoryRegistry:
    """A registry of one target."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._records: dict[Key, _Record] = {}
        self._version = 0
        self._served = self._recovering = False
        self._observed: RegistryState | None = None
        self._listeners: list[Callable[[], None]] = []

    def observe(self) -> RegistryState:
        """Return all records; the very same value while no content has changed."""
        with self._lock:
            version = str(self._version)
            if self._observed is None or self._observed.version != version:
                machines = {key: record.live for key, record in self._records.items()}
                self._observed = RegistryState(MappingProxyType(machines), version, self._served, self._recovering)
            return self._observed

    def get(self, key: Key) -> LiveObject | None:
        """Return one record as it is now."""
        with self._lock:
            record = self._records.get(key)
            return record.live if record else None

    def put(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Create or update a record's spec; one that stands there already is left as it is. Raises Conflict, Rejected."""
        wanted = checked_record(document)
        with self._lock:
            record = self._records.get(wanted.key)
            check_preconditions(wanted.key, (record.uid, record.epoch) if record else None, uid, resource_version)
            if record is not None and record.wanted == wanted:
                return record.live
            epoch = self._version + 1
            if record is None:
                record = _Record(wanted, MachineStatus(), str(uuid.uuid4()), epoch, self._clock.now())
            self._records[wanted.key] = replace(record, wanted=wanted, epoch=epoch)
            live = self._records[wanted.key].live
            self._version = epoch
        self._tell()
        return live

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this record; gone already is fine. Raises Conflict."""
        with self._lock:
            record = self._records.get(key)
            if record is None:
                return
            check_preconditions(key, (record.uid, record.epoch), uid, resource_version, deleting=True)
            del self._records[key]
            self._version += 1
        self._tell()

    def report(self, key: Key, status: Document) -> LiveObject:
        """Store what a VM says of itself, seen now. Raises Rejected."""
        return self._store(key, checked_status(status, self._clock.now()))

    def tell(self, judged: Mapping[Key, MachineStatus]) -> None:
        """Store statuses as they are."""
        for key, status in judged.items():
            with suppress(Rejected):
                self._store(key, status)

    def seen(self, newest: Mapping[Key, datetime]) -> None:
        """Keep when VMs were last seen."""
        with self._lock:
            for key, at in newest.items():
                if record := self._records.get(key):
                    seen = latest(record.status.last_seen, at)
                    self._records[key] = replace(record, status=replace(record.status, last_seen=seen))

    def serve(self, *, recovering: bool) -> None:
        """Note that a server keeps the record, and whether that may be an older one."""
        with self._lock:
            if self._served and self._recovering == recovering:
                return
            self._served, self._recovering = True, recovering
            self._version += 1
        self._tell()

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every change of content, from the thread that made it."""
        with self._lock:
            self._listeners.append(changed)

    def close(self) -> None:
        """Forget the listeners."""
        with self._lock:
            self._listeners.clear()

    def _store(self, key: Key, said: MachineStatus) -> LiveObject:
        with self._lock:
            record = self._records.get(key)
            if record is None:
                raise Rejected(f"{key} is not registered", status=404)
            seen = latest(record.status.last_seen, said.last_seen)
            self._records[key] = replace(record, status=replace(said, last_seen=seen))
            live = self._records[key].live
            if record.status.same_content(said):
                return live
            self._version += 1
        self._tell()
        return live

    def _tell(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for changed in listeners:
            changed()
