"""What became of the writes that rollouts caused, as the journal of writes tells, which survives whoever sent them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.core.changes import Action
from reconciler.core.resources import Key
from reconciler.core.rollouts.records import Change, Evidence
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.writes import Sent, write_evidence
from reconciler.ports import JournalEntry, Store


@dataclass(frozen=True, slots=True)
class Writes:
    """The writes that are over and that some rollout has not heard of (`Rollout.heard`), by object, and the newest of them.

    Conditions are not among them: no rollout causes them.
    """

    by_key: Mapping[Key, list[JournalEntry]]
    newest: int

    @classmethod
    def read(cls, store: Store, rollouts: Iterable[Rollout]) -> "Writes":
        """Read what these rollouts have not heard of. Raises Unavailable."""
        since = min((one.heard for one in rollouts if _listens(one)), default=None)
        if since is None:
            return cls({}, store.last_entry())
        return cls._since(store, since)

    @classmethod
    def _since(cls, store: Store, since: int) -> "Writes":
        found = store.settled(since)
        by_key: dict[Key, list[JournalEntry]] = {}
        for entry in found:
            if entry.action != Action.CONDITION:
                by_key.setdefault(entry.key, []).append(entry)
        return cls(by_key, found[-1].id if found else since)

    def failed(self, rollout: Rollout) -> tuple[str, ...]:
        """Return the writes of a rollout that a store refused, as sentences."""
        return tuple(f"{one.key}: {one.message}" for one in self._of(rollout) if one.outcome == "failed")

    def told(self, change: Change, stored: Rollout | None) -> Change:
        """Return what to store of a rollout with the writes that it caused since it was stored, None for a new one."""
        heard = max(self.newest, change.rollout.heard)
        writes = (write_evidence(stored, sent) for sent in self.sent(stored)) if stored and _listens(stored) else ()
        return replace(change, rollout=replace(change.rollout, heard=heard), evidence=(*writes, *change.evidence))

    @classmethod
    def kept_up(cls, store: Store, rollout: Rollout) -> tuple[Evidence, ...]:
        """Return the writes of its objects since a rollout was stored last: what holds a split, the journal alone tells.

        Raises Unavailable.
        """
        return tuple(write_evidence(rollout, sent) for sent in cls._since(store, rollout.heard).sent(rollout))

    def sent(self, rollout: Rollout) -> Iterator[Sent]:
        """Yield what was really sent for a rollout."""
        return sent(self._of(rollout))

    def _of(self, rollout: Rollout) -> list[JournalEntry]:
        keys = dict.fromkeys((*rollout.on.before, *rollout.on.after, *rollout.way.after))
        found = [one for key in keys for one in self.by_key.get(key, ()) if one.id > rollout.heard]
        return sorted(found, key=lambda one: one.id)


def sent(entries: Iterable[JournalEntry]) -> Iterator[Sent]:
    """Yield what was really sent: a moot write never was, or has left nothing."""
    for one in entries:
        if one.outcome != "moot" and one.ended:
            yield Sent(one.ended, one.key, one.action, one.after, one.outcome, one.message)


def _listens(rollout: Rollout) -> bool:
    """Tell whether a rollout hears of its writes: one that only holds a split is not stored with every look."""
    return rollout.stands and not rollout.holds
