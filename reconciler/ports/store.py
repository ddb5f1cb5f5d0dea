"""What we keep: the state store and the clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from reconciler.core.resources import (
    Document,
    Key,
    Revision,
)

if TYPE_CHECKING:
    from reconciler.core.rollouts.records import Change, Evidence, Refusal
    from reconciler.core.rollouts.rollout import Rollout
    from reconciler.core.rollouts.seen import Command, Hold


class Clock(Protocol):
    """The only reader of time."""

    def now(self) -> datetime:
        """Wall time, UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that only grow."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One intended write and what became of it (`outcome`: empty while unknown, then ``done``, ``failed``, ``moot``)."""

    id: int
    plan: str
    key: Key
    action: str
    after: Document | None
    uid: str = ""
    resource_version: str = ""
    outcome: str = ""
    message: str = ""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A named override that a person gave for one plan digest."""

    digest: str
    name: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """One finished cycle for the history: what was asked, what was done, in numbers and as the JSON report."""

    id: int
    at: datetime
    commit: str
    digest: str
    outcome: str
    written: int
    report: Document = field(default_factory=dict)


#: So many flips of one field within an hour are a fight.
FLIPS = 3


class RolloutStore(Protocol):
    """Rollouts, what was said to them, and what became of them; a part of the state store, with its promises."""

    def standing(self) -> tuple[Rollout, ...]:
        """Return the rollouts that say what is wanted now (`Rollout.stands`), oldest first."""

    def get(self, rollout: str) -> Rollout | None:
        """Return a rollout by its id, however it has ended."""

    def history(self, limit: int = 20, *, before: str = "", unit: str = "") -> list[Rollout]:
        """Return the newest rollouts, newest first; those of one unit, those before the one of that id."""

    def save(self, changes: Sequence[Change]) -> tuple[Rollout, ...]:
        """Store rollouts with their evidence, handled commands and refusals, all of them or nothing; return them as stored.

        Raises Conflict where one was stored by somebody else since it was read (`Rollout.turn`), or where one of the commands
        has been handled already: whoever decided on it must look again.
        """

    def say(self, command: Command) -> bool:
        """Keep a command until it is handled; returns False for an id that was given before, which changes nothing."""

    def commands(self) -> tuple[Command, ...]:
        """Return the commands that nobody has handled, oldest first."""

    def evidence(self, rollout: str, *, after: int = 0, limit: int = 1_000) -> list[Evidence]:
        """Return what happened to a rollout, oldest first, after the piece of that id."""

    def refusals(self) -> tuple[Refusal, ...]:
        """Return all content that must not be tried again, by unit."""

    def hold(self, hold: Hold) -> None:
        """Keep a hold; one of the same unit is replaced."""

    def unhold(self, unit: str) -> bool:
        """End the hold of a unit before its time; returns whether there was one."""

    def holds(self) -> tuple[Hold, ...]:
        """Return all holds by unit, those too whose time is over: whoever asks has the clock."""


class Store(Protocol):
    """What cannot be observed again. One store per target; `id` is made once and never changes.

    Every method happens as a whole or not at all. Raises Unavailable where it did not, or where nobody knows (the answer to a
    commit was lost). Calling again is safe: at worst a flip, a cycle or an intent that was never sent stands there twice.
    """

    @property
    def id(self) -> str: ...

    @property
    def rollouts(self) -> RolloutStore:
        """The part of it that rollouts have."""

    @property
    def generation(self) -> int:
        """A number that grows with every acceptance and every settled batch, and never falls.

        Whoever renews the target's lease puts it there beside `id`; a lease that shows this store's id with a higher number
        says that the store was put back to an older state: observe only, until a person has run `recover`.
        """

    @property
    def fresh(self) -> bool:
        """True while nothing has ever been accepted: a new store, a lost one or another one than the target's."""

    def inventory(self) -> frozenset[Key]:
        """Keys that we own or are about to; whatever was written is among them."""

    def widen(self, keys: Iterable[Key]) -> None: ...

    def narrow(self, keys: Iterable[Key]) -> None:
        """Drop keys and what was last written of them."""

    def written(self, keys: Iterable[Key] | None = None) -> dict[Key, Document]:
        """Return the documents last written (and confirmed), of these keys or of all."""

    def intend(self, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        """Store intents before their writes; returns them with ids."""

    def settle(self, entries: Sequence[JournalEntry]) -> None:
        """Store outcomes; a ``done`` entry also becomes the last written document of its key (none, for a deletion), once.

        An entry that has an outcome keeps it, and an older entry never replaces what a newer one wrote. Raises ValueError for
        an entry without `outcome` or `ended`.
        """

    def unsettled(self) -> list[JournalEntry]:
        """Return intents without an outcome: writes that a crash left open."""

    def settled(self, after: int) -> list[JournalEntry]:
        """Return the entries after the one of that id that have an outcome, oldest first."""

    def last_entry(self) -> int:
        """Return the id of the newest intent, 0 where there never was one."""

    def accepted(self) -> Revision | None:
        """Return the newest commit that was accepted."""

    def accept(self, revision: Revision) -> None: ...

    def first_seen(self, keys: Iterable[Key], now: datetime, *, keep: bool = True) -> dict[Key, datetime]:
        """Return since when each key has been due for deletion; keys not named are forgotten, unless `keep` is off."""

    def deleted_services(self, since: datetime) -> tuple[Key, ...]:
        """Return the services (ServiceEntries) whose deletion was confirmed since then."""

    def overrides(self, digest: str) -> tuple[Override, ...]:
        """Return the overrides given for a plan, by name."""

    def override(self, given: Override) -> None:
        """Keep an override; one of the same name for the same plan is replaced."""

    def flips(self, key: Key, path: str, manager: str, now: datetime, *, limit: int = FLIPS) -> int:
        """Count one more time that a manager flipped a field back; return how often within the last hour.

        At `limit` times it is a fight, until `settle_fight`.
        """

    def fights(self) -> dict[Key, tuple[str, ...]]:
        """Return keys with fields in a fight, as ``path manager`` texts."""

    def settle_fight(self, key: Key) -> None:
        """A person has decided: forget the key's fights and flips."""

    def remember(self, name: str, value: Document) -> None:
        """Keep a small named value (CRDs seen, dry-run answers): `remember_all` of one."""

    def remember_all(self, values: Mapping[str, Document]) -> None:
        """Keep named values. A cache: of many under one family (the name up to its first ``/``) the oldest may be forgotten."""

    def recall(self, name: str) -> Document | None:
        """Return one remembered value: `recall_all` of one."""

    def recall_all(self, names: Iterable[str]) -> dict[str, Document]:
        """Return those of these values that are remembered."""

    def record(self, cycle: CycleRecord) -> None:
        """Add a cycle to the history, under an id of the store's."""

    def history(self, limit: int = 20, *, before: int = 0) -> list[CycleRecord]:
        """Return the newest cycles, newest first; with `before`, those older than the cycle of that id."""

    def forget(self, before: datetime) -> None:
        """Drop settled journal entries, cycles, and rollouts that ended before then, with their evidence.

        Open intents and whatever is in force stay, and so do refusals with the rollouts that they are about.
        """

    def close(self) -> None: ...
