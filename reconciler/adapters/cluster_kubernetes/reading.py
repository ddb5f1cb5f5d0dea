"""One-shot reads: everything, complete, or an error; and what to read instead of what we may not list."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

from reconciler.adapters.cluster_kubernetes.answers import NotServed
from reconciler.adapters.cluster_kubernetes.api import KubernetesApi
from reconciler.adapters.cluster_kubernetes.listing import Listing, list_all
from reconciler.adapters.cluster_kubernetes.mirror import Scope, is_ours, state
from reconciler.adapters.cluster_kubernetes.resources import ALL, Resource, Versions
from reconciler.errors import Rejected
from reconciler.ports import ClusterState


def read_everything(api: KubernetesApi, versions: Versions) -> ClusterState:
    """List all that we look at, several kinds at a time. Raises Unavailable for any part that was not read completely."""
    with ThreadPoolExecutor(min(api.settings.concurrency, len(ALL)), thread_name_prefix="list") as pool:
        scopes = [scope for some in pool.map(lambda one: _scopes(api, versions, one), ALL) for scope in some]
    return state(scopes, _digest(scopes))


def apart(scope: Scope, error: Rejected, namespaces: Iterable[str]) -> list[Scope]:
    """Return what to read instead of a scope that we may not list: each namespace by itself, or nothing (`unread`).

    Raises Rejected where neither makes sense: without names nobody can say what is missing. Nothing of it is missed where it
    only tells what scales Pods.
    """
    if error.status != 403:
        raise error
    if scope.namespace or not scope.resource.kind.namespaced or (scope.resource.scales and not namespaces):
        return [Scope(scope.resource, scope.namespace, synced=True, unread=True)]
    if not namespaces:
        raise Rejected(f"{error}; grant list and watch, or name the namespaces to manage", status=403) from error
    return [Scope(scope.resource, namespace) for namespace in namespaces]


def _scopes(api: KubernetesApi, versions: Versions, resource: Resource) -> list[Scope]:
    """List a resource everywhere, or where we may not do so, namespace by namespace."""
    waiting, done = [Scope(resource)], []
    while waiting:
        scope = waiting.pop()
        try:
            _fill(api, versions, scope)
        except Rejected as error:
            instead = apart(scope, error, api.settings.namespaces)
            waiting += [one for one in instead if not one.unread]
            done += [one for one in instead if one.unread]
        else:
            done.append(scope)
    return done


def _fill(api: KubernetesApi, versions: Versions, scope: Scope) -> None:
    def attempt(served: str) -> Listing:
        return list_all(api.read, scope.resource, served, scope.namespace, api.settings.page_size)

    try:
        listing = versions.request(scope.resource.kind, attempt)
    except NotServed:
        scope.unserved = True
        return
    wanted = frozenset(api.settings.namespaces)
    kept = tuple(one for one in listing.items if is_ours(scope.resource, one, wanted))
    scope.collection.replace(Listing(kept, listing.version))


def _digest(scopes: Iterable[Scope]) -> str:
    """Return a version for a one-shot read: equal for equal contents."""
    lines = [line for scope in scopes for line in scope.collection.versions()]
    lines += [f"{one.resource.kind.name} {one.namespace} {one.unread} {one.unserved}" for one in scopes]
    return blake2b("\n".join(sorted(lines)).encode(), digest_size=12).hexdigest()
