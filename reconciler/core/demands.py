"""Who must be answered: every service port, and every destination that a route gives requests to.

A demand is fed by pairs of a backend and a member that is in istiod's endpoint list and not known to be unhealthy. Two
backends that pick one member feed a demand twice: each can go without the other.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.backends import Backend, Member
from reconciler.core.changes import Change
from reconciler.core.istio import Subset
from reconciler.core.resources import Key
from reconciler.core.world import World

#: Backend and member.
Pair = tuple[Key, Key]


@dataclass(frozen=True, slots=True)
class Demand:
    """Requests that need an endpoint: those to a service port (`route` None), or a route's to one destination.

    `namespace` and `host` are the service's; for a destination that is no service that we know of, `namespace` is empty and
    `port` what the route says. `subset` is empty where all endpoints will do.
    """

    route: Key | None
    namespace: str
    host: str
    port: int
    subset: str = ""

    def __str__(self) -> str:
        parts = [f"{self.host} port {self.port}" if self.port else self.host]
        parts += [f"subset {self.subset}"] if self.subset else []
        parts += [f"reached by {self.route}"] if self.route else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Touched:
    """What one write can change: services (namespace, host), and the demands on them before and after it."""

    services: frozenset[tuple[str, str]]
    before: frozenset[Demand]
    after: frozenset[Demand]


NOTHING = Touched(frozenset(), frozenset(), frozenset())


def of_service(world: World, namespace: str, host: str) -> Iterator[Demand]:
    """Yield the demands on a service's ports."""
    for port in world.ports_of(namespace, host):
        yield Demand(None, namespace, host, port)


def of_route(world: World, key: Key) -> Iterator[Demand]:
    """Yield the demands of a VirtualService, one a destination, service and port; nothing where there is no such route."""
    route = world.routes.get(key)
    for one in route.destinations if route else ():
        if not one.share:
            continue
        services = world.services_of(one.host, key.namespace)
        if not services:
            yield Demand(key, "", one.host, one.port, one.subset)
        for namespace, host in services:
            for port in (one.port,) if one.port else world.ports_of(namespace, host):
                yield Demand(key, namespace, host, port, one.subset)


def pairs(world: World, demand: Demand) -> Iterator[Pair]:
    """Yield the pairs that feed a demand."""
    subset = world.subset(demand.namespace, demand.host, demand.subset) if demand.subset else None
    if demand.subset and subset is None:
        return
    for backend in world.backends_of(demand.namespace, demand.host):
        for member in world.picked[backend.key].values():
            if _feeds(backend, member, demand.port, subset):
                yield backend.key, member.key


def pairs_of(world: World, demand: Demand, member: Key) -> Iterator[Pair]:
    """Yield those of the pairs that are of one member."""
    subset = world.subset(demand.namespace, demand.host, demand.subset) if demand.subset else None
    if demand.subset and subset is None:
        return
    for backend in world.backends_of(demand.namespace, demand.host):
        found = world.picked[backend.key].get(member)
        if found and _feeds(backend, found, demand.port, subset):
            yield backend.key, member


def lists(world: World, demand: Demand, member: Key) -> bool:
    """Tell whether a member is among the endpoints that get a demand's requests, ill or not."""
    subset = world.subset(demand.namespace, demand.host, demand.subset) if demand.subset else None
    if demand.subset and subset is None:
        return False
    found = ((one, world.picked[one.key].get(member)) for one in world.backends_of(demand.namespace, demand.host))
    return any(one is not None and _serves(backend, one, demand.port, subset) for backend, one in found)


def _feeds(backend: Backend, member: Member, port: int, subset: Subset | None) -> bool:
    return member.healthy is not False and _serves(backend, member, port, subset)


def _serves(backend: Backend, member: Member, port: int, subset: Subset | None) -> bool:
    return backend.serves(port, member) and (subset is None or subset.holds(member.labels))


def touched(world: World, new: World, change: Change) -> Touched:
    """Return what a write that makes `new` of `world` can change. Routes that lead to a touched service are touched whole."""
    if new is world:
        return NOTHING
    key = change.key
    ruled: set[str] = set()
    match key.kind:
        case "WorkloadEntry" | "VirtualMachine" | "WorkloadGroup":
            services = {pair for backend in _repicked(world, new, key) for pair in _services(new, backend)}
        case "ServiceEntry":
            services = {*_services(world, key), *_services(new, key)}
        case "DestinationRule":
            rules = [rule for one in (world, new) if (rule := one.rules.get(key))]
            services = {service for one in (world, new) for rule in rules for service in _ruled(one, rule.host)}
            ruled = {rule.host for rule in rules}
        case "VirtualService":
            before, after = frozenset(of_route(world, key)), frozenset(of_route(new, key))
            return Touched(frozenset((one.namespace, one.host) for one in before | after), before, after)
        case _:
            return NOTHING
    # A rule also counts for a host that no service has (any more), so routes are looked up by what it rules too.
    hosts = {host for _, host in services} | ruled
    routes = {route for one in (world, new) for host in hosts for _, route in one.routes_by_host.covered(host)}
    return Touched(frozenset(services), _demands(world, services, routes), _demands(new, services, routes))


def _repicked(world: World, new: World, key: Key) -> Iterator[Key]:
    """Yield the backends that pick other members, or members that changed."""
    if world.picked is not new.picked:
        for backend in world.backends_by_namespace.get(key.namespace) or ():
            if world.picked[backend] is not new.picked[backend]:
                yield backend


def _services(world: World, backend: Key) -> Iterator[tuple[str, str]]:
    found = world.backends.get(backend)
    yield from ((backend.namespace, host) for host in (found.hosts if found else ()))


def _ruled(world: World, host: str) -> Iterator[tuple[str, str]]:
    hosts = world.backends_by_host
    for name, backend in (*hosts.covered(host), *hosts.covering(host)):
        yield backend.namespace, name


def _demands(world: World, services: Iterable[tuple[str, str]], routes: Iterable[Key]) -> frozenset[Demand]:
    found = {demand for namespace, host in services for demand in of_service(world, namespace, host)}
    return frozenset(found.union(*(of_route(world, key) for key in routes)))
