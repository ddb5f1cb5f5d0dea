"""The laws that bind every single write, checked on the simulated world.

1. Never empty: a service port that has a healthy endpoint has one after every write, and so has every destination that a
   route gives requests to. What is empty already may stay so. A service that Git removes is bound until its ServiceEntry is
   gone, and a route to it until the route is.
2. Bounded exposure: no write gives the endpoints that a rollout leads to more requests than its step allows (`exposure`).
3. Order: what a write uses is there before it, and what it takes away is used by nothing any more.
4. In place: a ServiceEntry is never deleted and made again, has endpoints or a selector and never both, and does not change
   between STATIC and DNS.

`refusals` judges one write by all of them but the second, which counts from write to write; `check` a whole sequence by all.
Neither knows how the sequence was found.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.changes import Action, Change
from reconciler.core.demands import Demand, Pair, Touched, of_route, of_service, pairs, pairs_of, touched
from reconciler.core.edges import Write
from reconciler.core.exposure import Bound, Exposure, too_much
from reconciler.core.istio import Resolution, ServiceEntry
from reconciler.core.order import edges
from reconciler.core.resources import EMPTY, Document, Key
from reconciler.core.simulation import after
from reconciler.core.world import World


@dataclass(frozen=True, slots=True)
class Violation:
    """A law that a write breaks. `write` counts from 1 to `of`; `message` says what would happen and what to do."""

    law: int
    write: int
    of: int
    key: Key
    message: str

    def __str__(self) -> str:
        return f"write {self.write} of {self.of}, to {self.key}: {self.message}"


@dataclass(slots=True)
class Witnesses:
    """For each demand one pair that feeds it: as long as that pair stays, nothing else needs to be looked at."""

    _known: dict[Demand, Pair] = field(default_factory=dict)

    def fed(self, world: World, demand: Demand) -> bool:
        """Tell whether a demand has a healthy endpoint in a world."""
        known = self._known.get(demand)
        if known and known in pairs_of(world, demand, known[1]):
            return True
        found = next(pairs(world, demand), None)
        if found:
            self._known[demand] = found
        return found is not None


def check(world: World, changes: Sequence[Change], bounds: Mapping[Key, Bound] = EMPTY) -> tuple[Violation, ...]:
    """Return every violation of writes done one after the other, in the order given; `bounds` are by ServiceEntry."""
    found: list[Violation] = []
    writes: list[Write] = []
    witnesses, exposure = Witnesses(), Exposure(bounds)
    for number, change in enumerate(changes, 1):
        new = after(world, change)
        moves = exposure.moves(world, new, change)
        reasons = [*refusals(world, new, change, touched(world, new, change), witnesses), *too_much(moves)]
        found += [Violation(law, number, len(changes), change.key, text) for law, text in reasons]
        exposure.take(moves)
        writes.append(Write(number - 1, change, world.documents.get(change.key), new.documents.get(change.key)))
        world = new
    found += _out_of_order(writes)
    found += _replaced(changes)
    return tuple(sorted(found, key=lambda one: one.write))


def refusals(world: World, new: World, change: Change, seen: Touched, witnesses: Witnesses) -> Iterator[tuple[int, str]]:
    """Yield (law, why) of every law that one write breaks by itself."""
    if change.key.kind == "ServiceEntry" and change.action is Action.UPDATE:
        yield from ((4, why) for why in _not_in_place(world.documents.get(change.key), new.documents.get(change.key)))
    for demand in sorted(seen.after, key=str):
        if demand.subset and _undefined(world, new, demand, seen):
            yield 3, f"no DestinationRule would define {demand}"
        elif not witnesses.fed(new, demand) and _worse(world, new, demand, seen, witnesses):
            yield 1, _emptied(world, demand)


def _undefined(world: World, new: World, demand: Demand, seen: Touched) -> bool:
    if new.subset(demand.namespace, demand.host, demand.subset):
        return False
    before = _same_destination(demand, seen)
    return not before or any(world.subset(one.namespace, one.host, one.subset) for one in before)


def _worse(world: World, new: World, demand: Demand, seen: Touched, witnesses: Witnesses) -> bool:
    """Tell whether an empty demand had an endpoint before, or took over from something that had one."""
    if demand.route is None:
        return demand in seen.before and witnesses.fed(world, demand)
    before = _same_destination(demand, seen)
    if before:
        return any(witnesses.fed(world, one) for one in before)
    if not demand.namespace:
        return False  # a host that nothing here serves, before or after: whoever does is out of sight
    served = [*of_route(world, demand.route)] or [
        one
        for host in new.routes[demand.route].hosts
        for service in world.services_of(host, demand.route.namespace)
        for one in of_service(world, *service)
    ]
    return any(witnesses.fed(world, one) for one in (*served, *of_service(new, demand.namespace, demand.host)))


def _same_destination(demand: Demand, seen: Touched) -> list[Demand]:
    """Return the demands before the write that are for the same destination of the same route, whatever served it then."""
    return [one for one in seen.before if (one.route, one.host, one.subset) == (demand.route, demand.host, demand.subset)]


def _emptied(world: World, demand: Demand) -> str:
    last = sorted({str(member) for _, member in pairs(world, demand)})
    named = f": {', '.join(last[:5])}{' and others' if len(last) > 5 else ''} would be the last to go" if last else ""
    return f"would leave {demand} without a healthy endpoint{named}"


def _not_in_place(before: Document | None, after: Document | None) -> Iterator[str]:
    if before is None or after is None:
        return
    if swaps_resolution(before, after):
        yield "would change between STATIC and DNS, which rebuilds the service in every proxy"
    spec = after.get("spec") or {}
    if spec.get("workloadSelector") and spec.get("endpoints"):
        yield "would have endpoints and workloadSelector at once, which the API server refuses"


def swaps_resolution(before: Document, after: Document) -> bool:
    """Tell whether an update of a ServiceEntry goes between STATIC and one of the DNS kinds."""
    old, new = ServiceEntry.of(before).resolution, ServiceEntry.of(after).resolution
    return Resolution.STATIC in (old, new) and (old.by_dns or new.by_dns)


def _out_of_order(writes: Sequence[Write]) -> Iterator[Violation]:
    for edge in edges(writes).all:
        if edge.first > edge.then:
            write = writes[edge.then]
            yield Violation(3, edge.then + 1, len(writes), write.key, f"comes too early: {edge.reason}")


def _replaced(changes: Sequence[Change]) -> Iterator[Violation]:
    gone: set[Key] = set()
    for number, change in enumerate(changes, 1):
        if change.key.kind == "ServiceEntry" and change.key in gone and change.action is Action.CREATE:
            yield Violation(4, number, len(changes), change.key, "is deleted and made again; update it in place")
        if change.action is Action.DELETE:
            gone.add(change.key)
