"""The port: one-shot reads until somebody subscribes, snapshots of the watched copies from then on."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconciler.adapters.cluster_kubernetes.answers import Missing
from reconciler.adapters.cluster_kubernetes.api import KubernetesApi
from reconciler.adapters.cluster_kubernetes.inside import everything_inside
from reconciler.adapters.cluster_kubernetes.reading import read_everything
from reconciler.adapters.cluster_kubernetes.resources import Versions
from reconciler.adapters.cluster_kubernetes.watches import Watches
from reconciler.adapters.cluster_kubernetes.writes import Writes
from reconciler.core.kinds import MANAGED
from reconciler.core.namespaces import Inside
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject
from reconciler.ports import ClusterState

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class KubernetesCluster:
    """One cluster, written under the field manager `manager`.

    What may not be read in a namespace (403) makes that namespace `unread`; that needs `settings.namespaces`, since without
    names nobody can say what is missing. A kind whose CRD is missing is `unserved`.
    """

    def __init__(self, api: KubernetesApi, manager: str) -> None:
        self._api = api
        self._versions = Versions()
        self._writes = Writes(api, self._versions, manager)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._watches: Watches | None = None

    def observe(self) -> ClusterState:
        """Return everything that is there; see the port. Raises Rejected where our rights do not suffice."""
        if self._watches is not None:
            return self._watches.mirror.observe(self._api.settings.answer_timeout)
        return read_everything(self._api, self._versions)

    def get(self, key: Key) -> LiveObject | None:
        return self._writes.get(key)

    def dry_run(self, document: Document) -> LiveObject:
        return self._writes.dry_run(document)

    def apply(self, document: Document, *, uid: str = "", resource_version: str = "") -> LiveObject:
        return self._noted(self._writes.apply(document, uid=uid, resource_version=resource_version))

    def delete(self, key: Key, *, uid: str, resource_version: str) -> None:
        gone = self._writes.delete(key, uid=uid, resource_version=resource_version)
        if gone and self._watches is not None:
            self._watches.mirror.deleted(key, uid)

    def set_owners(
        self, key: Key, owners: Sequence[FieldOwner], *, uid: str, resource_version: str, drop_labels: Sequence[str] = ()
    ) -> LiveObject:
        done = self._writes.set_owners(key, owners, uid=uid, resource_version=resource_version, drop_labels=drop_labels)
        return self._noted(done)

    def set_conditions(self, key: Key, conditions: Sequence[Document], *, resource_version: str) -> LiveObject:
        return self._noted(self._writes.set_conditions(key, conditions, resource_version=resource_version))

    def annotate(self, key: Key, name: str, text: str | None, *, uid: str, resource_version: str) -> LiveObject:
        return self._noted(self._writes.annotate(key, name, text, uid=uid, resource_version=resource_version))

    def inside(self, namespace: str) -> tuple[Inside, ...]:
        return everything_inside(self._api, namespace)

    def crds(self) -> tuple[Document, ...]:
        """Return the CRDs of the managed kinds, as far as they are installed."""
        paths = [f"{CRDS}/{kind.plural}.{kind.group}" for kind in MANAGED.values() if kind.group]
        with ThreadPoolExecutor(min(self._api.settings.concurrency, len(paths)), thread_name_prefix="list") as pool:
            return tuple(crd for crd in pool.map(self._crd, paths) if crd is not None)

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Watch from now on; the first lists are made in the background, and `observe` waits for them."""
        with self._lock:
            self._listeners.append(changed)
            if self._watches is None:
                self._watches = Watches(self._api, self._versions, self._tell)

    def close(self) -> None:
        """End the watches and drop the connections."""
        if self._watches is not None:
            self._watches.stop()
        self._api.close()

    def _noted(self, live: LiveObject) -> LiveObject:
        if self._watches is not None:
            self._watches.mirror.written(live)
        return live

    def _tell(self) -> None:
        for changed in tuple(self._listeners):
            changed()

    def _crd(self, path: str) -> Document | None:
        try:
            crd = self._api.read(path)
        except Missing:
            return None
        metadata = {name: value for name, value in crd["metadata"].items() if name != "managedFields"}
        return {**crd, "metadata": metadata}
