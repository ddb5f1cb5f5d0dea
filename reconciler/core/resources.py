"""The values that the core speaks in: keys, revisions, manifests, live objects, and the desired and the observed state.

A document is a JSON object as `dict`/`list`/`str`/`int`/`float`/`bool`/`None`. It is never changed in place: whoever needs
another one builds another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.errors import Place, Problem

Document = dict[str, Any]
EMPTY: Mapping[Any, Any] = MappingProxyType({})


class Key(NamedTuple):
    """Identity of an object: kind, namespace (empty for cluster-scoped kinds), name. API versions do not tell objects apart.

    A tuple, whose hash and order need no Python code: planning 10,000 objects asks for a million of them.
    """

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Return the key of a document with `kind` and `metadata`."""
        metadata = document["metadata"]
        return cls(document["kind"], metadata.get("namespace", ""), metadata["name"])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as ``Kind namespace/name`` or ``Kind/namespace/name`` (``Kind/name`` when cluster-scoped).

        Raises ValueError for anything else.
        """
        parts = text.replace(" ", "/").split("/")
        if len(parts) == 2:
            parts.insert(1, "")
        kind, namespace, name = parts
        if not kind or not name:
            raise ValueError(text)
        return cls(kind, namespace, name)

    @property
    def store(self) -> "StoreName":
        """The store that holds the object."""
        return StoreName.REGISTRY if self.kind == VIRTUAL_MACHINE else StoreName.CLUSTER

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class StoreName(StrEnum):
    """The two stores that one plan spans."""

    CLUSTER = "cluster"
    REGISTRY = "registry"


class Signature(StrEnum):
    """Verdict on a commit's signature. UNCHECKED: the policy is off."""

    UNCHECKED = "unchecked"
    GOOD = "good"
    MISSING = "missing"
    BAD = "bad"
    UNKNOWN_KEY = "unknown-key"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Relation(StrEnum):
    """How a commit relates to an earlier one."""

    SAME = "same"
    DESCENDANT = "descendant"
    DIVERGED = "diverged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit: full hexadecimal id, author, author time (UTC), subject (cut to 200 characters), signature verdict, signer.

    `moving` is true where the ref may only move forward (a branch): history that is not a descendant then pauses the target.
    """

    id: str
    author: str = ""
    time: datetime | None = None
    subject: str = ""
    signature: Signature = Signature.UNCHECKED
    signer: str = ""
    moving: bool = True

    @property
    def short(self) -> str:
        return self.id[:10]


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of Git: its key, content (canonical apiVersion, no status), place, and the id of the blob it came from."""

    key: Key
    document: Document
    place: Place
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Documents of a kind that we do not manage: how many, and where the first one is."""

    api_version: str
    kind: str
    count: int
    place: Place


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What one commit says.

    `manifests` goes to the cluster, `machines` (keys of kind VirtualMachine, documents of `VirtualMachine.document`) to the VM
    registry, `policies` are RolloutPolicies. `warnings` are problems that stop nothing.
    """

    revision: Revision
    manifests: Mapping[Key, Manifest]
    machines: Mapping[Key, Manifest] = field(default_factory=dict)
    policies: Mapping[Key, Manifest] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def get(self, key: Key) -> Manifest | None:
        return self.manifests.get(key) or self.machines.get(key)


@dataclass(frozen=True, slots=True)
class FieldOwner:
    """One entry of `metadata.managedFields`: who owns which fields.

    `operation` is ``Apply`` or ``Update``; `fields` is the entry's fieldsV1 as compact JSON text (parsed only where needed:
    ten thousand parsed ones would cost more memory than the objects).
    """

    manager: str
    operation: str
    fields: str
    api_version: str = ""
    subresource: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveObject:
    """An object as its store holds it now.

    `document` has apiVersion, kind, metadata (name, namespace, labels, annotations, ownerReferences, finalizers), spec and
    status; what the server keeps for itself (managedFields, uid, versions, timestamps) stands in the other attributes.
    For registry records `resource_version` is the epoch, `uid` the record's id, and `owners` is empty.
    """

    key: Key
    document: Document
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    created: datetime | None = None
    deleting: bool = False
    owners: tuple[FieldOwner, ...] = ()

    @property
    def labels(self) -> Mapping[str, str]:
        return self.document["metadata"].get("labels") or EMPTY

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.document["metadata"].get("annotations") or EMPTY


@dataclass(frozen=True, slots=True)
class Pod:
    """A Pod, as far as Istio counts it as an endpoint (ready: condition True, has an IP, not leaving).

    `owner` is its controller (``ReplicaSet/billing-5d4f``); `leaving` says that it is being deleted or has finished.
    """

    namespace: str
    name: str
    ip: str
    labels: Mapping[str, str]
    ready: bool
    service_account: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    owner: str = ""
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Controller:
    """What keeps Pods running: a Deployment, a ReplicaSet or a StatefulSet, with the replicas that it is told to keep.

    `labels` are those of its Pods, `owner` is its own controller, both as in `Pod`.
    """

    kind: str
    namespace: str
    name: str
    replicas: int
    labels: Mapping[str, str]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler: the bounds within which it sets the replicas of `target` (``Deployment/billing``).

    `current` is how many run and `desired` how many it asks for, as it said last.
    """

    namespace: str
    name: str
    target: str
    minimum: int
    maximum: int
    current: int = 0
    desired: int = 0


#: The kinds that say how many Pods are to run. They are only read, and nothing but that is lost where they may not be.
SCALING = ("Deployment", "ReplicaSet", "StatefulSet", "HorizontalPodAutoscaler")


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Kubernetes Service; `target` is a number or the name of a container port."""

    name: str
    number: int
    target: int | str


@dataclass(frozen=True, slots=True)
class Service:
    """A Kubernetes Service with a selector. It also selects WorkloadEntries of its namespace by the same labels."""

    namespace: str
    name: str
    selector: Mapping[str, str]
    ports: tuple[ServicePort, ...] = ()


@dataclass(frozen=True, slots=True)
class ObservedState:
    """What both stores hold, from one complete read.

    An `ObservedState` exists only where every read that it needs was complete: a failed or partial read raises Unavailable,
    so absence from it really is absence. `version` changes whenever any content changes.
    `unread` names namespaces (cluster) that we may not read; their objects are neither compared nor pruned. The empty name
    stands for the objects that are in no namespace. `unserved` names kinds that the cluster does not know, since their CRD is
    missing: their objects cannot be written, and their absence means nothing either. `unseen` are kinds of `SCALING` with the
    namespaces (empty: all) in which we may not look at them, or nobody serves them: nothing is known of them there.
    `unheard` says of a source of health why nothing is known from it; the VMs concerned are as if nobody had said anything.
    `served`: a server of ours keeps the VM registry; `recovering`: it doubts its record, so that nothing is concluded from what
    that says of VMs.
    """

    objects: Mapping[Key, LiveObject]
    machines: Mapping[Key, LiveObject] = field(default_factory=dict)
    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()
    controllers: tuple[Controller, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    unread: frozenset[str] = frozenset()
    unserved: frozenset[str] = frozenset()
    unseen: frozenset[tuple[str, str]] = frozenset()
    unheard: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    served: bool = False
    recovering: bool = False

    def get(self, key: Key) -> LiveObject | None:
        return self.objects.get(key) or self.machines.get(key)
