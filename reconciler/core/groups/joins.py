"""Joins as records of the VM registry hold them: written by the registry's server, read by the reconciler.

A record that a join has made holds `group` and `joined` alone, until the reconciler puts what the group's template says beside
them. Whoever changes one of the two sides leaves the other as it is, under a test of the record's epoch.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Self

from reconciler.core.resources import EMPTY, Document, LiveObject

#: Fields of a record's spec that are the server's.
GROUP, JOINED = "group", "joined"


class Gone(StrEnum):
    """How a VM has gone. LEFT: it said so, or a person did. LOST: it is silent past its lease."""

    LEFT = "left"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Join:
    """One join of a VM as a member of a group.

    `at` is when, `epoch` the how many-th under this name, `address` the verified one of today; `network` and `locality` are
    what the VM says of itself. `service_account` is what its token was for, empty where a registry that lost its record has
    taken the VM back. `gone` and `since` say how and when it has gone, None while it is there.
    """

    group: str
    at: datetime
    epoch: int
    address: str
    service_account: str
    network: str = ""
    locality: str = ""
    gone: Gone | None = None
    since: datetime | None = None

    @classmethod
    def of(cls, record: LiveObject | None) -> Self | None:
        """Return the join that a record tells of, None where it tells of none that makes sense, whoever wrote it."""
        spec = record.document["spec"] if record else EMPTY
        said = spec.get(JOINED)
        if said is None:
            return None
        try:
            return cls(
                group=str(spec[GROUP]),
                at=datetime.fromisoformat(said["at"]),
                epoch=int(said["epoch"]),
                address=str(ip_address(said["address"])),
                service_account=str(said.get("serviceAccount", "")),
                network=str(said.get("network", "")),
                locality=str(said.get("locality", "")),
                gone=Gone(said["gone"]) if "gone" in said else None,
                since=datetime.fromisoformat(said["since"]) if "since" in said else None,
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    @property
    def document(self) -> Document:
        """The value of `joined`."""
        said: dict[str, Any] = {
            "at": spelled(self.at),
            "epoch": self.epoch,
            "address": self.address,
            "serviceAccount": self.service_account,
            "network": self.network,
            "locality": self.locality,
            "gone": self.gone.value if self.gone else "",
            "since": spelled(self.since) if self.since else "",
        }
        return {name: value for name, value in said.items() if value != ""}


def spelled(at: datetime) -> str:
    """Return a time as RFC 3339, UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def has_joined(record: LiveObject) -> bool:
    """Tell whether a record is of a VM that joined as a member of a group."""
    return JOINED in record.document["spec"]


def is_bare(record: LiveObject) -> bool:
    """Tell whether a record is what a join alone has made: the reconciler has put nothing beside it."""
    spec = record.document["spec"]
    return JOINED in spec and spec.keys() <= {GROUP, JOINED}
