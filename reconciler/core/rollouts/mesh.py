"""What shares depend on beside a unit's own documents: the live status of its objects, Pods, and Services that pick VMs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

from reconciler.core.backends import Backend, Member, Platform
from reconciler.core.health.drains import Draining
from reconciler.core.istio import WorkloadEntry, selects
from reconciler.core.portions import parted, portions_of
from reconciler.core.records import Health
from reconciler.core.resources import EMPTY, Document, Key, ObservedState, Pod, Service
from reconciler.core.rollouts.platforms import Labelled
from reconciler.core.rollouts.subsets import POD_SUBSET
from reconciler.core.rollouts.values import Documents
from reconciler.core.scaling import Scale, Scaling
from reconciler.core.selection import LabelIndex
from reconciler.core.world import Members, World, record_of

T = TypeVar("T")

#: Stands for all Pods of a service together: they come and go, and each weighs 1.
PODS = Key("Pod", "", "")

#: Who gets which share (0 to 1) of a service's requests: WorkloadEntries, inline endpoints that are none, and PODS.
Shares = Mapping[Key, Fraction]


class Mesh:
    """Everything observed, indexed by what rollouts ask for. `cluster` is the name that istiod knows the cluster by."""

    def __init__(self, observed: ObservedState, cluster: str = "Kubernetes") -> None:
        self.observed, self._cluster = observed, cluster
        self.draining: Mapping[Key, Draining] = EMPTY
        self._kept: dict[tuple[int, int], tuple[object, Any]] = {}
        self._pods: LabelIndex[Pod] = LabelIndex((one.namespace, one.labels, one) for one in observed.pods)
        self._services: dict[str, list[Service]] = {}
        for service in observed.services:
            self._services.setdefault(service.namespace, []).append(service)

    def world(self, documents: Documents, *, meant: bool = False) -> World:
        """Return the world of these documents with their live status, or as if all served who are `meant` to."""
        present = {
            key: {**one, "status": {}} if meant else self._with_status(key, one)
            for key, one in self.as_drained(documents).items()
            if one is not None
        }
        services = list(self._asked_services(present))
        selectors = [(key.namespace, _selector(one)) for key, one in present.items() if key.kind == "ServiceEntry"]
        selectors += [(one.namespace, one.selector) for one in services]
        pods = {(pod.namespace, pod.name): pod for asked in selectors for pod in self._pods.picked(*asked)}
        serving = [replace(one, ready=not one.leaving) for one in pods.values()] if meant else pods.values()
        return World.build(present, serving, services, cluster=self._cluster)

    def as_drained(self, documents: Documents) -> Documents:
        """Return documents as they are wanted while some of their VMs are drained: a constant of all arithmetic."""
        if self.draining.keys().isdisjoint(documents):
            return documents
        found = {key: one.laid_on(document) for key, one in self.draining.items() if (document := documents.get(key))}
        return {**documents, **found}

    def live(self, keys: Iterable[Key]) -> dict[Key, Document | None]:
        """Return what is live of these objects; None: it is not there."""
        found = ((key, self.observed.get(key)) for key in keys)
        return {key: one.document if one else None for key, one in found}

    def pods_meant(self, namespace: str, selectors: Iterable[Mapping[str, str] | None]) -> int:
        """Return how many Pods are meant to serve behind any of these selectors, whether they are ready or not."""
        return len({pod.name for one in selectors for pod in self._pods.picked(namespace, one) if not pod.leaving})

    def pods_of(self, entry: Document) -> list[Pod]:
        """Return the Pods that a ServiceEntry selects, ready or not."""
        return [pod for pod in self._pods.picked(entry["metadata"]["namespace"], _selector(entry)) if not pod.leaving]

    def pods_ready(self, namespace: str, selectors: Iterable[Mapping[str, str] | None]) -> int:
        """Return how many Pods serve behind any of these selectors now."""
        return len({pod.name for one in selectors for pod in self._pods.picked(namespace, one) if pod.ready})

    def labels_of_pods(self, entry: Document) -> list[Labelled]:
        """Return the labels of the Pods that a ServiceEntry selects, also of those that are only to come.

        Those to come have the labels of whatever no other controller owns: an old ReplicaSet starts no Pod any more.
        """
        namespace, selector = entry["metadata"]["namespace"], _selector(entry)
        first = [one for one in self.observed.controllers if one.namespace == namespace and not one.owner]
        to_come = [one for one in first if selects(selector, one.labels)]
        found = [(Key("Pod", pod.namespace, pod.name), pod.labels) for pod in self.pods_of(entry)]
        return found + [(Key(one.kind, one.namespace, one.name), one.labels) for one in to_come]

    def scale(self, namespace: str, selectors: Iterable[Mapping[str, str] | None]) -> Scale:
        """Return what decides how many Pods run behind any of these selectors."""
        asked = tuple(selectors)
        pods = [pod for one in asked for pod in self._pods.picked(namespace, one) if not pod.leaving]
        return self._scaling.behind(namespace, asked, pods)

    def keep(self, way: object, leg: int, make: Callable[[], T]) -> T:
        """Return what is made of a leg of a way, made once until `look_again`: in one look many ask for it."""
        place = id(way), leg
        if place not in self._kept:
            self._kept[place] = way, make()  # with the way, so that its id stays its own
        found: T = self._kept[place][1]
        return found

    def look_again(self, draining: Mapping[Key, Draining]) -> None:
        """Let go of what was kept of ways: another look reads them anew, with those who are drained now."""
        self._kept, self.draining = {}, draining

    @cached_property
    def _scaling(self) -> Scaling:
        return Scaling(self.observed)

    def is_ill(self, workload: Key) -> bool:
        """Tell whether the VM registry knows a WorkloadEntry's VM to be unhealthy."""
        record = self.observed.machines.get(record_of(workload))
        status = (record.document.get("status") or {}) if record else {}
        return bool(status.get("health") == Health.UNHEALTHY)

    def _with_status(self, key: Key, document: Document) -> Document:
        live = self.observed.get(key)
        status = live.document.get("status") if live else None
        return {**document, "status": status} if status else document

    def _asked_services(self, documents: Mapping[Key, Document]) -> Iterator[Service]:
        """Yield the Services that pick a VM among these, or have a host of theirs."""
        hosts = {host for key, one in documents.items() if key.kind == "ServiceEntry" for host in one["spec"].get("hosts", ())}
        workloads = [WorkloadEntry.of(one) for key, one in documents.items() if key.kind == "WorkloadEntry"]
        for namespace in dict.fromkeys(key.namespace for key in documents):
            for service in self._services.get(namespace, ()):
                labels = [one.endpoint.selectable for one in workloads if one.key.namespace == namespace]
                if hosts & set(Backend.of_service(service).hosts) or any(selects(service.selector, one) for one in labels):
                    yield service


def shares(world: World, entry: Key, addresses: Mapping[str, Key]) -> dict[Key, Fraction]:
    """Return the shares of the endpoints of a ServiceEntry; empty where it has none. Who gets nothing is not among them.

    Weights decide, inside what routes give each subset. Pods that are to come get what routes give them. `addresses` names the
    WorkloadEntry at an address: an inline endpoint of the same address is the same endpoint.
    """
    members, parts = list((world.picked.get(entry) or Members()).values()), portions_of(world, entry)
    found: dict[Key, Fraction] = {}
    lost = [one.share for one in parts if one.name == POD_SUBSET and not any(one.holds(member) for member in members)]
    if lost:
        found[PODS] = sum(lost, Fraction(0))
    for member, share in zip(members, parted(members, parts), strict=True):
        if share:
            key = endpoint_key(member, addresses)
            found[key] = found.get(key, Fraction(0)) + share
    return found


def endpoint_key(member: Member, addresses: Mapping[str, Key]) -> Key:
    """Return who an endpoint is, across forms: a Pod is any Pod, an inline endpoint the WorkloadEntry at its address."""
    if member.platform is Platform.POD:
        return PODS
    if member.key.kind == "Endpoint":
        return addresses.get(member.address) or inline_key(member.key.namespace, member.address)
    return member.key


def inline_key(namespace: str, address: str) -> Key:
    """Return the key of an inline endpoint that no WorkloadEntry stands for. Its place in the list is not who it is."""
    return Key("Endpoint", namespace, address)


def _selector(document: Document) -> Mapping[str, str] | None:
    return (document["spec"].get("workloadSelector") or {}).get("labels")
