"""The audit log: what was decided about whom, each entry chained to the one before it by SHA-256.

Who changes or removes an entry must change all that follow; a copy of the newest hash, kept elsewhere, gives away even that.
Old entries are cut off at the beginning: what the first one that is left follows on stays known.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

#: What stands before the first entry.
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """`actor` did `action` to `subject` (a workload, an agent, a token, a scope); no secret is ever in one."""

    at: datetime
    actor: str
    action: str
    subject: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log, by the link that stands there; as it is by default, before the first one."""

    number: int = 0
    hash: str = BEGINNING

    @classmethod
    def read(cls, flat: Any) -> Self:
        """Return the mark that `flat` made. Raises ValueError for anything else."""
        match flat:
            case {"number": int(number), "hash": str(own)}:
                return cls(number, own)
        raise ValueError("this is no place in an audit log")

    @property
    def flat(self) -> dict[str, Any]:
        return {"number": self.number, "hash": self.hash}


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the log begins, after what was `cut`, and the `newest` link."""

    cut: Mark = Mark()
    newest: Mark = Mark()


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its place; numbers begin at 1 and have no gap."""

    number: int
    entry: Entry
    before: str
    hash: str

    @classmethod
    def read(cls, flat: Mapping[str, Any]) -> Self:
        """Return the link that `flat` made, its time as RFC 3339. Raises ValueError for anything else."""
        match flat:
            case {"number": int(number), "at": str(at), "before": str(before), "hash": str(own), **said}:
                texts = [said.get(name) for name in ("actor", "action", "subject", "detail")]
                if all(isinstance(one, str) for one in texts):
                    return cls(number, Entry(datetime.fromisoformat(at), *map(str, texts)), before, own)
        raise ValueError("this is no entry of an audit log")

    @property
    def mark(self) -> Mark:
        return Mark(self.number, self.hash)

    @property
    def flat(self) -> dict[str, Any]:
        """All of it by name, as stores and people have it."""
        said = {name: getattr(self.entry, name) for name in ("at", "actor", "action", "subject", "detail")}
        return {"number": self.number, **said, "before": self.before, "hash": self.hash}


_FIRST = Mark()


def linked(entries: Iterable[Entry], after: Mark) -> tuple[Link, ...]:
    """Return entries as links that follow on a mark."""
    links = []
    number, before = after.number, after.hash
    for entry in entries:
        number += 1
        links.append(Link(number, entry, before, _hash(number, entry, before)))
        before = links[-1].hash
    return tuple(links)


def broken_at(links: Iterable[Link], after: Mark = _FIRST) -> int | None:
    """Return the first number that does not follow from the one before, None where all follow on a mark."""
    number, before = after.number, after.hash
    for link in links:
        number += 1
        if (link.number, link.before) != (number, before) or link.hash != _hash(number, link.entry, before):
            return number
        before = link.hash
    return None


def _hash(number: int, entry: Entry, before: str) -> str:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    said = [before, number, at, entry.actor, entry.action, entry.subject, entry.detail]
    return hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()
