"""The VM registry in Consul: `ports.VMRegistry`."""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from reconciler.adapters.registry_consul.api import ConsulApi, ConsulSettings, its_own_form, segment
from reconciler.adapters.registry_consul.entries import (
    Record,
    Reported,
    address_of,
    check_of,
    is_foreign,
    node_name,
    node_of,
    record_of,
    records_of,
    reported_by,
    with_health,
)
from reconciler.adapters.registry_consul.watch import BlockingQuery
from reconciler.core.records import MachineStatus, check_preconditions, checked_record, checked_status, latest
from reconciler.core.resources import Document, Key, LiveObject
from reconciler.errors import Conflict, Rejected, Unavailable
from reconciler.ports import Clock, RegistryState

log = logging.getLogger(__name__)

NODES, CHECKS = "/v1/catalog/nodes", "/v1/health/state/any"
#: How often a write that others were ahead of is decided on anew; each time one of them got through.
TURNS = 50


class ConsulRegistry:
    """The records of one target in a Consul datacenter that other targets, and others altogether, share.

    Whatever is concluded goes by a consistent read; only the watches, which tell no more than that something has moved, do not.
    """

    def __init__(self, settings: ConsulSettings, target: str, clock: Clock) -> None:
        """Raises InvalidInput for a URL that is none."""
        self._api = ConsulApi(settings)
        self._target, self._clock = target, clock
        self._observing = threading.Lock()
        self._records: Mapping[Key, Record] = {}
        self._observed: RegistryState | None = None
        self._stale = threading.Event()
        self._subscribing = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._watches: tuple[BlockingQuery, ...] = ()
        self._told = ""

    def observe(self) -> RegistryState:
        """Return all records of the target; the very same value while no content has changed.

        Consul is asked nothing while both watches are open and quiet. `lastSeen` is as of a record's last change of content.
        """
        with self._observing:
            watched = self._watches and all(one.tells_all for one in self._watches)
            if self._observed is None or not watched or self._stale.is_set():
                self._stale.clear()
                try:
                    self._observed = self._newest()
                except BaseException:
                    self._stale.set()
                    raise
            return self._observed

    def get(self, key: Key) -> LiveObject | None:
        """Return one record as it is now. Raises Rejected where a node of its name is none of our records."""
        record = self._find(key)
        return self._healed(record).live if record else None

    def put(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Create or update a record's spec; one that stands there already is left as it is. Raises Conflict, Rejected."""
        wanted = checked_record(document)
        new = Record(wanted, str(uuid.uuid4()), self._clock.now())
        sent: Record | None = None
        for _ in range(TURNS):
            found = self._find(wanted.key)
            # What we have sent may stand there by now, although its answer was lost.
            if not (found and sent and replace(found, epoch=sent.epoch) == sent):
                there = (found.uid, found.epoch) if found else None
                check_preconditions(wanted.key, there, uid, resource_version)
            if found is not None and found.wanted == wanted:
                return self._healed(found).live
            sent = replace(found, wanted=wanted) if found else new
            written = self._write("Node", "cas", node_of(self._target, sent))
            if written is not None:
                return self._healed(replace(sent, epoch=_index(written))).live
        raise _busy(wanted.key)

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this record; gone already is fine. Raises Conflict."""
        for _ in range(TURNS):
            found = self._find(key)
            if found is None:
                return
            check_preconditions(key, (found.uid, found.epoch), uid, resource_version, deleting=True)
            node = {"Node": node_name(self._target, key), "ModifyIndex": found.epoch}
            if self._write("Node", "delete-cas", node) is not None:
                return
        raise _busy(key)

    def report(self, key: Key, status: Document) -> LiveObject:
        """Store what a VM says of itself, seen now by our clock. Raises Rejected."""
        return self._healed(self._tell(key, checked_status(status, self._clock.now()))).live

    def tell(self, judged: Mapping[Key, MachineStatus]) -> None:
        """Store statuses as they are; one write each."""
        for key, status in judged.items():
            with suppress(Rejected):  # Git has just taken the record away
                self._tell(key, status)

    def seen(self, newest: Mapping[Key, datetime]) -> None:
        """Keep when VMs were last seen; one write each, so that few should be told of at once."""
        for key, at in newest.items():
            self._restate(key, partial(_seen_at, at))

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call `changed` soon after any process has changed content, from a thread of our own."""
        with self._subscribing:
            self._listeners.append(changed)
            if not self._watches:
                with suppress(Unavailable, Rejected):
                    self._told = self.observe().version
                self._watches = tuple(BlockingQuery(self._api, path, self._moved) for path in (NODES, CHECKS))

    def close(self) -> None:
        """Call no listener any more."""
        with self._subscribing:
            for watch in self._watches:
                watch.close()

    def _tell(self, key: Key, said: MachineStatus) -> Record:
        record = self._restate(key, lambda before: replace(said, last_seen=latest(before.last_seen, said.last_seen)))
        if record is None:
            raise Rejected(f"{key} is not registered", status=404)
        return record

    def _restate(self, key: Key, after: Callable[[MachineStatus], MachineStatus]) -> Record | None:
        """Replace the report of a record by what `after` makes of it; None where there is no such record."""
        name = node_name(self._target, key)
        for _ in range(TURNS):
            record = self._find(key)
            if record is None:
                return None
            with its_own_form():
                before = reported_by(self._checks(name))
            reported = Reported(after(before.status), before.index)
            if reported == before or self._write("Check", "cas", check_of(name, reported)) is not None:
                return record
        raise _busy(key)

    def _newest(self) -> RegistryState:
        nodes, checks = self._api.read(NODES), self._api.read(CHECKS)
        with its_own_form():
            newest = records_of(self._target, nodes, checks)
        known, self._records = self._records, self._same_where_same(newest)
        if self._observed is not None and known == self._records:
            return self._observed
        # A number of our own: those of a Consul that was set back would come again with other contents.
        version = int(self._observed.version) + 1 if self._observed else 1
        machines = {key: record.live for key, record in self._records.items()}
        return RegistryState(MappingProxyType(machines), str(version))

    def _same_where_same(self, newest: Mapping[Key, Record]) -> Mapping[Key, Record]:
        """Return the newest records, but those that we know where only a sign of life is new."""
        known = self._records
        return {key: known[key] if key in known and one.same_content(known[key]) else one for key, one in newest.items()}

    def _find(self, key: Key) -> Record | None:
        """Return one record, but for its health."""
        name = node_name(self._target, key)
        answer = self._api.read(f"/v1/catalog/node/{segment(name)}")
        if answer is None:
            return None
        with its_own_form():
            record = record_of(self._target, answer["Node"])
        if record is None:
            raise Rejected(f"{key}: Consul's node {name} is no record of ours; rename or deregister it", status=409)
        return record

    def _healed(self, record: Record) -> Record:
        """Return a record with its health."""
        at_address = self._api.read(NODES, filter=f'Address == "{address_of(record)}"')
        with its_own_form():
            others = [check for node in at_address if is_foreign(node) for check in self._checks(node["Node"])]
            return with_health(record, self._checks(node_name(self._target, record.wanted.key)), others)

    def _checks(self, node: str) -> list[Mapping[str, Any]]:
        checks: list[Mapping[str, Any]] = self._api.read(f"/v1/health/node/{segment(node)}")
        return checks

    def _write(self, kind: str, verb: str, thing: Document) -> Document | None:
        try:
            return self._api.write(kind, verb, thing)
        finally:
            # What was written is seen by the next observe, whether or not a watch has told of it by then.
            self._stale.set()

    def _moved(self) -> None:
        self._stale.set()
        version = self.observe().version
        if version == self._told:
            return
        self._told = version
        for changed in tuple(self._listeners):
            try:
                changed()
            except Exception:
                # The watch must outlive a bug of whoever listens.
                log.exception("bug in a listener to the VM registry")


def _seen_at(moment: datetime, before: MachineStatus) -> MachineStatus:
    return replace(before, last_seen=latest(before.last_seen, moment))


def _index(written: Document) -> int:
    with its_own_form():
        return int(written["ModifyIndex"])


def _busy(key: Key) -> Conflict:
    return Conflict(f"{key} is written by others all the time")
