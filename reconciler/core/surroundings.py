"""The part of the observed world that some units can touch: small enough to be stepped through for each of them."""

from collections.abc import Iterable, Iterator

from reconciler.core.backends import Backend
from reconciler.core.istio import DestinationRule, ServiceEntry, VirtualService
from reconciler.core.resources import Document, Key, ObservedState, Pod, Service
from reconciler.core.selection import LabelIndex
from reconciler.core.units import Unit
from reconciler.core.world import World, record_of


class Surroundings:
    """Everything observed, indexed by what units ask for."""

    def __init__(self, observed: ObservedState, cluster: str) -> None:
        self._observed, self._cluster = observed, cluster
        self._services = {(one.namespace, Backend.of_service(one).hosts[0]): one for one in observed.services}
        self._pods: LabelIndex[Pod] = LabelIndex((one.namespace, one.labels, one) for one in observed.pods)

    def world_of(self, units: Iterable[Unit], coming: Iterable[Document] = ()) -> World:
        """Return the world around units: their live objects, the Pods and Services that these, or coming ones, may use."""
        units = list(units)
        documents = dict(self._documents(key for unit in units for key in (*unit.keys, *unit.context)))
        asking = [*documents.values(), *coming]
        services = dict(self._asked_services(units, asking))
        pods = {(pod.namespace, pod.name): pod for pod in self._asked_pods(asking, services.values())}
        return World.build(documents, pods.values(), services.values(), cluster=self._cluster)

    def _documents(self, keys: Iterable[Key]) -> Iterator[tuple[Key, Document]]:
        for key in keys:
            related = [Key("Namespace", "", key.namespace)] + ([record_of(key)] if key.kind == "WorkloadEntry" else [])
            for one in (key, *related):
                live = self._observed.get(one)
                if live:
                    yield one, live.document

    def _asked_services(
        self, units: Iterable[Unit], documents: Iterable[Document]
    ) -> Iterator[tuple[tuple[str, str], Service]]:
        """Yield the Services that are the units' own, and those that their routes and rules are about."""
        wanted = {service for unit in units for service in unit.services}
        for host in {host for document in documents for host in _hosts(document)}:
            parts = host.split(".", 2)
            wanted |= {(parts[1], host)} if len(parts) > 1 else set()
        for one in wanted:
            if one in self._services:
                yield one, self._services[one]

    def _asked_pods(self, documents: Iterable[Document], services: Iterable[Service]) -> Iterator[Pod]:
        for document in documents:
            if document["kind"] == "ServiceEntry":
                entry = ServiceEntry.of(document)
                yield from self._pods.picked(entry.key.namespace, entry.selector)
        for service in services:
            yield from self._pods.picked(service.namespace, service.selector)


def _hosts(document: Document) -> Iterator[str]:
    if document["kind"] == "VirtualService":
        yield from (one.host for one in VirtualService.of(document).destinations)
    elif document["kind"] == "DestinationRule":
        yield DestinationRule.of(document).host
