"""The predicted split of traffic: Envoy's arithmetic over the endpoints of a service port."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.backends import Member
from reconciler.core.caveats import Caveat, caveats
from reconciler.core.demands import Demand, pairs
from reconciler.core.istio import Destination
from reconciler.core.plans import EndpointShare, Split
from reconciler.core.portions import Portion, parted, portions
from reconciler.core.resources import Key
from reconciler.core.world import World

Service = tuple[str, str]


def splits(world: World, services: Iterable[Service]) -> tuple[Split, ...]:
    """Return the split of every port of these services (namespace, host) that exist in the world, in order.

    A share is an endpoint's weight over the sum of all weights, inside what routes give its subset. Two backends that pick one
    member list it twice, as istiod does for a Service and a ServiceEntry of one host.
    """
    return tuple(split for namespace, host in sorted(services) for split in _of_service(world, namespace, host))


def voiding(world: World, services: Iterable[Service]) -> Iterator[tuple[Service, Caveat]]:
    """Yield the caveats that void the prediction for a service, each once."""
    for namespace, host in sorted(services):
        ports = world.ports_of(namespace, host)
        found = [caveats(world, namespace, host, port, _members(world, namespace, host, port)) for port in ports]
        yield from (((namespace, host), one) for one in dict.fromkeys(one for each in found for one in each if one.voids))


def _of_service(world: World, namespace: str, host: str) -> Iterator[Split]:
    for port in world.ports_of(namespace, host):
        members = _members(world, namespace, host, port)
        found = portions(world, namespace, host, port)
        endpoints = tuple(
            EndpointShare(one.key.name, one.platform, one.address, one.weight, share)
            for one, share in zip(members, parted(members, found), strict=True)
        )
        notes = tuple(str(one) for one in caveats(world, namespace, host, port, members))
        yield Split(host, port, endpoints, (*notes, *_routed(world, host, port), *_lost(found, members)))


def _lost(found: Iterable[Portion], members: Sequence[Member]) -> Iterator[str]:
    """Say which requests routes give to nobody."""
    for portion in found:
        if portion.name and not any(portion.holds(one) for one in members):
            yield f"{float(portion.share):.0%} of the requests fail: no endpoint is in subset {portion.name}"


def _routed(world: World, host: str, port: int) -> Iterator[str]:
    """Say what routes divide first, and whom that leaves."""
    for _, key in world.routes_by_host.covered(host):
        for each in world.routes[key].routes:
            parts = [one for one in each.destinations if one.share and one.port in (0, port)]
            if any(one.subset for one in parts) or len(parts) > 1:
                said = [_destination(world, key, port, one) for one in parts]
                yield f"routed: {key} {each.path} gives {', '.join(said)}"


def _destination(world: World, route: Key, port: int, to: Destination) -> str:
    found = [Demand(route, space, host, port, to.subset) for space, host in world.services_of(to.host, route.namespace)]
    healthy = len({member for demand in found for _, member in pairs(world, demand)})
    name = f"{to.host} {to.subset}" if to.subset else to.host
    return f"{float(to.share):.0%} to {name} ({healthy} endpoints not known to be unhealthy)"


def _members(world: World, namespace: str, host: str, port: int) -> list[Member]:
    """Return the endpoints of a port, VMs first, by name."""
    found = [member for _, member in world.endpoints(namespace, host, port)]
    return sorted(found, key=lambda one: (one.platform != "vm", one.key.name))
