"""The condition `Healthy` of a WorkloadEntry, which takes it out of load balancing and lets it in again.

istiod looks at type and status alone (pilot/pkg/serviceregistry/serviceentry/conversion.go, isHealthy), and only where the
entry's annotation says so (`opting`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from reconciler.core.resources import EMPTY, Document

#: The type of the condition.
HEALTHY = "Healthy"


def status_manager(manager: str) -> str:
    """Return the field manager for conditions: apart from the one whose fields are Git's."""
    return f"{manager}-health"


class Reason(StrEnum):
    """Why a condition of ours is as it is. In the form that Kubernetes asks of reasons; a name never changes its meaning."""

    REPORTED_HEALTHY = "ReportedHealthy"
    REPORTED_UNHEALTHY = "ReportedUnhealthy"
    UNREACHABLE = "Unreachable"
    ADDRESS_DIFFERS = "AddressDiffers"
    DRAINING = "Draining"
    ASSUMED = "HealthAssumed"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition `Healthy`. `since` is when its status came to be what it is, None where nobody wrote that down."""

    healthy: bool
    reason: str = ""
    message: str = ""
    since: datetime | None = None

    @classmethod
    def of(cls, document: Document) -> Self | None:
        """Return the one that stands on an object, None where there is none."""
        for one in conditions_of(document):
            if one.get("type") == HEALTHY:
                healthy = one.get("status") == "True"
                return cls(healthy, one.get("reason", ""), one.get("message", ""), _moment(one.get("lastTransitionTime")))
        return None

    @property
    def ours(self) -> bool:
        """Whether we have written it, as far as its reason tells."""
        return self.reason in tuple(Reason)

    @property
    def document(self) -> Document:
        found = {"type": HEALTHY, "status": str(self.healthy), "reason": self.reason, "message": self.message}
        if self.since is not None:
            found["lastTransitionTime"] = self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return found


def conditions_of(document: Document) -> Sequence[Document]:
    """Return all conditions of an object."""
    found: Sequence[Document] = (document.get("status") or EMPTY).get("conditions") or []
    return found


def laid_among(conditions: Sequence[Document], one: Document) -> Sequence[Document]:
    """Return the conditions with one in place of the one of its type: those of others stay as they are."""
    others = [each for each in conditions if each.get("type") != one["type"]]
    return [*others, one]


def _moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
