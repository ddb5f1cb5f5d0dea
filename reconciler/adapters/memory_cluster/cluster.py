"""The embedded cluster: objects in memory behind the port, and the hands of everybody else for demos and tests."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from types import MappingProxyType

from reconciler.adapters.memory_cluster import objects
from reconciler.adapters.memory_cluster.managed_fields import Actor, merge_patched
from reconciler.core.health.conditions import status_manager
from reconciler.core.kinds import MANAGED
from reconciler.core.namespaces import Inside
from reconciler.core.resources import Autoscaler, Controller, Document, FieldOwner, Key, LiveObject, Pod, Service
from reconciler.core.wanted import notes_manager
from reconciler.errors import Conflict, Rejected
from reconciler.ports import NEW, Clock, ClusterState


def one_source_of_endpoints(document: Document) -> str:
    """Say what is wrong with a ServiceEntry that has both sorts of endpoints: the rule of Istio's CRD that adoption meets."""
    if document["kind"] == "ServiceEntry" and {"workloadSelector", "endpoints"} <= document.get("spec", {}).keys():
        return "only one of WorkloadSelector or Endpoints can be set"
    return ""


class MemoryCluster:
    """A cluster that is written under the field manager `manager`; its contents end with the process.

    `problem` plays CRD and admission: it says what is wrong with a document, or nothing. Namespaces must exist before
    anything is put into them; deleted ones stay, terminating, as on a cluster whose controllers sleep.
    """

    def __init__(
        self,
        clock: Clock,
        manager: str,
        *,
        crds: Iterable[Document] = (),
        problem: Callable[[Document], str] = one_source_of_endpoints,
    ) -> None:
        self._clock, self._manager, self._crds, self._problem = clock, manager, tuple(crds), problem
        self._lock = threading.RLock()
        self._objects: dict[Key, LiveObject] = {}
        self._pods: dict[tuple[str, str], Pod] = {}
        self._services: dict[tuple[str, str], Service] = {}
        self._controllers: dict[tuple[str, str, str], Controller] = {}
        self._autoscalers: dict[tuple[str, str], Autoscaler] = {}
        self._unseen: frozenset[tuple[str, str]] = frozenset()
        self._version = 0
        self._observed: ClusterState | None = None
        self._listeners: list[Callable[[], None]] = []

    def observe(self) -> ClusterState:
        """Return everything; the very same value while no content has changed."""
        with self._lock:
            if self._observed is None:
                self._observed = ClusterState(
                    objects=MappingProxyType(dict(self._objects)),
                    pods=tuple(self._pods[place] for place in sorted(self._pods)),
                    services=tuple(self._services[place] for place in sorted(self._services)),
                    controllers=tuple(self._controllers[place] for place in sorted(self._controllers)),
                    autoscalers=tuple(self._autoscalers[place] for place in sorted(self._autoscalers)),
                    unseen=self._unseen,
                    version=str(self._version),
                )
            return self._observed

    def get(self, key: Key) -> LiveObject | None:
        with self._lock:
            return self._objects.get(objects.managed(key))

    def dry_run(self, document: Document) -> LiveObject:
        with self._lock:
            return self._after_apply(document, self._manager, force=False)

    def apply(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        with self._lock:
            key = objects.key_of(document)
            live = self._objects.get(key)
            if uid and (live is None or live.uid != uid):
                raise Conflict(f"{key}: uid mismatch: the object that was decided on is gone")
            if live is not None:
                _check_version(live, resource_version)
            return self._store(self._after_apply(document, self._manager, force=False))

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        with self._lock:
            live = self.get(key)
            if live is None:
                return
            if uid and live.uid != uid:
                raise Conflict(f"{key}: the UID in the precondition does not match: the object was deleted and recreated")
            _check_version(live, resource_version)
            self._delete(live)

    def set_owners(
        self, key: Key, owners: Sequence[FieldOwner], *, uid: str, resource_version: str, drop_labels: Sequence[str] = ()
    ) -> LiveObject:
        with self._lock:
            live = self._as_seen(key, uid, resource_version)
            return self._store(objects.after_hand_over(live, owners, drop_labels, self._actor(self._manager)))

    def set_conditions(self, key: Key, conditions: Sequence[Document], *, resource_version: str) -> LiveObject:
        with self._lock:
            live = self._as_seen(key, None, resource_version)
            actor = self._actor(status_manager(self._manager), "status")
            return self._store(objects.after_conditions(live, conditions, actor))

    def annotate(self, key: Key, name: str, text: str | None, *, uid: str, resource_version: str) -> LiveObject:
        with self._lock:
            self._as_seen(key, uid, resource_version)
            return self.edit(key, {"metadata": {"annotations": {name: text}}}, notes_manager(self._manager))

    def _as_seen(self, key: Key, uid: str | None, resource_version: str) -> LiveObject:
        """Return an object that is still the one that was decided on, where `uid` says which that was. Raises Conflict."""
        live = self.get(key)
        if live is None:
            raise Rejected(f"{key} not found", status=404)
        if uid is not None and uid != live.uid:
            raise Conflict(f"{key}: the object was deleted and recreated")
        _check_version(live, resource_version)
        return live

    def inside(self, namespace: str) -> tuple[Inside, ...]:
        with self._lock:
            keys = [key for key in self._objects if key.namespace == namespace]
            own = [Inside(MANAGED[key.kind].group, key.kind, key.name) for key in keys]
            others = (
                ("", "Pod", self._pods),
                ("", "Service", self._services),
                ("autoscaling", "HorizontalPodAutoscaler", self._autoscalers),
            )
            more = [Inside(group, kind, name) for group, kind, those in others for place, name in those if place == namespace]
            runs = [Inside("apps", kind, name) for place, kind, name in self._controllers if place == namespace]
            return (*own, *more, *runs)

    def crds(self) -> tuple[Document, ...]:
        return self._crds

    def subscribe(self, changed: Callable[[], None]) -> None:
        with self._lock:
            self._listeners.append(changed)

    def close(self) -> None:
        """Nothing is open."""

    def create(self, document: Document, manager: str) -> LiveObject:
        """Create an object as another client would, by a plain write. Raises Conflict where it exists."""
        with self._lock:
            key = objects.key_of(document)
            if key in self._objects:
                raise Conflict(f"{key} already exists")
            return self._store(self._checked(objects.after_edit(None, document, self._actor(manager)), None))

    def edit(self, key: Key, patch: Document, manager: str, *, subresource: str = "") -> LiveObject:
        """Change an object by a JSON merge patch, as another client would; of subresource ``status`` only the status."""
        with self._lock:
            live = self._objects[key]
            patch = {name: part for name, part in patch.items() if (name == "status") is (subresource == "status")}
            changed = merge_patched(live.document, patch)
            after = self._checked(objects.after_edit(live, changed, self._actor(manager, subresource)), live)
            if after.deleting and not after.document["metadata"].get("finalizers"):
                self._forget(after)
                return after
            return self._store(after)

    def apply_as(self, document: Document, manager: str, *, force: bool = False) -> LiveObject:
        """Server-side apply under another manager."""
        with self._lock:
            return self._store(self._after_apply(document, manager, force=force))

    def remove(self, key: Key) -> None:
        """Delete an object as another client would, without preconditions."""
        with self._lock:
            self._delete(self._objects[key])

    def put_pod(self, pod: Pod) -> None:
        """Create or replace a Pod."""
        with self._lock:
            self._pods[pod.namespace, pod.name] = pod
            self._changed()

    def remove_pod(self, namespace: str, name: str) -> None:
        """Delete a Pod; one that is not there is fine."""
        with self._lock:
            self._pods.pop((namespace, name), None)
            self._changed()

    def put_service(self, service: Service) -> None:
        """Create or replace a Service."""
        with self._lock:
            self._services[service.namespace, service.name] = service
            self._changed()

    def put_controller(self, controller: Controller) -> None:
        """Create or replace a Deployment, ReplicaSet or StatefulSet; its Pods are `put_pod`'s."""
        with self._lock:
            self._controllers[controller.namespace, controller.kind, controller.name] = controller
            self._changed()

    def put_autoscaler(self, autoscaler: Autoscaler) -> None:
        """Create or replace a HorizontalPodAutoscaler, which scales nothing by itself."""
        with self._lock:
            self._autoscalers[autoscaler.namespace, autoscaler.name] = autoscaler
            self._changed()

    def hide(self, kind: str) -> None:
        """Let us not look at a kind that scales Pods, any more."""
        with self._lock:
            self._controllers = {place: one for place, one in self._controllers.items() if one.kind != kind}
            self._autoscalers = {} if kind == "HorizontalPodAutoscaler" else self._autoscalers
            self._unseen |= {(kind, "")}
            self._changed()

    def _after_apply(self, document: Document, manager: str, *, force: bool) -> LiveObject:
        live = self._objects.get(objects.key_of(document))
        return self._checked(objects.after_apply(live, document, self._actor(manager), force=force), live)

    def _checked(self, after: LiveObject, before: LiveObject | None) -> LiveObject:
        """Return the object that would be stored. Raises Rejected for what the server would not take."""
        if told := self._problem(after.document):
            raise Rejected(f"{after.key} is invalid: {told}", status=422)
        if before is not None or not after.key.namespace:
            return after
        namespace = self._objects.get(Key("Namespace", "", after.key.namespace))
        if namespace is None:
            raise Rejected(f'namespaces "{after.key.namespace}" not found', status=404)
        if namespace.deleting:
            raise Rejected(f"{after.key} is forbidden: its namespace is being terminated", status=403)
        return after

    def _actor(self, manager: str, subresource: str = "") -> Actor:
        return Actor(manager, self._clock.now(), subresource)

    def _store(self, after: LiveObject) -> LiveObject:
        """Keep an object under a new version, unless nothing moved."""
        before = self._objects.get(after.key)
        if before is not None and after == before:
            return before
        stored = replace(after, resource_version=str(self._version + 1))
        self._objects[after.key] = stored
        self._changed()
        return stored

    def _delete(self, live: LiveObject) -> None:
        if live.document["metadata"].get("finalizers") or live.key.kind == "Namespace":
            self._store(replace(live, deleting=True))
        else:
            self._forget(live)

    def _forget(self, live: LiveObject) -> None:
        del self._objects[live.key]
        self._changed()

    def _changed(self) -> None:
        self._version += 1
        self._observed = None
        for listener in self._listeners:
            listener()


def _check_version(live: LiveObject, resource_version: str) -> None:
    if resource_version == NEW:
        raise Conflict(f"{live.key} already exists")
    if resource_version and live.resource_version != resource_version:
        raise Conflict(f"{live.key}: the object has been modified; apply your changes to the latest version and try again")
