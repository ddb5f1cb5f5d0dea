"""How requests are routed and split: DestinationRule and VirtualService, as istiod's route conversion reads them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from reconciler.core.hosts import fqdn
from reconciler.core.resources import EMPTY, Document, Key


@dataclass(frozen=True, slots=True)
class Subset:
    """A subset of a DestinationRule; without labels it holds all endpoints. `policies` names the traffic policies it sets."""

    name: str
    labels: Mapping[str, str]
    policies: frozenset[str]

    def holds(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(name) == value for name, value in self.labels.items())


@dataclass(frozen=True, slots=True)
class DestinationRule:
    """A DestinationRule: `host` fully qualified, `traffic_policy` as written (top level), subsets in order.

    `clients` is its workloadSelector, which picks **client** proxies, the opposite side of a ServiceEntry's.
    """

    key: Key
    host: str
    subsets: tuple[Subset, ...]
    traffic_policy: Mapping[str, Any]
    clients: Mapping[str, str] | None
    export_to: tuple[str, ...]

    @classmethod
    def of(cls, document: Document) -> Self:
        key, spec = Key.of(document), document.get("spec") or EMPTY
        clients = spec.get("workloadSelector")
        return cls(
            key=key,
            host=fqdn(spec.get("host") or "", key.namespace),
            subsets=tuple(
                Subset(one["name"], one.get("labels") or EMPTY, frozenset(one.get("trafficPolicy") or ()))
                for one in spec.get("subsets") or ()
            ),
            traffic_policy=spec.get("trafficPolicy") or EMPTY,
            clients=None if clients is None else clients.get("matchLabels") or EMPTY,
            export_to=tuple(spec.get("exportTo") or ()),
        )

    def subset(self, name: str) -> Subset | None:
        return next((one for one in self.subsets if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a route sends a share (0 to 1) of its requests: host fully qualified, subset empty and port 0 where not given."""

    host: str
    subset: str
    port: int
    weight: int
    share: Fraction


@dataclass(frozen=True, slots=True)
class Route:
    """One route of a VirtualService. `path` is its field path (``spec.http[0]``); `mirrors` get copies, of no share."""

    path: str
    name: str
    destinations: tuple[Destination, ...]
    mirrors: tuple[Destination, ...] = ()

    @classmethod
    def of(cls, path: str, route: Mapping[str, Any], namespace: str) -> Self:
        """Return the route written as a document; shares are weights over their sum, as Envoy draws them."""
        targets = route.get("route") or ()
        total = sum(one.get("weight") or 0 for one in targets)
        mirrors = [one.get("destination") for one in route.get("mirrors") or ()] + [route.get("mirror")]
        return cls(
            path=path,
            name=route.get("name") or "",
            destinations=tuple(
                _destination(one.get("destination"), one.get("weight") or 0, total, namespace) for one in targets
            ),
            mirrors=tuple(_destination(one, 0, 0, namespace) for one in mirrors if one),
        )


def _destination(target: Mapping[str, Any] | None, weight: int, total: int, namespace: str) -> Destination:
    """Build a destination; a route without any weight has one destination, which takes everything."""
    target = target or EMPTY
    return Destination(
        host=fqdn(target.get("host") or "", namespace),
        subset=target.get("subset") or "",
        port=(target.get("port") or EMPTY).get("number") or 0,
        weight=weight,
        share=Fraction(weight, total) if total else Fraction(1),
    )


@dataclass(frozen=True, slots=True)
class VirtualService:
    """A VirtualService: hosts fully qualified, gateways as written (``mesh`` alone where none is named), all its routes."""

    key: Key
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    routes: tuple[Route, ...]
    export_to: tuple[str, ...]

    @classmethod
    def of(cls, document: Document) -> Self:
        key, spec = Key.of(document), document.get("spec") or EMPTY
        return cls(
            key=key,
            hosts=tuple(fqdn(host, key.namespace) for host in spec.get("hosts") or ()),
            gateways=tuple(spec.get("gateways") or ("mesh",)),
            routes=tuple(
                Route.of(f"spec.{protocol}[{i}]", route, key.namespace)
                for protocol in ("http", "tls", "tcp")
                for i, route in enumerate(spec.get(protocol) or ())
            ),
            export_to=tuple(spec.get("exportTo") or ()),
        )

    @property
    def destinations(self) -> Iterator[Destination]:
        """Every destination that gets requests, route by route."""
        return (destination for route in self.routes for destination in route.destinations)


def workloads_of_policy(document: Document) -> Mapping[str, str] | None:
    """Return the labels by which a policy (security, telemetry, proxy, sidecar, gateway) picks workloads of its namespace.

    None means all of the namespace (of the mesh, in Istio's root namespace). Gateway picks in every namespace.
    """
    spec = document.get("spec") or EMPTY
    if document["kind"] == "Gateway":
        return spec.get("selector") or None
    if document["kind"] == "Sidecar":
        return (spec.get("workloadSelector") or EMPTY).get("labels") or None
    return (spec.get("selector") or EMPTY).get("matchLabels") or None
