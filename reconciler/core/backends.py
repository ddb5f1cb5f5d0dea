"""What istiod makes endpoints of: members (VMs, Pods), and the backends (ServiceEntries, Services) that pick them.

Facts are from istiod's service registry (pilot/pkg/serviceregistry/serviceentry and .../kube/controller): which address forms
a resolution takes, when a Service leaves a WorkloadEntry out, which labels are added before anything is selected.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Self

from reconciler.core.health.words import word_of
from reconciler.core.hosts import CLUSTER_DOMAIN
from reconciler.core.istio import AddressForm, Endpoint, Port, Resolution, ServiceEntry, WorkloadEntry, selects
from reconciler.core.resources import EMPTY, Document, Key, Pod, Service, ServicePort

#: The label by which an SE or a subset can pin itself to one cluster of the mesh.
_CLUSTER_LABEL = "topology.istio.io/cluster"


class Platform(StrEnum):
    """Where an endpoint runs. HOST: the proxy resolves a name, or goes where the client meant to go; no endpoint is listed."""

    VM = "vm"
    POD = "pod"
    HOST = "host"


#: One entry is looked at in every world that it appears in, and reading an address is the slow part of that.
_form = lru_cache(maxsize=65_536)(AddressForm.of)


@dataclass(frozen=True, slots=True)
class Member:
    """An endpoint that istiod lists for whoever picks it.

    `key` is that of the WorkloadEntry or of the Pod; inline endpoints have the kind Endpoint. `healthy` is None where nobody
    knows. `weight` is at least 1, as in Envoy's arithmetic.
    """

    key: Key
    platform: Platform
    address: str
    form: AddressForm
    weight: int
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    locality: str = ""
    network: str = ""
    healthy: bool | None = None

    @classmethod
    def of_workload(cls, entry: WorkloadEntry, record: Document | None, cluster: str) -> Self | None:
        """Return the member that a WorkloadEntry is, None while its condition keeps it out of the endpoint list."""
        if not entry.in_use:
            return None
        known = True if entry.health_checked else None
        reported = word_of(entry.endpoint.address, record).healthy
        return replace(cls._of(entry.key, entry.endpoint, cluster), healthy=known if reported is None else reported)

    @classmethod
    def of_pod(cls, pod: Pod, cluster: str) -> Self:
        """Return the member that a ready Pod is. Pods always weigh 1; their locality is their node's, which is not read."""
        return cls(
            key=Key("Pod", pod.namespace, pod.name),
            platform=Platform.POD,
            address=pod.ip,
            form=AddressForm.IP,
            weight=1,
            labels={**pod.labels, _CLUSTER_LABEL: cluster},
            ports=pod.ports,
            healthy=True,
        )

    @classmethod
    def _of(cls, key: Key, endpoint: Endpoint, cluster: str) -> Self:
        return cls(
            key=key,
            platform=Platform.VM,
            address=endpoint.address,
            form=_form(endpoint.address),
            weight=max(1, endpoint.weight),
            labels={**endpoint.selectable, _CLUSTER_LABEL: cluster},
            ports=endpoint.ports,
            locality=endpoint.locality,
            network=endpoint.network,
        )

    @classmethod
    def inline(cls, entry: ServiceEntry, cluster: str) -> Iterator[Self]:
        """Yield the endpoints that a ServiceEntry itself says; nobody watches their health."""
        for endpoint in entry.endpoints:
            yield cls._of(Key("Endpoint", entry.key.namespace, endpoint.name), endpoint, cluster)
        dns_name = entry.resolution.by_dns and not entry.endpoints and entry.selector is None
        if entry.hosts and (dns_name or entry.resolution is Resolution.NONE):
            address = entry.hosts[0] if dns_name else ""
            key = Key("Host", entry.key.namespace, address or "wherever the client meant to go")
            yield cls(key, Platform.HOST, address, AddressForm.NAME, 1, EMPTY, EMPTY)


@dataclass(frozen=True, slots=True)
class Backend:
    """Whatever picks members and serves them under hosts and ports: a ServiceEntry, or a Service with a selector."""

    key: Key
    hosts: tuple[str, ...]
    ports: tuple[Port, ...] | tuple[ServicePort, ...]
    selector: Mapping[str, str] | None
    forms: frozenset[AddressForm]
    resolution: Resolution = Resolution.STATIC
    members: tuple[Member, ...] = ()

    @classmethod
    def of_entry(cls, entry: ServiceEntry, cluster: str) -> Self:
        members = tuple(Member.inline(entry, cluster))
        forms = _STATIC if entry.resolution is Resolution.STATIC else frozenset(AddressForm)
        selector = None if entry.resolution is Resolution.NONE else entry.selector
        return cls(entry.key, entry.hosts, entry.ports, selector, forms, entry.resolution, members)

    @classmethod
    def of_service(cls, service: Service) -> Self:
        host = f"{service.name}.{service.namespace}.svc.{CLUSTER_DOMAIN}"
        key = Key("Service", service.namespace, service.name)
        return cls(key, (host,), service.ports, service.selector, frozenset({AddressForm.IP}))

    def picks(self, member: Member) -> bool:
        """Tell whether a workload of the same namespace becomes an endpoint here."""
        return member.form in self.forms and selects(self.selector, member.labels)

    def serves(self, port: int, member: Member) -> bool:
        """Tell whether a member that is picked is an endpoint of this service port.

        A ServiceEntry sends to every member on every port, listening there or not. A Service leaves out whoever lacks a
        container port of the name that its targetPort gives.
        """
        found = next((one for one in self.ports if one.number == port), None)
        if not isinstance(found, ServicePort):
            return found is not None
        return isinstance(found.target, int) or found.target in member.ports


_STATIC = frozenset({AddressForm.IP, AddressForm.ABSENT})
