"""All watches of one cluster: one watcher a scope, more of them where a kind may only be listed namespace by namespace."""

import threading
from collections.abc import Callable, Iterable

from reconciler.adapters.cluster_kubernetes.api import KubernetesApi
from reconciler.adapters.cluster_kubernetes.mirror import Mirror, Scope
from reconciler.adapters.cluster_kubernetes.reading import apart
from reconciler.adapters.cluster_kubernetes.resources import ALL, Versions
from reconciler.adapters.cluster_kubernetes.watching import Watcher
from reconciler.errors import Rejected

#: How long `stop` waits for a watch to end, in seconds.
FAREWELL = 2.0


class Watches:
    """Starts with the first lists in the background; `mirror` holds what is known."""

    def __init__(self, api: KubernetesApi, versions: Versions, changed: Callable[[], None]) -> None:
        self.mirror = Mirror(frozenset(api.settings.namespaces), changed)
        self._api, self._versions = api, versions
        self._lock = threading.Lock()
        self._watchers: list[Watcher] = []
        self._stopped = False
        self._start([Scope(resource) for resource in ALL])

    def stop(self) -> None:
        """End all watches."""
        with self._lock:
            self._stopped = True
            watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher.stop()
        for watcher in watchers:
            watcher.join(FAREWELL)

    def _start(self, scopes: Iterable[Scope], instead_of: Scope | None = None) -> None:
        with self._lock:
            if self._stopped:
                return
            watchers = [Watcher(self._api, self._versions, self.mirror, scope, self._forbidden) for scope in scopes]
            self._watchers += watchers
        self.mirror.add([watcher.scope for watcher in watchers], instead_of)
        for watcher in watchers:
            watcher.start()

    def _forbidden(self, scope: Scope, error: Rejected) -> bool:
        """Decide what becomes of a scope that may not be listed; whether other watchers have taken its place."""
        try:
            instead = apart(scope, error, self._api.settings.namespaces)
        except Rejected as refusal:
            self.mirror.mark(scope, problem=refusal)
            return False
        if instead[0].unread:
            self.mirror.mark(scope, unread=True)
            return False
        self._start(instead, instead_of=scope)
        return True
