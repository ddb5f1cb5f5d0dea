"""Journal, inventory, decisions and history in memory."""

import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.adapters.memory_store.rollouts import MemoryRollouts
from reconciler.core.resources import Document, Key, Revision
from reconciler.ports import FLIPS, CycleRecord, JournalEntry, Override

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Owned:
    """A key of the inventory: what was last written to it, and by which journal entry."""

    document: Document | None = None
    entry: int = 0


class MemoryStore:
    """The state of one target; `memories` is how many values of one family are kept."""

    def __init__(self, *, memories: int = 20_000) -> None:
        self._id = str(uuid.uuid4())
        self._memories = memories
        self._lock = threading.RLock()
        self._generation = 0
        self._accepted: Revision | None = None
        self._owned: dict[Key, _Owned] = {}
        self._journal: dict[int, JournalEntry] = {}
        self._last_entry = 0
        self._due: dict[Key, datetime] = {}
        self._overrides: dict[tuple[str, str], Override] = {}
        self._flips: list[tuple[Key, str, datetime]] = []
        self._fights: dict[Key, set[str]] = {}
        self._remembered: dict[str, Document] = {}
        self._cycles: list[CycleRecord] = []
        self._last_cycle = 0
        self.rollouts = MemoryRollouts(self._lock)

    @property
    def id(self) -> str:
        return self._id

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def fresh(self) -> bool:
        return self._accepted is None

    def inventory(self) -> frozenset[Key]:
        with self._lock:
            return frozenset(self._owned)

    def widen(self, keys: Iterable[Key]) -> None:
        with self._lock:
            for key in keys:
                self._owned.setdefault(key, _Owned())

    def narrow(self, keys: Iterable[Key]) -> None:
        with self._lock:
            for key in keys:
                self._owned.pop(key, None)

    def written(self, keys: Iterable[Key] | None = None) -> dict[Key, Document]:
        with self._lock:
            wanted = self._owned if keys is None else {key: self._owned[key] for key in keys if key in self._owned}
            return {key: owned.document for key, owned in wanted.items() if owned.document is not None}

    def intend(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        with self._lock:
            numbered = [
                replace(entry, id=self._last_entry + place, outcome="", message="", ended=None)
                for place, entry in enumerate(entries, start=1)
            ]
            self._journal.update((entry.id, entry) for entry in numbered)
            self._last_entry += len(numbered)
            return numbered

    def settle(self, entries: Sequence[JournalEntry]) -> None:
        if any(not entry.outcome or entry.ended is None for entry in entries):
            raise ValueError("a settled entry has an outcome and an end")
        with self._lock:
            news = [entry for entry in entries if entry.id in self._journal and not self._journal[entry.id].outcome]
            for entry in news:
                intended = self._journal[entry.id]
                self._journal[entry.id] = replace(intended, outcome=entry.outcome, message=entry.message, ended=entry.ended)
                if entry.outcome == "done":
                    self._keep(intended)
            self._generation += bool(news)

    def unsettled(self) -> list[JournalEntry]:
        with self._lock:
            return [entry for entry in self._journal.values() if not entry.outcome]

    def settled(self, after: int) -> list[JournalEntry]:
        with self._lock:
            return [entry for entry in self._journal.values() if entry.id > after and entry.outcome]

    def last_entry(self) -> int:
        return self._last_entry

    def accepted(self) -> Revision | None:
        return self._accepted

    def accept(self, revision: Revision) -> None:
        with self._lock:
            self._generation += self._accepted != revision
            self._accepted = revision

    def first_seen(self, keys: Iterable[Key], now: datetime, *, keep: bool = True) -> dict[Key, datetime]:
        with self._lock:
            due = {key: self._due.get(key, now) for key in keys}
            if keep:
                self._due = due
            return dict(due)

    def deleted_services(self, since: datetime) -> tuple[Key, ...]:
        with self._lock:
            found = [
                (entry.ended, entry.id, entry.key)
                for entry in self._journal.values()
                if (entry.key.kind, entry.action, entry.outcome) == ("ServiceEntry", "delete", "done")
                and entry.ended is not None
                and entry.ended >= since
            ]
            return tuple(dict.fromkeys(key for _, _, key in sorted(found)))

    def overrides(self, digest: str) -> tuple[Override, ...]:
        with self._lock:
            return tuple(given for (plan, _), given in sorted(self._overrides.items()) if plan == digest)

    def override(self, given: Override) -> None:
        with self._lock:
            self._overrides[given.digest, given.name] = given

    def flips(self, key: Key, path: str, manager: str, now: datetime, *, limit: int = FLIPS) -> int:
        with self._lock:
            what = f"{path} {manager}"
            self._flips = [flip for flip in self._flips if flip[2] > now - HOUR] + [(key, what, now)]
            count = sum(flip[:2] == (key, what) for flip in self._flips)
            if count >= limit:
                self._fights.setdefault(key, set()).add(what)
            return count

    def fights(self) -> dict[Key, tuple[str, ...]]:
        with self._lock:
            return {key: tuple(sorted(what)) for key, what in self._fights.items()}

    def settle_fight(self, key: Key) -> None:
        with self._lock:
            self._fights.pop(key, None)
            self._flips = [flip for flip in self._flips if flip[0] != key]

    def remember(self, name: str, value: Document) -> None:
        self.remember_all({name: value})

    def remember_all(self, values: Mapping[str, Document]) -> None:
        with self._lock:
            for name, value in values.items():
                self._remembered.pop(name, None)
                self._remembered[name] = value
            for family in {_family(name) for name in values}:
                names = [name for name in self._remembered if _family(name) == family]
                for name in names[: -self._memories]:
                    del self._remembered[name]

    def recall(self, name: str) -> Document | None:
        return self.recall_all((name,)).get(name)

    def recall_all(self, names: Iterable[str]) -> dict[str, Document]:
        with self._lock:
            return {name: self._remembered[name] for name in names if name in self._remembered}

    def record(self, cycle: CycleRecord) -> None:
        with self._lock:
            self._last_cycle += 1
            self._cycles.append(replace(cycle, id=self._last_cycle))

    def history(self, limit: int = 20, *, before: int = 0) -> list[CycleRecord]:
        with self._lock:
            found = [cycle for cycle in reversed(self._cycles) if not before or cycle.id < before]
            return found[:limit]

    def forget(self, before: datetime) -> None:
        with self._lock:
            self._journal = {
                number: entry for number, entry in self._journal.items() if entry.ended is None or entry.ended >= before
            }
            self._cycles = [cycle for cycle in self._cycles if cycle.at >= before]
            self.rollouts.forget(before)

    def close(self) -> None:
        """Nothing to close."""

    def _keep(self, entry: JournalEntry) -> None:
        """Make a confirmed write the last one of its key, unless a newer one was confirmed before."""
        owned = self._owned.get(entry.key)
        if owned is None and entry.after is None:
            return
        if owned is None or owned.entry < entry.id:
            self._owned[entry.key] = _Owned(entry.after, entry.id)


def _family(name: str) -> str:
    return name.partition("/")[0]
