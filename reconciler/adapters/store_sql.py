"""The state store on SQLite or PostgreSQL: one transaction a method. Its tables stand in `sql/schema_state.py`."""

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, select, update

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.rollouts import SqlRollouts
from reconciler.adapters.sql.schema_state import PART, stores
from reconciler.adapters.sql.state_journal import JournalRows
from reconciler.adapters.sql.state_memory import MemoryRows
from reconciler.adapters.sql.state_rollouts import RolloutRows
from reconciler.core.resources import Document, Key, Revision, Signature
from reconciler.errors import Unavailable
from reconciler.ports import FLIPS, CycleRecord, JournalEntry, Override

T = TypeVar("T")

#: Remembered values of one family: a dry-run answer for each of 10,000 objects, and for their next versions.
MEMORIES = 20_000


@dataclass(frozen=True, slots=True)
class _Identity:
    id: str
    number: int
    journal: JournalRows
    memory: MemoryRows
    rollouts: RolloutRows


class SqlStore:
    """The state of one target in a database that other targets may share.

    Raises InvalidInput for a URL or file that cannot be used; see `sql.location` and `sql.files`.
    """

    def __init__(self, url: str, target: str, *, memories: int = MEMORIES) -> None:
        self._database = Database(url, PART)
        self._target, self._memories = target, memories
        self._identified: _Identity | None = None
        self._identifying = threading.Lock()
        self.rollouts = SqlRollouts(self, lambda: self._identity.rollouts)

    @property
    def id(self) -> str:
        return self._identity.id

    @property
    def generation(self) -> int:
        return int(self.read(self._column("generation")))

    @property
    def fresh(self) -> bool:
        return self.accepted() is None

    def inventory(self) -> frozenset[Key]:
        return self.read(self._journal.inventory)

    def widen(self, keys: Iterable[Key]) -> None:
        keys = tuple(keys)
        self.write(lambda connection: self._journal.widen(connection, keys))

    def narrow(self, keys: Iterable[Key]) -> None:
        keys = tuple(keys)
        self.write(lambda connection: self._journal.narrow(connection, keys))

    def written(self, keys: Iterable[Key] | None = None) -> dict[Key, Document]:
        keys = None if keys is None else tuple(keys)
        return self.read(lambda connection: self._journal.written(connection, keys))

    def intend(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        return self.write(lambda connection: self._journal.intend(connection, entries)) if entries else []

    def settle(self, entries: Sequence[JournalEntry]) -> None:
        if any(not entry.outcome or entry.ended is None for entry in entries):
            raise ValueError("a settled entry has an outcome and an end")

        def work(connection: Connection) -> None:
            if self._journal.settle(connection, entries):
                self._grow(connection)

        if entries:
            self.write(work)

    def unsettled(self) -> list[JournalEntry]:
        return self.read(self._journal.unsettled)

    def settled(self, after: int) -> list[JournalEntry]:
        return self.read(lambda connection: self._journal.settled(connection, after))

    def last_entry(self) -> int:
        return self.read(self._journal.last)

    def accepted(self) -> Revision | None:
        text = self.read(self._column("accepted"))
        return _revision(text) if text else None

    def accept(self, revision: Revision) -> None:
        text, accepted = _revision_text(revision), self._column("accepted")

        def work(connection: Connection) -> None:
            if accepted(connection) != text:
                self._grow(connection, accepted=text)

        self.write(work)

    def first_seen(self, keys: Iterable[Key], now: datetime, *, keep: bool = True) -> dict[Key, datetime]:
        wanted = frozenset(keys)
        known = self.read(self._memory.due)
        if not keep:
            return {key: known.get(key, now) for key in wanted}
        # Nearly every cycle finds what the last one left.
        if known.keys() == wanted:
            return known
        return self.write(lambda connection: self._memory.set_due(connection, wanted, now))

    def deleted_services(self, since: datetime) -> tuple[Key, ...]:
        return self.read(lambda connection: self._journal.deleted_services(connection, since))

    def overrides(self, digest: str) -> tuple[Override, ...]:
        return self.read(lambda connection: self._memory.overrides(connection, digest))

    def override(self, given: Override) -> None:
        self.write(lambda connection: self._memory.override(connection, given))

    def flips(self, key: Key, path: str, manager: str, now: datetime, *, limit: int = FLIPS) -> int:
        return self.write(lambda connection: self._memory.flip(connection, key, path, manager, now, limit))

    def fights(self) -> dict[Key, tuple[str, ...]]:
        return self.read(self._memory.fights)

    def settle_fight(self, key: Key) -> None:
        self.write(lambda connection: self._memory.settle_fight(connection, key))

    def remember(self, name: str, value: Document) -> None:
        self.remember_all({name: value})

    def remember_all(self, values: Mapping[str, Document]) -> None:
        if values:
            self.write(lambda connection: self._memory.remember(connection, values))

    def recall(self, name: str) -> Document | None:
        return self.recall_all((name,)).get(name)

    def recall_all(self, names: Iterable[str]) -> dict[str, Document]:
        names = tuple(names)
        return self.read(lambda connection: self._memory.recall(connection, names))

    def record(self, cycle: CycleRecord) -> None:
        self.write(lambda connection: self._memory.record(connection, cycle))

    def history(self, limit: int = 20, *, before: int = 0) -> list[CycleRecord]:
        return self.read(lambda connection: self._memory.history(connection, limit, before))

    def forget(self, before: datetime) -> None:
        def work(connection: Connection) -> None:
            self._journal.forget(connection, before)
            self._memory.forget(connection, before)
            self._identity.rollouts.forget(connection, before)

        self.write(work)

    def close(self) -> None:
        self._database.close()

    @property
    def _identity(self) -> _Identity:
        with self._identifying:
            if self._identified is None:
                row = self._database.read(self._find) or self._database.write(self._create)
                journal = JournalRows(self._database, row[0])
                memory = MemoryRows(self._database, row[0], self._memories)
                self._identified = _Identity(row[1], row[0], journal, memory, RolloutRows(self._database, row[0]))
            return self._identified

    def _find(self, connection: Connection) -> tuple[int, str] | None:
        row = connection.execute(select(stores).where(stores.c.target == self._target)).one_or_none()
        return (row.number, row.id) if row else None

    def _create(self, connection: Connection) -> tuple[int, str]:
        new = {"target": self._target, "id": str(uuid.uuid4()), "generation": 0, "entries": 0, "turns": 0}
        connection.execute(self._database.insert(stores).values(new).on_conflict_do_nothing(index_elements=["target"]))
        if found := self._find(connection):
            return found
        raise Unavailable(f"{self._database.location.shown}: the store of target {self._target} was taken away")

    @property
    def _journal(self) -> JournalRows:
        return self._identity.journal

    @property
    def _memory(self) -> MemoryRows:
        return self._identity.memory

    def _column(self, name: str) -> Callable[[Connection], Any]:
        query = select(stores.c[name]).where(stores.c.number == self._identity.number)
        return lambda connection: connection.scalar(query)

    def _grow(self, connection: Connection, **values: Any) -> None:
        mine = update(stores).where(stores.c.number == self._identity.number)
        connection.execute(mine.values(generation=stores.c.generation + 1, **values))

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that only reads."""
        return self._database.read(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that has this store for itself."""
        number = self._identity.number

        def alone(connection: Connection) -> T:
            connection.execute(select(stores.c.number).where(stores.c.number == number).with_for_update())
            return work(connection)

        return self._database.write(alone)


def _revision_text(revision: Revision) -> str:
    fields = asdict(revision)
    return json.dumps({**fields, "time": revision.time.isoformat() if revision.time else None})


def _revision(text: str) -> Revision:
    fields = json.loads(text)
    moment = datetime.fromisoformat(fields["time"]) if fields["time"] else None
    return Revision(**{**fields, "time": moment, "signature": Signature(fields["signature"])})
