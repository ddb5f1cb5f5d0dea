"""A person's word that a VM goes out of service: whose it is, since when, and for how long its last requests are awaited."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

#: How long the last requests of a drained VM are awaited, where nobody says otherwise.
PATIENCE = timedelta(minutes=10)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Drain:
    """At `until` nobody waits for the VM's last requests any more; it stays out all the same until somebody lets it back in."""

    by: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> Self | None:
        """Return what the status of a VM's record says, None where nobody drains it.

        A server from before drains had a beginning says only that there is one: nothing of it is awaited then.
        """
        if not status.get("draining"):
            return None
        found = status.get("drain")
        return cls.read(found) if found else cls("a person", _LONG_AGO, _LONG_AGO)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """Return what `document` made. Raises ValueError for anything else."""
        match document:
            case {"by": str(by), "since": str(since), "until": str(until)} if len(document) == 3:
                return cls(by, _moment(since), _moment(until))
        raise ValueError("must have by, since and until")

    @property
    def document(self) -> dict[str, str]:
        return {"by": self.by, "since": _text(self.since), "until": _text(self.until)}


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return found.astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
