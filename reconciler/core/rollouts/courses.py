"""Who gets which share at both ends of a TRAFFIC leg, and between them.

    share(e) = (1 - x) * start(e) + x * wanted(e)

An endpoint that is new starts at 0, one that goes ends there. Everything is worked out anew from today's Pods, so that nothing
of it has to be stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.backends import Platform
from reconciler.core.istio import WorkloadEntry
from reconciler.core.portions import portions_of
from reconciler.core.resources import Key
from reconciler.core.rollouts.mesh import PODS, Mesh, Shares, shares
from reconciler.core.rollouts.opening import Opening, opening
from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.values import Documents
from reconciler.core.world import Members


@dataclass(frozen=True, slots=True)
class Sides:
    """A unit before and after the leg, with all its documents.

    `splits` are the VMs' wanted shares, None where weights rule; `expected` is how many Pods count while none is meant to run.
    `armed`: they come to weights that were sized for all of them, one by one, and these stay as they are for the first ones.
    """

    before: Documents
    after: Documents
    splits: tuple[Fraction | None, Fraction | None] = (None, None)
    expected: int = 0
    armed: bool = False

    def entries(self) -> Iterator[Opening]:
        """Yield each ServiceEntry that is there on both sides, the one with the name that comes first, first."""
        for key in sorted(key for key in self.before if key.kind == "ServiceEntry"):
            old, new = self.before[key], self.after.get(key)
            if old is not None and new is not None:
                yield opening(old, new)

    def addresses(self) -> dict[str, Key]:
        """Return the WorkloadEntry at each address."""
        found = (
            (WorkloadEntry.of(document).endpoint.address, key)
            for documents in (self.before, self.after)
            for key, document in documents.items()
            if document is not None and key.kind == "WorkloadEntry"
        )
        return {address: key for address, key in found if address}


@dataclass(frozen=True, slots=True)
class Course:
    """The shares of one ServiceEntry's endpoints at the ends of its leg. `routed`: routes say what VMs and Pods get of them.

    `pods` is for how many Pods weights are sized.
    """

    opening: Opening
    start: Shares
    wanted: Shares
    pods: int
    routed: bool = False

    def at(self, exposure: Fraction) -> dict[Key, Fraction]:
        """Return everybody's share at an exposure."""
        if not self.start:
            return dict(self.wanted)
        keys = dict.fromkeys((*self.start, *self.wanted))
        zero = Fraction(0)
        return {key: (1 - exposure) * self.start.get(key, zero) + exposure * self.wanted.get(key, zero) for key in keys}

    @property
    def moves(self) -> bool:
        """Whether anybody's share changes."""
        return dict(self.start) != dict(self.wanted)


def courses(sides: Sides, mesh: Mesh) -> list[Course]:
    """Return the course of each ServiceEntry of the unit, those with most endpoints first."""
    worlds = mesh.world(sides.before), mesh.world(sides.after)
    addresses = sides.addresses()
    found = []
    for one in sides.entries():
        key = Key.of(one.before)
        pods = _pods(one, sides, mesh)
        routed = any(portions_of(world, key) for world in worlds)
        splits = (None, None) if routed else sides.splits
        start, wanted = (
            divided(shares(world, key, addresses), split, pods) for world, split in zip(worlds, splits, strict=True)
        )
        found.append(Course(one, start, wanted, pods, routed))
    return sorted(found, key=lambda one: -len({*one.start, *one.wanted}))


def _pods(one: Opening, sides: Sides, mesh: Mesh) -> int:
    """Return for how many Pods weights are sized: those meant to run, which may be still to start, or are only expected."""
    namespace = one.before["metadata"]["namespace"]
    there = mesh.pods_meant(namespace, one.selectors)
    if not there:
        return sides.expected
    asked = mesh.scale(namespace, one.selectors).desired
    return max(there, sides.expected if sides.armed and not asked else asked)


def expected_pods(policy: RolloutPolicy, before: Documents, after: Documents, mesh: Mesh) -> int:
    """Return for how many Pods weights are sized while none runs: as the policy says, else as many as may be started."""
    if policy.expect_pods is not None:
        return policy.expect_pods
    entries = Sides(before, after).entries()
    return max((mesh.scale(one.before["metadata"]["namespace"], one.selectors).maximum for one in entries), default=0)


def pods_there(before: Documents, after: Documents, mesh: Mesh) -> bool:
    """Tell whether any Pod is meant to run that a unit picks before or after."""
    entries = Sides(before, after).entries()
    return any(mesh.pods_meant(one.before["metadata"]["namespace"], one.selectors) for one in entries)


def divided(found: Shares, split: Fraction | None, pods: int) -> Shares:
    """Return the shares with the VMs' sum at the wanted split, where there are VMs and Pods to split between."""
    machines = {key: share for key, share in found.items() if key != PODS}
    total = sum(machines.values(), Fraction(0))
    if split is None or not total or not pods:
        return found
    return {key: share / total * split for key, share in machines.items()} | {PODS: 1 - split}


def share_now(documents: Documents, mesh: Mesh) -> Fraction | None:
    """Return the VMs' share by these documents' routes, else by weights and the Pods meant to run: all, while no Pod is.

    None where it says nothing: there are no VMs, or the ServiceEntries of the unit do not agree.
    """
    sides = Sides(documents, documents)
    found = set[Fraction]()
    for one in sides.entries():
        key = Key.of(one.before)
        pods, world = mesh.pods_meant(key.namespace, one.selectors), mesh.world(documents)
        if portions_of(world, key):
            found.add(1 - shares(world, key, {}).get(PODS, Fraction(0)))
            continue
        members = (world.picked.get(key) or Members()).values()
        machines = sum(member.weight for member in members if member.platform is not Platform.POD)
        if not machines:
            return None
        found.add(Fraction(machines, machines + pods))
    return found.pop() if len(found) == 1 else None
