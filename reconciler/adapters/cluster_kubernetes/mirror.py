"""All watched copies together: immutable snapshots of them, a version that moves with content, and whom to tell."""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from reconciler.adapters.cluster_kubernetes.collection import Collection, Moved
from reconciler.adapters.cluster_kubernetes.listing import Listing
from reconciler.adapters.cluster_kubernetes.resources import Held, Resource
from reconciler.core.resources import Autoscaler, Controller, Key, LiveObject, Pod, Service
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import ClusterState

#: Stands in `unread` for the objects that are in no namespace.
NO_NAMESPACE = ""


@dataclass(slots=True)
class Scope:
    """One watched collection: a resource, everywhere or (with `namespace`) in one namespace, and how its watch is doing.

    `problem` says why the copy cannot be trusted now; `unread` that we may not read it, `unserved` that nobody serves it.
    """

    resource: Resource
    namespace: str = ""
    collection: Collection = field(default_factory=Collection)
    synced: bool = False
    problem: Unavailable | Rejected | None = None
    unread: bool = False
    unserved: bool = False


class Mirror:
    """The scopes and what they hold. `changed` is called, outside of the lock, after each change of content."""

    def __init__(self, namespaces: frozenset[str], changed: Callable[[], None]) -> None:
        self._namespaces = namespaces
        self._changed = changed
        self._condition = threading.Condition()
        self._scopes: list[Scope] = []
        self._salt = secrets.token_hex(4)  # versions of another process must not look like ours
        self._version = 0
        self._snapshot: ClusterState | None = None

    def add(self, scopes: Iterable[Scope], instead_of: Scope | None = None) -> None:
        """Watch more; `instead_of` leaves."""
        with self._condition:
            self._scopes = [scope for scope in self._scopes if scope is not instead_of] + list(scopes)

    def listed(self, scope: Scope, listing: Listing) -> None:
        """Take over a complete list."""
        kept = tuple(one for one in listing.items if self._is_ours(scope.resource, one))

        def change() -> Moved:
            moved = scope.collection.replace(Listing(kept, listing.version))
            was_empty = scope.unread or scope.unserved
            scope.synced, scope.problem, scope.unread, scope.unserved = True, None, False, False
            return Moved.CONTENT if was_empty else moved

        self._update(change)

    def put(self, scope: Scope, one: Held) -> None:
        """Take over one object as it is now."""
        if self._is_ours(scope.resource, one):
            self._update(lambda: scope.collection.put(one))

    def drop(self, scope: Scope, one: Held) -> None:
        """Take over that one object is gone."""
        self._drop(scope, one.namespace, one.name, one.uid)

    def written(self, live: LiveObject) -> None:
        """Take over the result of our own write, so that who reads next sees it."""
        for scope in self._of(live.key):
            self.put(scope, Held(live.key.namespace, live.key.name, live.uid, live.resource_version, live))

    def deleted(self, key: Key, uid: str) -> None:
        """Take over that our own delete is through."""
        for scope in self._of(key):
            self._drop(scope, key.namespace, key.name, uid)

    def mark(
        self,
        scope: Scope,
        *,
        problem: Unavailable | Rejected | None = None,
        unread: bool = False,
        unserved: bool = False,
    ) -> None:
        """Say how a scope's watch is doing. One that may not be read, or that nobody serves, is empty and needs no watch."""

        def change() -> Moved:
            moved = (scope.unread, scope.unserved) != (unread, unserved)
            scope.problem, scope.unread, scope.unserved = problem, unread, unserved
            if unread or unserved:
                scope.collection, scope.synced = Collection(), True
            return Moved.CONTENT if moved else Moved.NOTHING

        self._update(change)

    def observe(self, wait: float) -> ClusterState:
        """Return the snapshot; the very same value while nothing changed.

        Waits up to `wait` seconds for the first lists. Raises Unavailable or Rejected while any copy cannot be trusted.
        """
        with self._condition:
            self._condition.wait_for(lambda: any(s.problem for s in self._scopes) or all(s.synced for s in self._scopes), wait)
            problems = [scope.problem for scope in self._scopes if scope.problem is not None]
            if problems:
                raise _again(next((one for one in problems if isinstance(one, Rejected)), problems[0]))
            late = [scope.resource.kind.plural for scope in self._scopes if not scope.synced]
            if late:
                raise Unavailable(f"the first list of {', '.join(late)} is not complete yet")
            if self._snapshot is None:
                self._snapshot = state(self._scopes, f"{self._salt}-{self._version}")
            return self._snapshot

    def _drop(self, scope: Scope, namespace: str, name: str, uid: str) -> None:
        self._update(lambda: scope.collection.drop(namespace, name, uid))

    def _of(self, key: Key) -> list[Scope]:
        with self._condition:
            scopes = [scope for scope in self._scopes if scope.resource.kind.name == key.kind]
            return [scope for scope in scopes if scope.namespace in ("", key.namespace)]

    def _is_ours(self, resource: Resource, one: Held) -> bool:
        return is_ours(resource, one, self._namespaces)

    def _update(self, change: Callable[[], Moved]) -> None:
        with self._condition:
            moved = change()
            if moved is not Moved.NOTHING:
                self._snapshot = None
            if moved is Moved.CONTENT:
                self._version += 1
            self._condition.notify_all()
        if moved is Moved.CONTENT:
            self._changed()


def _again(problem: Unavailable | Rejected) -> Unavailable | Rejected:
    """Return an equal error: one that is raised again and again would collect the traces of all its raisers."""
    if isinstance(problem, Rejected):
        return Rejected(str(problem), status=problem.status)
    return Unavailable(str(problem), retry_after=problem.retry_after)


def is_ours(resource: Resource, one: Held, namespaces: frozenset[str]) -> bool:
    """Whether an object is within the namespaces that we look at; none named means all."""
    return not namespaces or (one.namespace if resource.kind.namespaced else one.name) in namespaces


def state(scopes: Sequence[Scope], version: str) -> ClusterState:
    """Return what scopes hold as one value."""
    objects: dict[Key, LiveObject] = {}
    pods: list[Pod] = []
    services: list[Service] = []
    controllers: list[Controller] = []
    autoscalers: list[Autoscaler] = []
    for value in (value for scope in scopes for value in scope.collection.values()):
        match value:
            case LiveObject():
                objects[value.key] = value
            case Pod():
                pods.append(value)
            case Service():
                services.append(value)
            case Controller():
                controllers.append(value)
            case Autoscaler():
                autoscalers.append(value)
    pods.sort(key=lambda one: (one.namespace, one.name))
    services.sort(key=lambda one: (one.namespace, one.name))
    controllers.sort(key=lambda one: (one.namespace, one.kind, one.name))
    autoscalers.sort(key=lambda one: (one.namespace, one.name))
    needed = [scope for scope in scopes if not scope.resource.scales]
    dispensable = [scope for scope in scopes if scope.resource.scales]
    return ClusterState(
        objects=MappingProxyType(objects),
        pods=tuple(pods),
        services=tuple(services),
        controllers=tuple(controllers),
        autoscalers=tuple(autoscalers),
        unread=frozenset(
            scope.namespace if scope.resource.kind.namespaced else NO_NAMESPACE for scope in needed if scope.unread
        ),
        unserved=frozenset(scope.resource.kind.name for scope in needed if scope.unserved),
        unseen=frozenset(
            (scope.resource.kind.name, scope.namespace) for scope in dispensable if scope.unread or scope.unserved
        ),
        version=version,
    )
