"""The cluster: its objects, who writes to it, what its VMs get from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from reconciler.core.namespaces import Inside
from reconciler.core.resources import (
    Autoscaler,
    Controller,
    Document,
    FieldOwner,
    Key,
    LiveObject,
    Pod,
    Service,
)

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One complete read of the cluster. `version` changes with any content; what is not known is as in `ObservedState`."""

    objects: Mapping[Key, LiveObject]
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    controllers: tuple[Controller, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    unread: frozenset[str] = frozenset()
    unserved: frozenset[str] = frozenset()
    unseen: frozenset[tuple[str, str]] = frozenset()
    version: str = ""


#: In place of a resource version: nothing may be there yet. kube-apiserver makes an object with it, and refuses to update a
#: custom resource with it; Namespaces and ServiceAccounts it updates all the same (seen on 1.37).
NEW = "0"


class Cluster(Protocol):
    """The Kubernetes API server as a store of mesh objects. Every write goes under one field manager, never forced."""

    def observe(self) -> ClusterState:
        """Return everything of the managed kinds, Pods, Services, and what scales Pods. Partial reads raise Unavailable."""

    def get(self, key: Key) -> LiveObject | None:
        """Read one object back from the server itself."""

    def dry_run(self, document: Document) -> LiveObject:
        """Return what an apply of this document would make of the object. Raises Conflict with the managers in the way."""

    def apply(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        """Server-side apply the whole declared document; preconditions where given (`NEW` for a create). Raises Conflict."""

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        """Delete exactly this object; gone already is fine. Raises Conflict when it is another one by now."""

    def set_owners(
        self, key: Key, owners: Sequence[FieldOwner], *, uid: str, resource_version: str, drop_labels: Sequence[str] = ()
    ) -> LiveObject:
        """Replace `metadata.managedFields` (and take labels away) under a test of uid and version. Raises Conflict."""

    def set_conditions(self, key: Key, conditions: Sequence[Document], *, resource_version: str) -> LiveObject:
        """Replace `status.conditions` under a test of the version, through `/status`. Raises Conflict.

        No other object ever has that version. The list is atomic: it must hold those of others, too. It becomes our status
        manager's (`core.health.conditions`), whoever had it.
        """

    def annotate(self, key: Key, name: str, text: str | None, *, uid: str, resource_version: str) -> LiveObject:
        """Set one annotation, or take it away (None), under a manager of its own and a test of both. Raises Conflict."""

    def inside(self, namespace: str) -> tuple[Inside, ...]:
        """Return everything in a namespace, of every kind that there is, nothing where there is no such namespace.

        Raises Rejected where we may not look at all of it: what nobody has seen, nobody may take for empty.
        """

    def crds(self) -> tuple[Document, ...]:
        """Return the CustomResourceDefinitions of the managed groups."""

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Keep watches open from now on; call `changed` (cheap, from any thread) whenever content changes."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LeaseState:
    """Who writes to a target, and out of which state store.

    `holder` is empty once it was given up, while `store` (the store's id) and `generation` (the store's, at the last renewal)
    stay: they tell the target's own store from another one and from an older copy of itself. `epoch` grows with each change
    of hands.
    """

    holder: str
    store: str
    epoch: int
    generation: int = 0
    renewed: datetime | None = None


class Lease(Protocol):
    """The one-writer lock of a target."""

    def acquire(self, holder: str, store: str, ttl: timedelta, *, now: datetime, generation: int = 0) -> LeaseState:
        """Take or renew it. Raises Fenced, naming the holder, while another one holds it unexpired."""

    def release(self, holder: str) -> None:
        """Give it up; not holding it is fine."""

    def current(self) -> LeaseState | None:
        """Return it as it stands, None where the target never had one."""


class Enrolment(Protocol):
    """What a cluster gives to a VM that is to join its mesh. Methods raise Rejected, with status 404 for what is not there."""

    def config_map(self, namespace: str, name: str) -> Mapping[str, str]:
        """Return the data of a ConfigMap."""

    def ingress(self, namespace: str, name: str) -> str:
        """Return the IP address at which a Service is reached from outside, empty where it has none or is not there."""

    def token(self, namespace: str, account: str, lifetime: timedelta) -> str:
        """Return a new token of a service account that is good for Istio's CA alone."""

    def close(self) -> None: ...
