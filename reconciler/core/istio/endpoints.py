"""Where requests can go: ServiceEntry, WorkloadEntry and inline endpoints, as istiod's service registry reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from reconciler.core.hosts import canonical, is_ip
from reconciler.core.resources import EMPTY, Document, Key

HEALTH_CHECKED = "proxy.istio.io/health-checks-enabled"
AUTO_REGISTERED = "istio.io/autoRegistrationGroup"
#: The label of a WorkloadEntry under whose value metrics count its requests.
WORKLOAD_NAME = "service.istio.io/workload-name"
#: The spellings that Go's strconv.ParseBool takes for true.
_GO_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_LOCALITY_LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


class Resolution(StrEnum):
    """How proxies find the endpoints of a ServiceEntry."""

    NONE = "NONE"
    STATIC = "STATIC"
    DNS = "DNS"
    DNS_ROUND_ROBIN = "DNS_ROUND_ROBIN"
    DYNAMIC_DNS = "DYNAMIC_DNS"

    @classmethod
    def _missing_(cls, _value: object) -> Self:
        """Read a kind that a newer Istio has as NONE: where its requests go is not known here."""
        return cls("NONE")

    @property
    def by_dns(self) -> bool:
        return self not in (Resolution.NONE, Resolution.STATIC)


class AddressForm(StrEnum):
    """What the text of an endpoint address is. ABSENT: none is given, the endpoint is reached by its network's gateway."""

    IP = "ip"
    NAME = "name"
    UNIX = "unix"
    ABSENT = "absent"

    @classmethod
    def of(cls, address: str) -> Self:
        if not address:
            return cls("absent")
        if address.startswith("unix://"):
            return cls("unix")
        return cls("ip" if is_ip(address) else "name")


def selects(selector: Mapping[str, str] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a workload with these labels is picked: every label of the selector is there with an equal value.

    No selector and an empty one pick nothing: what an empty one means changed between Istio's versions, and Git may not hold
    one.
    """
    return bool(selector) and all(labels.get(name) == value for name, value in (selector or EMPTY).items())


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a ServiceEntry; `target` is `number` where the document gives none."""

    name: str
    number: int
    protocol: str
    target: int

    def on(self, ports: Mapping[str, int]) -> int:
        """Return the port to connect to on an endpoint with this `ports` map (container ports by name for a Pod)."""
        return ports.get(self.name) or self.target


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where requests can go: an inline endpoint, or what a WorkloadEntry describes. `weight` 0 and none are 1."""

    name: str
    address: str
    ports: Mapping[str, int]
    labels: Mapping[str, str]
    network: str
    locality: str
    weight: int
    service_account: str

    @classmethod
    def of(cls, name: str, spec: Mapping[str, Any], metadata_labels: Mapping[str, str] = EMPTY) -> Self:
        return cls(
            name=name,
            address=spec.get("address") or "",
            ports=spec.get("ports") or EMPTY,
            labels={**(spec.get("labels") or EMPTY), **metadata_labels},
            network=spec.get("network") or "",
            locality=spec.get("locality") or "",
            weight=spec.get("weight") or 1,
            service_account=spec.get("serviceAccount") or "",
        )

    @property
    def form(self) -> AddressForm:
        return AddressForm.of(self.address)

    @property
    def selectable(self) -> Mapping[str, str]:
        """The labels that selectors and subsets see: with those that istiod adds for locality and network."""
        if not self.locality and not self.network:
            return self.labels
        topology = dict(zip(_LOCALITY_LABELS, self.locality.split("/"), strict=False))
        topology["topology.istio.io/network"] = self.network
        return {**self.labels, **{name: value for name, value in topology.items() if value}}


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A ServiceEntry. `selector` is None where it has none; `hosts` are canonical (lower case, no trailing dot)."""

    key: Key
    hosts: tuple[str, ...]
    addresses: tuple[str, ...]
    ports: tuple[Port, ...]
    mesh_internal: bool
    resolution: Resolution
    endpoints: tuple[Endpoint, ...]
    selector: Mapping[str, str] | None
    export_to: tuple[str, ...]

    @classmethod
    def of(cls, document: Document) -> Self:
        key, spec = Key.of(document), document.get("spec") or EMPTY
        selector = spec.get("workloadSelector")
        return cls(
            key=key,
            hosts=tuple(canonical(host) for host in spec.get("hosts") or ()),
            addresses=tuple(spec.get("addresses") or ()),
            ports=tuple(
                Port(one["name"], one["number"], one.get("protocol") or "", one.get("targetPort") or one["number"])
                for one in spec.get("ports") or ()
            ),
            mesh_internal=spec.get("location") == "MESH_INTERNAL",
            resolution=Resolution(spec.get("resolution") or "NONE"),
            endpoints=tuple(Endpoint.of(f"{key.name}-{i}", one) for i, one in enumerate(spec.get("endpoints") or ())),
            selector=None if selector is None else selector.get("labels") or EMPTY,
            export_to=tuple(spec.get("exportTo") or ()),
        )

    def picks(self, endpoint: Endpoint) -> bool:
        """Tell whether a WorkloadEntry of the same namespace becomes an endpoint, its health aside.

        Only the DNS kinds take one whose address is a name or a UNIX socket; STATIC drops it without a word, NONE all of them.
        """
        usable = self.resolution.by_dns or (
            self.resolution is Resolution.STATIC and endpoint.form in (AddressForm.IP, AddressForm.ABSENT)
        )
        return usable and selects(self.selector, endpoint.selectable)


@dataclass(frozen=True, slots=True)
class WorkloadEntry:
    """A WorkloadEntry. `healthy` is its condition ``Healthy``, None where nobody has set it.

    The labels of `endpoint` are `spec.labels` overlaid by `metadata.labels`. `group` names the WorkloadGroup by which istiod
    registered it itself, empty where Git or a person made it. `workload` is the name under which metrics count its requests
    (WorkloadNameFromWorkloadEntry of istio's pkg/kube/labels).
    """

    key: Key
    endpoint: Endpoint
    health_checked: bool
    healthy: bool | None
    group: str
    workload: str

    @classmethod
    def of(cls, document: Document) -> Self:
        key, metadata = Key.of(document), document["metadata"]
        annotations = metadata.get("annotations") or EMPTY
        group = annotations.get(AUTO_REGISTERED, "")
        return cls(
            key=key,
            endpoint=Endpoint.of(key.name, document.get("spec") or EMPTY, metadata.get("labels") or EMPTY),
            health_checked=is_health_checked(document),
            healthy=_condition(document, "Healthy"),
            group=group,
            workload=group or (metadata.get("labels") or EMPTY).get(WORKLOAD_NAME) or key.name,
        )

    @property
    def in_use(self) -> bool:
        """Whether istiod counts it as an endpoint: with health checks on, only while the condition says True."""
        return not self.health_checked or self.healthy is True


def is_health_checked(document: Document) -> bool:
    """Tell whether istiod goes by the condition ``Healthy`` of a WorkloadEntry."""
    return (document["metadata"].get("annotations") or EMPTY).get(HEALTH_CHECKED) in _GO_TRUE


def _condition(document: Document, name: str) -> bool | None:
    for condition in (document.get("status") or EMPTY).get("conditions") or ():
        if condition.get("type") == name:
            return bool(condition.get("status") == "True")
    return None
