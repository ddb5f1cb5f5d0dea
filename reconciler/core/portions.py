"""How routes divide the requests to a service among subsets of its endpoints, before weights divide them inside each.

Sidecars of the mesh follow the VirtualService for the host that they call; inside a destination Envoy goes by weights. Requests
that routes divide in different ways, by what they match, have no common split: then weights alone are reckoned with, as where
nothing is divided.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.backends import Member
from reconciler.core.istio import Route, Subset, VirtualService
from reconciler.core.resources import Key
from reconciler.core.world import World

_NONE, _ALL = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Portion:
    """A share (0 to 1) of the requests to a service port. `name` is that of the subset which gets it, empty for all endpoints.

    `subset` is its definition, None where nobody defines it: then requests fail.
    """

    share: Fraction
    name: str = ""
    subset: Subset | None = None

    def holds(self, member: Member) -> bool:
        """Tell whether an endpoint gets some of it."""
        return not self.name or (self.subset is not None and self.subset.holds(member.labels))


def portions(world: World, namespace: str, host: str, port: int) -> tuple[Portion, ...]:
    """Return how routes divide all requests to a service port, by subset; nothing where they do not, or do not agree."""
    keys = [key for _, key in world.routes_by_host.covered(host) if (namespace, host) in world.services_of(host, key.namespace)]
    routes = [world.routes[key] for key in keys]
    if not any(_is_followed(one, host) for one in routes):
        return ()
    found = [parts for one in routes for route in one.routes if (parts := _parts(route, host, port))]
    if not found or any(parts != found[0] for parts in found) or not any(found[0]):
        return ()
    return tuple(
        Portion(share, name, world.subset(namespace, host, name) if name else None) for name, share in sorted(found[0].items())
    )


def portions_of(world: World, entry: Key) -> tuple[Portion, ...]:
    """Return how routes divide the requests to a ServiceEntry: to the first of its hosts and ports that they divide."""
    backend = world.backends.get(entry)
    asked = ((entry.namespace, host) for host in (backend.hosts if backend else ()))
    return next((found for service in asked if (found := portions_of_service(world, *service))), ())


def portions_of_service(world: World, namespace: str, host: str) -> tuple[Portion, ...]:
    """Return how routes divide the requests to a service: to the first of its ports that they divide."""
    ports = world.ports_of(namespace, host) if world.routes_by_host.exact(host) else ()
    return next((found for port in ports if (found := portions(world, namespace, host, port))), ())


def parted(members: Sequence[Member], found: Sequence[Portion]) -> list[Fraction]:
    """Return the share of each member, in order: by its weight inside each portion that it gets some of."""
    shares = [_NONE] * len(members)
    for portion in found or (Portion(_ALL),):
        for place, share in _inside(portion, members):
            shares[place] = shares[place] + share if shares[place] else share
    return shares


def _inside(portion: Portion, members: Sequence[Member]) -> Iterator[tuple[int, Fraction]]:
    held = [place for place, one in enumerate(members) if portion.holds(one)]
    total = sum(members[place].weight for place in held)
    shares = {weight: portion.share * Fraction(weight, total) for weight in {members[place].weight for place in held}}
    yield from ((place, shares[members[place].weight]) for place in held)


def _is_followed(route: VirtualService, host: str) -> bool:
    """Tell whether sidecars that call the host follow a VirtualService; one without hosts is another one's delegate."""
    return "mesh" in route.gateways and (host in route.hosts or not route.hosts)


def _parts(route: Route, host: str, port: int) -> Mapping[str, Fraction]:
    """Return how one route divides what it sends to a service port, by subset; nothing where it sends nothing there."""
    found: dict[str, Fraction] = {}
    for one in route.destinations:
        if one.share and one.host == host and one.port in (0, port):
            found[one.subset] = found.get(one.subset, _NONE) + one.share
    total = sum(found.values(), _NONE)
    return {name: share / total for name, share in found.items()}
