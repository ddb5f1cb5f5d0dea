"""Who is bound to whom, in every version that matters: the connections along which `units` cuts.

Objects are looked at as they are live and as Git wants them at once, since on the way from one to the other both count.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.core.backends import Backend
from reconciler.core.components import Components
from reconciler.core.hostindex import HostIndex
from reconciler.core.istio import DestinationRule, Endpoint, ServiceEntry, VirtualService, WorkloadEntry, workloads_of_policy
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.resources import EMPTY, Document, Key, ObservedState
from reconciler.core.selection import LabelIndex

#: Kinds that bind workloads of their namespace by label.
_SELECTING = frozenset(
    {"PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy", "Telemetry", "ProxyConfig", "Sidecar"}
)

Labelled = tuple[str, Mapping[str, str], Key]


class Links:
    """The components of all objects, given as documents by key, and for every object which of them it is bound to."""

    def __init__(self, versions: Mapping[Key, tuple[Document, ...]], observed: ObservedState) -> None:
        self._versions = versions
        self._observed = observed
        self._components = Components()
        self._accounts: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self._entries = [ServiceEntry.of(one) for key, found in versions.items() if key.kind == "ServiceEntry" for one in found]
        self._workloads = LabelIndex(self._read_workloads(), self._selecting_labels())
        self._pods: LabelIndex[Key] | None = None
        self._picking: dict[str, dict[Key, set[Key]]] = {}
        served = [*self._join_entries(), *self._join_services()]
        self._hosts = HostIndex.of((host.name, host) for host in (*served, *self._ruled_alone({host.name for host in served})))

    def homes(self, key: Key) -> set[int]:
        """Return the components that an object is bound to."""
        match key.kind:
            case "ServiceEntry" | "WorkloadEntry" | "WorkloadGroup":
                bound: Iterable[Key] = [key]
            case "VirtualMachine":
                bound = [Key("WorkloadEntry", key.namespace, key.name)]
            case "DestinationRule" | "VirtualService":
                bound = {node for host in self._hosts_of(key) for node in self._serving(host, key.namespace)}
            case "ServiceAccount":
                bound = self._accounts.get((key.namespace, key.name), ())
            case kind if kind in _SELECTING:
                bound = {node for document in self._versions[key] for node in self._bound_by(key.namespace, document)}
            case _:
                bound = ()
        return {self._components.number(node) for node in bound}

    def services(self) -> Iterator[tuple[int, tuple[str, str]]]:
        """Yield each service as (namespace, host) with its component."""
        for _, node in self._hosts.covered("*"):
            if node.namespace:
                yield self._components.number(node), (node.namespace, node.name)

    def _selecting_labels(self) -> set[str]:
        """Return the names of all labels by which workloads are selected here."""
        selectors = [entry.selector for entry in self._entries] + [one.selector for one in self._observed.services]
        policies = (one for key, found in self._versions.items() if key.kind in _SELECTING for one in found)
        selectors += map(workloads_of_policy, policies)
        return {name for selector in selectors for name in selector or ()}

    def _read_workloads(self) -> Iterator[Labelled]:
        """Yield what selectors see, joining each WorkloadEntry with its group."""
        for key, documents in self._versions.items():
            for document in documents:
                if key.kind == "WorkloadEntry":
                    yield self._read_workload(key, document)
                elif key.kind == "WorkloadGroup":
                    yield self._read_group(key, document)

    def _read_workload(self, key: Key, document: Document) -> Labelled:
        entry, metadata = WorkloadEntry.of(document), document["metadata"]
        if entry.endpoint.service_account:
            self._accounts[key.namespace, entry.endpoint.service_account].add(key)
        groups = {entry.group, (metadata.get("annotations") or EMPTY).get(GROUP_ANNOTATION, "")}
        groups |= {one["name"] for one in metadata.get("ownerReferences") or () if one.get("kind") == "WorkloadGroup"}
        for group in groups - {""}:
            self._components.join(key, [Key("WorkloadGroup", key.namespace, group)])
        return key.namespace, entry.endpoint.selectable, key

    def _read_group(self, key: Key, document: Document) -> Labelled:
        """A group is bound to whatever would pick the WorkloadEntries that istiod makes of it."""
        spec = document.get("spec") or EMPTY
        labels = (spec.get("metadata") or EMPTY).get("labels") or EMPTY
        template = Endpoint.of(key.name, spec.get("template") or EMPTY, labels)
        if template.service_account:
            self._accounts[key.namespace, template.service_account].add(key)
        return key.namespace, template.selectable, key

    def _join_entries(self) -> Iterator[Key]:
        for entry in self._entries:
            hosts = [Key("Host", entry.key.namespace, host) for host in entry.hosts]
            self._components.join(entry.key, (*hosts, *self._workloads.picked(entry.key.namespace, entry.selector)))
            for endpoint in entry.endpoints:
                if endpoint.service_account:
                    self._accounts[entry.key.namespace, endpoint.service_account].add(entry.key)
            yield from hosts

    def _join_services(self) -> Iterator[Key]:
        """Join the workloads that a Kubernetes Service picks, and the ServiceEntry that has its host."""
        known = {(entry.key.namespace, host) for entry in self._entries for host in entry.hosts}
        for backend in map(Backend.of_service, self._observed.services):
            namespace, (host,) = backend.key.namespace, backend.hosts
            picked = self._workloads.picked(namespace, backend.selector)
            if picked or (namespace, host) in known:
                node = Key("Host", namespace, host)
                self._components.join(backend.key, (node, *picked))
                yield node

    def _ruled_alone(self, served: set[str]) -> Iterator[Key]:
        """Yield the hosts that have a rule and no service here: what routes to them is bound to the rule all the same."""
        for key in self._versions:
            if key.kind == "DestinationRule":
                yield from (Key("Host", "", host) for host in self._hosts_of(key) if host not in served)

    def _hosts_of(self, key: Key) -> Iterator[str]:
        """Yield the hosts that a rule or a route is about. A pattern in a route's own hosts says nothing about services."""
        for document in self._versions[key]:
            if key.kind == "DestinationRule":
                yield DestinationRule.of(document).host
            else:
                route = VirtualService.of(document)
                yield from (host for host in route.hosts if not host.startswith("*"))
                yield from (one.host for each in route.routes for one in (*each.destinations, *each.mirrors))

    def _serving(self, host: str, namespace: str) -> list[Key]:
        """Return the services that a host names, seen from a namespace: its own first, as for Istio."""
        found = [node for _, node in (*self._hosts.covering(host), *self._hosts.covered(host))]
        return [node for node in found if node.namespace == namespace] or found

    def _bound_by(self, namespace: str, document: Document) -> Iterator[Key]:
        """Yield what a policy binds: the targets that it names, or the workloads that it selects."""
        targets = policy_targets(document)
        for target in targets:
            yield Key(target.get("kind", ""), namespace, target.get("name", ""))
        selector = workloads_of_policy(document)
        if selector and not targets:
            yield from self._workloads.picked(namespace, selector)
            picking = self._pickers(namespace)
            for pod in self._pod_index().picked(namespace, selector):
                yield from picking.get(pod, ())

    def _pod_index(self) -> LabelIndex[Key]:
        if self._pods is None:
            pods = self._observed.pods
            self._pods = LabelIndex((one.namespace, one.labels, Key("Pod", one.namespace, one.name)) for one in pods)
        return self._pods

    def _pickers(self, namespace: str) -> dict[Key, set[Key]]:
        """Return the ServiceEntries of a namespace that pick each Pod."""
        if namespace not in self._picking:
            found = self._picking[namespace] = defaultdict(set)
            for entry in self._entries:
                if entry.key.namespace == namespace:
                    for pod in self._pod_index().picked(namespace, entry.selector):
                        found[pod].add(entry.key)
        return self._picking[namespace]


def policy_targets(document: Document) -> list[Mapping[str, Any]]:
    """Return what a policy names as its targets instead of selecting workloads."""
    spec = document.get("spec") or EMPTY
    return [*(spec.get("targetRefs") or ()), *([spec["targetRef"]] if spec.get("targetRef") else [])]
