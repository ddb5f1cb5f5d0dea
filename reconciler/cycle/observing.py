"""What both stores hold, as one value: either all of it, or `Unavailable`."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from reconciler.core.namespaces import Listing, override_of
from reconciler.core.resources import Key, ObservedState
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import Cluster, ClusterState, RegistryState, VMRegistry
from reconciler.vms.witnessing import Witnesses


@dataclass(slots=True)
class Observer:
    """Reads cluster and registry, with what others tell of VMs; returns the very same value while nothing has changed."""

    cluster: Cluster
    registry: VMRegistry | None
    witnesses: Witnesses | None = None
    _last: tuple[ClusterState, RegistryState, ObservedState] | None = field(default=None, init=False)

    def observe(self) -> ObservedState:
        """Return everything of both stores. Raises Unavailable when either could not be read whole."""
        stores = self._stores()
        return self.witnesses.testify(stores) if self.witnesses else stores

    def _stores(self) -> ObservedState:
        cluster = self.cluster.observe()
        registry = self._registry()
        if self._last and self._last[0] is cluster and self._last[1] == registry:
            return self._last[2]
        observed = ObservedState(
            objects=cluster.objects,
            machines=registry.machines,
            pods=cluster.pods,
            services=cluster.services,
            controllers=cluster.controllers,
            autoscalers=cluster.autoscalers,
            unread=cluster.unread,
            unserved=cluster.unserved,
            unseen=cluster.unseen,
            version=f"{cluster.version}/{registry.version}",
            served=registry.served,
            recovering=registry.recovering,
        )
        self._last = (cluster, registry, observed)
        return observed

    def _registry(self) -> RegistryState:
        try:
            return self.registry.observe() if self.registry else RegistryState({})
        except Unavailable as error:
            raise Unavailable(
                f"the VM registry cannot be read (registry-unavailable): {error}", retry_after=error.retry_after
            ) from error

    def listings(self, leaving: Iterable[Key], named: Collection[str]) -> dict[str, Listing]:
        """Look into the namespaces that would be deleted and whose names were said: nobody else is worth so many requests."""
        wanted = [key.name for key in leaving if key.kind == "Namespace" and override_of(key) in named]
        return {namespace: self._listing(namespace) for namespace in wanted}

    def _listing(self, namespace: str) -> Listing:
        try:
            return Listing(self.cluster.inside(namespace))
        except (Rejected, Unavailable) as error:
            return Listing(unread=str(error))
