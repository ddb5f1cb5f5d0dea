"""The audit log: what was decided about whom, each entry chained to the one before it by SHA-256.

Who changes or removes an entry must change all that follow; a copy of the newest hash, kept elsewhere, gives away even that.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

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
class Link:
    """An entry in its place; numbers begin at 1 and have no gap."""

    number: int
    entry: Entry
    before: str
    hash: str

    @property
    def flat(self) -> dict[str, Any]:
        """All of it by name, as stores and people have it."""
        said = {name: getattr(self.entry, name) for name in ("at", "actor", "action", "subject", "detail")}
        return {"number": self.number, **said, "before": self.before, "hash": self.hash}


def linked(entries: Iterable[Entry], number: int, before: str) -> tuple[Link, ...]:
    """Return entries as links that follow the link of this number and hash (0 and `BEGINNING`: none)."""
    links = []
    for entry in entries:
        number += 1
        links.append(Link(number, entry, before, _hash(number, entry, before)))
        before = links[-1].hash
    return tuple(links)


def broken_at(links: Iterable[Link], number: int = 0, before: str = BEGINNING) -> int | None:
    """Return the first number that does not follow from the one before, None where all do."""
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
