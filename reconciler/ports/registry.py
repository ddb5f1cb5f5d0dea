"""The VM registry, who else tells how VMs are, and the fleet that its server keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from reconciler.core.drain import PATIENCE
from reconciler.core.records import MachineStatus
from reconciler.core.resources import (
    Document,
    Key,
    LiveObject,
)

if TYPE_CHECKING:
    from reconciler.core.enrolment.vm import EnrolledVM
    from reconciler.core.fleet.audit import Extent, Link
    from reconciler.core.fleet.roster import Decision
    from reconciler.core.fleet.values import Row, Sign
    from reconciler.core.health.witnesses import Patient


@dataclass(frozen=True, slots=True)
class RegistryState:
    """One complete read of the VM registry.

    `served`: a server of ours keeps it. `recovering`: that doubts the record, which may be an older one.
    """

    machines: Mapping[Key, LiveObject]
    version: str = ""
    served: bool = False
    recovering: bool = False


class VMRegistry(Protocol):
    """The registry of VMs: `spec` is written by us, `status` by the VM.

    A record is a document of kind VirtualMachine: metadata (namespace, name, labels), spec, status (`health`, and once the VM
    has reported `address`, `lastSeen`, a `reason`, and `draining` with a `drain` where a person takes it out of service). Its
    `resource_version` is the epoch, which moves with its spec alone: a report of the VM never makes a write of ours conflict.
    Every door checks what it is given (`core.records`) and raises Rejected.
    """

    def observe(self) -> RegistryState:
        """Return all records of the target; while no content has changed, the very same value, and no server is asked.

        A sign of life is no content: `lastSeen` may be older here than in `get`.
        """

    def get(self, key: Key) -> LiveObject | None:
        """Read one record back."""

    def put(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Create a record (no preconditions) or update the spec of one; the status stays.

        A spec that stands there already is left as it is, epoch included. Raises Conflict: it exists (for a create), is gone,
        is another one or has moved (for an update).
        """

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this record; gone already is fine. Raises Conflict, Rejected where no uid is given."""

    def report(self, key: Key, status: Document) -> LiveObject:
        """Store a VM's status (`address`, `health`, `reason`, `draining`, `drain`). Raises Rejected for an unknown VM.

        `lastSeen` is the registry's own time; one that the report carries is not used.
        """

    def tell(self, judged: Mapping[Key, MachineStatus]) -> None:
        """Store statuses as they are, times included: what the registry's server has judged. None for records not there."""

    def seen(self, newest: Mapping[Key, datetime]) -> None:
        """Keep when VMs were last seen; never back, no content, and nothing for records that are not there."""

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep a watch open from now on; call `changed` (cheap, from any thread) whenever content changes."""

    def close(self) -> None: ...


class ServedRegistry(VMRegistry, Protocol):
    """A registry that a server of ours can keep."""

    def serve(self, *, recovering: bool) -> None:
        """Note that a server keeps the record, and whether it may be an older one; `observe` tells so, and that is content."""


class Witness(Protocol):
    """Somebody beside the VMs' own agents who tells how VMs are. Nothing is ever written there."""

    def testify(self, vms: Sequence[Patient]) -> Mapping[Key, MachineStatus]:
        """Return `health` and `reason` of these VMs by their keys; who is not known is not among them.

        Those asked about last are the ones that are looked after from then on. No server is asked while nothing has changed,
        once there is a subscriber.
        """

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep looking from now on; call `changed` (cheap, from any thread) whenever an answer may be another one."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FleetChanges:
    """Rows of a fleet that were written after some version, oldest first, and the version as of now."""

    version: int
    rows: tuple[Row, ...] = ()


class FleetStore(Protocol):
    """What the registry's server keeps of one target: rows of `core.fleet.values`, signs of life, the audit log."""

    def changes(self, since: int = 0) -> FleetChanges:
        """Return the rows that were written after a version. One below `since`: an older copy was put in place."""

    def save(self, decision: Decision) -> tuple[Row, ...]:
        """Store all rows of a decision with its audit entries, and forget those that are gone, or nothing of it.

        Returns the rows with their new versions. An agent's sign of life goes with it.

        Raises Conflict where one of them was written since the version that it carries (0: since there was none).
        """

    def sign(self, newest: Mapping[str, Sign]) -> None:
        """Keep signs of life by agent, of each agent the newest; they change no version."""

    def signs(self) -> Mapping[str, Sign]:
        """Return the newest sign of life of each agent."""

    def audit(self, after: int = 0, limit: int = 1000) -> tuple[Link, ...]:
        """Return links of the audit log that follow the one of a number."""

    def extent(self) -> Extent:
        """Return where the audit log begins and ends, as it was written."""

    def cut(self, before: datetime, most: int) -> int:
        """Cut off the oldest links up to the first that is not from before, so many at most; return how many went."""

    def close(self) -> None: ...


class FleetOffice(Protocol):
    """The server of the VM registry, as an operator meets it."""

    def vms(self) -> tuple[Document, ...]:
        """Return all VMs that have joined, by name, each as `core.fleet.views.shown` has it; `claimed`: Git knows it."""

    def drain(self, vm: Key, *, draining: bool, within: timedelta = PATIENCE) -> None:
        """Take a VM out of service, or put it back. Raises Rejected for one that has not joined.

        `within` is for how long its last requests are awaited.
        """

    def close(self) -> None: ...


class FleetDesk(FleetOffice, Protocol):
    """The same, with what only a person decides."""

    def issue(self, vm: Key, networks: Sequence[str], lifetime: timedelta, service_account: str = "") -> str:
        """Return a new join token for a VM, good once, from these networks, for so long. Raises Rejected.

        By the key of a WorkloadGroup it is one for a new member of that group, whose networks must be named.
        """

    def tokens(self) -> tuple[Document, ...]:
        """Return the newest join tokens, without their texts, each as `core.fleet.views.shown_token` has it."""

    def withdraw(self, token: str) -> None:
        """Make the join token of an id useless. Raises Rejected where there is none."""

    def revoke(self, vm: Key) -> None:
        """Take all rights from the agent of a VM, and its workloads out of the mesh. Raises Rejected, also by a brake."""

    def release_brake(self, scope: str) -> None:
        """Let those go whom a brake holds. Raises Rejected where none holds."""

    def end_recovery(self) -> None:
        """Trust the record of a restored registry again. Raises Rejected where it does not recover."""

    def audit(self, after: int) -> tuple[tuple[Link, ...], Extent]:
        """Return some links of the audit log that follow the one of a number, and then the extent of the log."""


class JoinTokens(Protocol):
    """Who makes tokens by which agents join the VM registry."""

    def issue(self, vm: EnrolledVM, networks: Sequence[str], lifetime: timedelta) -> str:
        """Return a new token for a VM (for a newcomer: to its group), good once, from these networks, for so long."""

    def close(self) -> None: ...
