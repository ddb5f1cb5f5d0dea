"""Law 2, bounded exposure: how much of a service's requests those endpoints get that a rollout leads to.

A `Bound` says how much they may get at the step that is being written; `Exposure` steps through writes and knows how much
they get after each, at a cost that follows the write and not the service. It knows nothing of how steps are found.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor

from reconciler.core.backends import Member
from reconciler.core.changes import Change
from reconciler.core.portions import portions_of
from reconciler.core.resources import Key
from reconciler.core.rollouts.mesh import endpoint_key, shares
from reconciler.core.shares.values import percent
from reconciler.core.world import World

#: Kinds whose writes change one endpoint.
_SINGLE = frozenset({"WorkloadEntry", "VirtualMachine"})
#: Kinds whose writes may divide the requests of a service otherwise.
_ROUTING = frozenset({"VirtualService", "DestinationRule"})
_BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Bound:
    """The largest share (0 to 1) of a ServiceEntry's requests that some of its endpoints may get together.

    `exposed` names them as shares do (`mesh.endpoint_key`), `addresses` the WorkloadEntry at each address. `step` says whose
    bound it is: ``step 2 of 4 of its rollout``.
    """

    entry: Key
    exposed: frozenset[Key]
    addresses: Mapping[str, Key]
    most: Fraction
    step: str

    def says(self, share: Fraction) -> str:
        """Say what a write would do."""
        where = f"{self.entry.namespace}/{self.entry.name}"
        return f"would expose {percent(share)} of the requests to {where}, where {self.step} allows {percent(self.most)}"


@dataclass(frozen=True, slots=True)
class Load:
    """The summed weights of a ServiceEntry's endpoints: of those that are exposed, and of all others.

    Where routes divide its requests it is what they get of a billion requests.
    """

    exposed: int = 0
    others: int = 0

    @property
    def share(self) -> Fraction:
        """Return the share of those that are exposed, 0 where there is nobody."""
        total = self.exposed + self.others
        return Fraction(self.exposed, total) if total else Fraction(0)

    def plus(self, bound: Bound, member: Member | None, sign: int = 1) -> "Load":
        """Return the load with a member more, or less."""
        if member is None:
            return self
        if endpoint_key(member, bound.addresses) in bound.exposed:
            return replace(self, exposed=self.exposed + sign * member.weight)
        return replace(self, others=self.others + sign * member.weight)


@dataclass(frozen=True, slots=True)
class Move:
    """What one write does to the load of a bound ServiceEntry. `routed`: routes have a say in it, before or after."""

    bound: Bound
    before: Load
    after: Load
    routed: bool = False

    @property
    def is_too_much(self) -> bool:
        """Whether it breaks the bound. Who is over it already may only come down."""
        return self.after.share > max(self.bound.most, self.before.share)

    def worst(self, load: Load | None) -> Load:
        """Return the most that is exposed when writes land in any order: `load` by others, None where there are none.

        Of the move the part counts that exposes more; one that is alone lands as a whole or not yet.
        """
        if load is None:
            return max(self.before, self.after, key=lambda one: one.share)
        more = max(0, self.after.exposed - self.before.exposed)
        fewer = min(0, self.after.others - self.before.others)
        return Load(load.exposed + more, load.others + fewer)


@dataclass(slots=True)
class Exposure:
    """The loads of all bound ServiceEntries of a world that is stepped through."""

    bounds: Mapping[Key, Bound]
    _now: dict[Key, Load] = field(default_factory=dict)

    def moves(self, world: World, new: World, change: Change) -> list[Move]:
        """Return what a write that makes `new` of `world` does to bound ServiceEntries."""
        if not self.bounds:
            return []
        if change.key.kind in _ROUTING:
            moved = [key for key in self.bounds if portions_of(world, key) != portions_of(new, key)]
        elif world.picked is new.picked:
            return []
        else:
            near = world.backends_by_namespace.get(change.key.namespace) or ()
            moved = [key for key in near if key in self.bounds and world.picked[key] is not new.picked.get(key)]
        return [self._move(self.bounds[key], world, new, change.key) for key in moved]

    def take(self, moves: list[Move]) -> None:
        """Go on from what a write has done."""
        for one in moves:
            self._now.pop(one.bound.entry, None)
        self._now |= {one.bound.entry: one.after for one in moves if not one.routed}

    def _move(self, bound: Bound, world: World, new: World, key: Key) -> Move:
        if portions_of(world, bound.entry) or portions_of(new, bound.entry):
            return Move(bound, routed_load_of(bound, world), routed_load_of(bound, new), routed=True)
        before = self._now.get(bound.entry) or load_of(bound, world)
        if key.kind not in _SINGLE:
            return Move(bound, before, load_of(bound, new))
        workload = Key("WorkloadEntry", key.namespace, key.name)
        gone, come = (one.picked[bound.entry].get(workload) for one in (world, new))
        return Move(bound, before, before.plus(bound, gone, -1).plus(bound, come))


def load_of(bound: Bound, world: World) -> Load:
    """Return the load of a bound ServiceEntry in a world."""
    found = Load()
    for member in (world.picked.get(bound.entry) or {}).values():
        found = found.plus(bound, member)
    return found


def routed_load_of(bound: Bound, world: World) -> Load:
    """Return the load of a bound ServiceEntry in a world in which routes have a say, in parts of a billion."""
    found = shares(world, bound.entry, bound.addresses)
    exposed = floor(sum((share for key, share in found.items() if key in bound.exposed), Fraction(0)) * _BILLION)
    return Load(exposed, _BILLION - exposed)


def too_much(moves: list[Move]) -> Iterator[tuple[int, str]]:
    """Yield (2, why) for every bound that a write breaks."""
    yield from ((2, one.bound.says(one.after.share)) for one in moves if one.is_too_much)
