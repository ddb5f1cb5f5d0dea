"""The mesh as Istio's control plane would see it: an immutable value. What a write makes of it, `simulation` knows.

The world holds documents, what istiod makes of them (members, the backends that pick them), and rules and routes by host. It
knows nothing of plans. exportTo is not looked at: whoever cannot see a service cannot be hurt by it either.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from reconciler.core.backends import Backend, Member
from reconciler.core.hostindex import HostIndex
from reconciler.core.istio import DestinationRule, ServiceEntry, Subset, VirtualService, WorkloadEntry
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key, ObservedState, Pod, Service
from reconciler.core.selection import LabelIndex
from reconciler.core.tables import Table

Members = Table[Key, Member]


@dataclass(frozen=True, slots=True)
class World:
    """All of a mesh, or the part of it that some units can touch.

    `members` are the workloads in istiod's endpoint list by namespace, `picked` what each backend picks of them with its own
    inline endpoints. `cluster` is the name that istiod knows the cluster by.
    """

    documents: Table[Key, Document]
    members: Table[str, Members]
    backends: Table[Key, Backend]
    picked: Table[Key, Members]
    rules: Table[Key, DestinationRule]
    routes: Table[Key, VirtualService]
    backends_by_host: HostIndex
    rules_by_host: HostIndex
    routes_by_host: HostIndex
    backends_by_namespace: Table[str, tuple[Key, ...]] = field(default_factory=Table)
    cluster: str = "Kubernetes"

    @classmethod
    def of(cls, observed: ObservedState, *, cluster: str = "Kubernetes") -> Self:
        """Return the world of everything that was observed."""
        documents = {key: live.document for key, live in (*observed.objects.items(), *observed.machines.items())}
        return cls.build(documents, observed.pods, observed.services, cluster=cluster)

    @classmethod
    def build(
        cls,
        documents: Mapping[Key, Document],
        pods: Iterable[Pod] = (),
        services: Iterable[Service] = (),
        *,
        cluster: str = "Kubernetes",
    ) -> Self:
        """Return the world of live documents (records of VMs among them), Pods, and Services with a selector."""
        members = [Member.of_pod(pod, cluster) for pod in pods if pod.ready]
        backends = {one.key: one for one in map(Backend.of_service, services)}
        rules, routes = {}, {}
        for key, document in documents.items():
            match key.kind:
                case "WorkloadEntry":
                    member = Member.of_workload(WorkloadEntry.of(document), documents.get(record_of(key)), cluster)
                    members += [member] if member else []
                case "ServiceEntry":
                    backends[key] = Backend.of_entry(ServiceEntry.of(document), cluster)
                case "DestinationRule":
                    rules[key] = DestinationRule.of(document)
                case "VirtualService":
                    routes[key] = VirtualService.of(document)
        selecting = {name for one in backends.values() for name in one.selector or ()}
        index = LabelIndex(((one.key.namespace, one.labels, one) for one in members), selecting)
        return cls(
            documents=Table(documents),
            members=Table({namespace: Table(found) for namespace, found in _by_namespace(members).items()}),
            backends=Table(backends),
            picked=Table({key: picked_by(one, index.picked(key.namespace, one.selector)) for key, one in backends.items()}),
            rules=Table(rules),
            routes=Table(routes),
            backends_by_host=HostIndex.of((host, key) for key, one in backends.items() for host in one.hosts),
            rules_by_host=HostIndex.of((one.host, key) for key, one in rules.items()),
            routes_by_host=HostIndex.of((host, key) for key, one in routes.items() for host in destinations(one)),
            backends_by_namespace=Table({name: tuple(sorted(keys)) for name, keys in _grouped(backends).items()}),
            cluster=cluster,
        )

    def services_of(self, host: str, namespace: str) -> tuple[tuple[str, str], ...]:
        """Return (namespace, host) of the services that a destination leads to, seen from a namespace.

        One of the same namespace comes first, as for Istio; without one, all others count, since clients everywhere may
        follow the route. A ServiceEntry for a pattern serves only where no exact host does.
        """
        found = dict.fromkeys((key.namespace, name) for name, key in self.backends_by_host.covering(host))
        exact = [one for one in found if one[1] == host] or list(found)
        own = [one for one in exact if one[0] == namespace]
        return tuple(own or exact)

    def backends_of(self, namespace: str, host: str) -> Iterator[Backend]:
        """Yield the backends whose endpoints one service unites."""
        for key in self.backends_by_host.exact(host):
            if key.namespace == namespace:
                yield self.backends[key]

    def ports_of(self, namespace: str, host: str) -> tuple[int, ...]:
        """Return the numbers of a service's ports."""
        return tuple(sorted({port.number for backend in self.backends_of(namespace, host) for port in backend.ports}))

    def endpoints(self, namespace: str, host: str, port: int) -> Iterator[tuple[Backend, Member]]:
        """Yield the endpoints of one service port with the backend that each comes through, in no order."""
        for backend in self.backends_of(namespace, host):
            for member in self.picked[backend.key].values():
                if backend.serves(port, member):
                    yield backend, member

    def rules_for(self, namespace: str, host: str) -> list[DestinationRule]:
        """Return the DestinationRules for a service, the ones of its own namespace first."""
        found = [self.rules[key] for _, key in self.rules_by_host.covering(host)]
        return sorted(found, key=lambda one: one.key.namespace != namespace)

    def subset(self, namespace: str, host: str, name: str) -> Subset | None:
        """Return the definition of a service's subset that counts."""
        return next((found for rule in self.rules_for(namespace, host) if (found := rule.subset(name))), None)


def record_of(workload: Key) -> Key:
    """Return the key of the record that the VM registry keeps for a WorkloadEntry."""
    return Key(VIRTUAL_MACHINE, workload.namespace, workload.name)


def picked_by(backend: Backend, members: Iterable[Member]) -> Members:
    """Return the endpoints of a backend: those of its namespace's members that it picks, and its inline ones."""
    taken = {one.key: one for one in members if backend.picks(one)}
    return Table(taken | {one.key: one for one in backend.members})


def destinations(route: VirtualService) -> set[str]:
    """Return the hosts that get requests from a route."""
    return {one.host for one in route.destinations if one.share}


def _by_namespace(members: Iterable[Member]) -> dict[str, dict[Key, Member]]:
    found: dict[str, dict[Key, Member]] = {}
    for member in members:
        found.setdefault(member.key.namespace, {})[member.key] = member
    return found


def _grouped(keys: Iterable[Key]) -> dict[str, list[Key]]:
    found: dict[str, list[Key]] = {}
    for key in keys:
        found.setdefault(key.namespace, []).append(key)
    return found
