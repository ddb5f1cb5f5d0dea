"""The predicted split of traffic: Envoy's arithmetic over the endpoints of a service port."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from reconciler.core.backends import Member
from reconciler.core.caveats import Caveat, caveats
from reconciler.core.plans import EndpointShare, Split
from reconciler.core.world import World

Service = tuple[str, str]


def splits(world: World, services: Iterable[Service]) -> tuple[Split, ...]:
    """Return the split of every port of these services (namespace, host) that exist in the world, in order.

    A share is an endpoint's weight over the sum of all weights. Two backends that pick one member list it twice, as istiod
    does for a Service and a ServiceEntry of one host.
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
        total = sum(one.weight for one in members)
        shares = {weight: Fraction(weight, total) for weight in {one.weight for one in members}}
        endpoints = tuple(
            EndpointShare(one.key.name, one.platform, one.address, one.weight, shares[one.weight]) for one in members
        )
        notes = tuple(str(one) for one in caveats(world, namespace, host, port, members))
        yield Split(host, port, endpoints, notes)


def _members(world: World, namespace: str, host: str, port: int) -> list[Member]:
    """Return the endpoints of a port, VMs first, by name."""
    found = [member for _, member in world.endpoints(namespace, host, port)]
    return sorted(found, key=lambda one: (one.platform != "vm", one.key.name))
