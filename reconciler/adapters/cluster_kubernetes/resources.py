"""What is read from the API server: managed kinds, Pods, Services, what scales Pods; each under the first version served."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from reconciler.adapters.cluster_kubernetes import decode
from reconciler.adapters.cluster_kubernetes.answers import NotServed
from reconciler.core.kinds import MANAGED, Kind
from reconciler.core.resources import SCALING, Autoscaler, Controller, Document, Key, LiveObject, Pod, Service
from reconciler.errors import Rejected

T = TypeVar("T")
Value = LiveObject | Pod | Service | Controller | Autoscaler

#: RFC 1123 subdomain: what the API server takes as a name of the kinds that we handle.
NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Held:
    """One object as read: its name, uid and version, and what it is to us (None: nothing)."""

    namespace: str
    name: str
    uid: str
    version: str
    value: Value | None


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind that is listed and watched."""

    kind: Kind
    decode: Callable[[Document], Value | None]

    @property
    def scales(self) -> bool:
        """Whether it only tells how many Pods are to run: all else goes on where nobody lets us read it."""
        return self.kind.name in SCALING

    def held(self, raw: Document) -> Held:
        """Return one document of the server. Raises KeyError or TypeError where it is no such object."""
        metadata = raw["metadata"]
        return Held(
            metadata.get("namespace", ""), metadata["name"], metadata["uid"], metadata["resourceVersion"], self.decode(raw)
        )


MESH = tuple(Resource(kind, partial(decode.live_object, kind=kind)) for kind in MANAGED.values())
PODS = Resource(Kind("Pod", "", ("v1",), "pods"), decode.pod)
SERVICES = Resource(Kind("Service", "", ("v1",), "services"), decode.service)
CONTROLLERS = tuple(
    Resource(Kind(name, "apps", ("v1",), plural), partial(decode.controller, kind=name))
    for name, plural in (("Deployment", "deployments"), ("ReplicaSet", "replicasets"), ("StatefulSet", "statefulsets"))
)
AUTOSCALERS = Resource(Kind("HorizontalPodAutoscaler", "autoscaling", ("v2",), "horizontalpodautoscalers"), decode.autoscaler)
ALL = (*MESH, PODS, SERVICES, *CONTROLLERS, AUTOSCALERS)


def collection(kind: Kind, version: str, namespace: str = "") -> str:
    """Return the path of a kind's collection: of one namespace, or with none of the whole cluster."""
    root = f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}" if namespace else f"{root}/{kind.plural}"


def path(kind: Kind, version: str, key: Key) -> str:
    """Return the path of one object.

    Raises Rejected for a name that is none: an empty one, or ``..``, would lead to the collection, where a delete means all.
    """
    for name in (key.name, key.namespace) if kind.namespaced else (key.name,):
        if not re.fullmatch(NAME, name) or len(name) > LONGEST_NAME:
            raise Rejected(f"{key}: {name!r} is no name of a Kubernetes object", status=400)
    return f"{collection(kind, version, key.namespace if kind.namespaced else '')}/{key.name}"


class Versions:
    """Under which version each kind is served. Nobody is asked beforehand: the first request that works tells."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def request(self, kind: Kind, attempt: Callable[[str], T]) -> T:
        """Make a request under the version that is served. Raises NotServed where there is none: the CRD is missing."""
        known = self._known.get(kind.name)
        for version in sorted(kind.versions, key=lambda one: one != known):
            try:
                result = attempt(version)
            except NotServed:
                continue
            self._known[kind.name] = version
            return result
        self._known.pop(kind.name, None)
        shown = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
        raise NotServed(f"the cluster does not serve {kind.name} objects: install the CRD {shown}", status=404)
