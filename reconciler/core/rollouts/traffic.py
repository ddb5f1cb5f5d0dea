"""A TRAFFIC leg: at each exposure every endpoint has its share on the straight line from the start to what is wanted.

    share(e) = (1 - x) * start(e) + x * wanted(e)

An endpoint that is new starts at 0, one that goes ends there. Shares become the weights of WorkloadEntries (core/shares); Pods
weigh 1 each and are never ours. Everything is worked out anew from today's Pods, so that nothing of it has to be stored.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.legs import weighing
from reconciler.core.rollouts.mesh import PODS, Mesh, Shares, inline_key, shares
from reconciler.core.rollouts.opening import Form, Opening, opening, selector_of
from reconciler.core.rollouts.values import Documents, Stage
from reconciler.core.shares import Crowd, Limits, Rounding, weights

_ALL = Fraction(1)
#: The part of the smallest share of others that an endpoint gets which shall get nothing, and is not out of the list yet.
_NEXT_TO_NOTHING = Fraction(1, 100)
#: Equal VMs shall get equal weights rather than a split that is a little more exact.
_LIMITS = Limits(points=Fraction(3, 100))


@dataclass(frozen=True, slots=True)
class Position:
    """Where on a leg: the exposure, whether newcomers are let in by now, and whether those that go are gone."""

    exposure: Fraction
    opened: bool
    closed: bool

    @classmethod
    def of(cls, exposure: Fraction, stages: tuple[Stage, ...], stage: int, *, first: bool) -> "Position":
        """Return the position at a stage of a step."""
        opened = not first or stages[stage] is not Stage.PREPARE
        return cls(exposure, opened, exposure == _ALL and stage == len(stages) - 1)


@dataclass(frozen=True, slots=True)
class Sides:
    """A unit before and after the leg, with all its documents. `splits` are the VMs' wanted shares, None where weights rule."""

    before: Documents
    after: Documents
    splits: tuple[Fraction | None, Fraction | None] = (None, None)

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
    """The shares of one ServiceEntry's endpoints at the ends of its leg."""

    opening: Opening
    start: Shares
    wanted: Shares

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
        pods = mesh.pods_meant(key.namespace, (selector_of(one.before), selector_of(one.after)))
        ends = [divided(shares(world, key, addresses), split, pods) for world, split in zip(worlds, sides.splits, strict=True)]
        found.append(Course(one, *ends))
    return sorted(found, key=lambda one: -len({*one.start, *one.wanted}))


def divided(found: Shares, split: Fraction | None, pods: int) -> Shares:
    """Return the shares with the VMs' sum at the wanted split, where there are VMs and Pods to split between."""
    machines = {key: share for key, share in found.items() if key != PODS}
    total = sum(machines.values(), Fraction(0))
    if split is None or not total or not pods:
        return found
    return {key: share / total * split for key, share in machines.items()} | {PODS: 1 - split}


def documents_at(position: Position, sides: Sides, mesh: Mesh) -> dict[Key, Document | None]:
    """Return what ServiceEntries, WorkloadEntries and their records should be at a position of the leg."""
    entries = list(sides.entries())
    found: dict[Key, Document | None] = {}
    weighed: dict[Key, int] = {}
    if not position.closed or sides.splits[1] is not None:
        for course in courses(sides, mesh):
            weighed |= _weighed(course, position.exposure, mesh, weighed)
    for one in entries:
        key = Key.of(one.before)
        between = one.between or _listed(one, weighed)
        found[key] = one.after if position.closed else between if position.opened else one.before
    for key in dict.fromkeys((*sides.before, *sides.after)):
        if key.kind == "WorkloadEntry":
            found[key] = _workload(key, position, sides, entries, weighed)
    for key in dict.fromkeys((*sides.before, *sides.after)):
        if key.kind == VIRTUAL_MACHINE:
            found[key] = _record(key, sides, found.get(Key("WorkloadEntry", key.namespace, key.name)), position)
        elif key.kind == "ServiceEntry" and key not in found:
            found[key] = sides.after.get(key) if position.opened or sides.after.get(key) else sides.before.get(key)
    return found


def _weighed(course: Course, exposure: Fraction, mesh: Mesh, fixed: Mapping[Key, int]) -> dict[Key, int]:
    """Return the weights that make these shares. `fixed` are weights that another ServiceEntry decided on already."""
    target = course.at(exposure)
    machines = {key: share for key, share in target.items() if key != PODS and key not in fixed}
    if not machines:
        return {}
    before, after = course.opening.before, course.opening.after
    key = Key.of(before)
    pods = mesh.pods_meant(key.namespace, (selector_of(before), selector_of(after)))
    names = {str(one): one for one in machines}
    crowd = Crowd(
        ratios=_ratios({name: machines[one] for name, one in names.items()}),
        pods=pods,
        fixed_vms=sum(weight for one, weight in fixed.items() if one in target),
    )
    share = 1 - target.get(PODS, Fraction(0)) if pods else _ALL
    start, end = course.start.get(PODS, Fraction(0)), course.wanted.get(PODS, Fraction(0))
    rounding = Rounding.NEAREST if exposure == _ALL or start == end else Rounding.AT_LEAST if end > start else Rounding.AT_MOST
    return {names[name]: weight for name, weight in weights(crowd, share, rounding, _LIMITS).weights.items()}


def _ratios(shares_of: Mapping[str, Fraction]) -> dict[str, int]:
    """Return shares as whole numbers in the same ratio. No weight is 0: who shall get nothing counts as next to nothing."""
    least = min((share for share in shares_of.values() if share), default=_ALL) * _NEXT_TO_NOTHING
    positive = {name: share or least for name, share in shares_of.items()}
    scale = lcm(*(share.denominator for share in positive.values()))
    return {name: int(share * scale) for name, share in positive.items()}


def _listed(one: Opening, weighed: Mapping[Key, int]) -> Document:
    """Return the ServiceEntry that lists old and new endpoints alike, with their weights."""
    namespace = one.before["metadata"]["namespace"]
    lists = [document["spec"].get("endpoints") or () for document in (one.after, one.before)]
    by_address: dict[str, Document] = {}
    for endpoint in (*lists[0], *lists[1]):
        by_address.setdefault(endpoint.get("address", ""), endpoint)
    endpoints = [
        {**endpoint, "weight": weighed.get(inline_key(namespace, address), endpoint.get("weight", 1))}
        for address, endpoint in by_address.items()
    ]
    return {**one.after, "spec": {**one.after["spec"], "endpoints": endpoints}}


def _workload(
    key: Key, position: Position, sides: Sides, entries: Iterable[Opening], weighed: Mapping[Key, int]
) -> Document | None:
    """Return one WorkloadEntry. Who goes is out of the endpoint list before it is deleted; who comes waits until let in."""
    old, new = sides.before.get(key), sides.after.get(key)
    if new is None:
        return _leaving(old, entries, weighed.get(key), closed=position.closed) if old else None
    if old is None and not position.opened and _is_picked(new, entries):
        return None
    if position.closed and sides.splits[1] is None:
        return new
    base = new if old is None or position.opened else old
    return weighing(base, weighed[key]) if key in weighed else base


def _is_picked(document: Document, entries: Iterable[Opening]) -> bool:
    """Tell whether a ServiceEntry as it was before takes a newcomer at once."""
    endpoint = WorkloadEntry.of(document).endpoint
    return any(ServiceEntry.of(one.before).picks(endpoint) for one in entries)


def _leaving(document: Document, entries: Iterable[Opening], weight: int | None, *, closed: bool) -> Document | None:
    """Return a WorkloadEntry that goes: weighed down, then without the labels by which it is picked."""
    if not closed:
        return document if weight is None else weighing(document, weight)
    picking = {
        name
        for one in entries
        if ServiceEntry.of(one.after).picks(WorkloadEntry.of(document).endpoint)
        for name in selector_of(one.after) or ()
    }
    return drained(document, picking) if picking else document


def drained(document: Document, names: Iterable[str]) -> Document:
    """Return a WorkloadEntry without these labels, of weight 1: in no endpoint list any more, and not deleted."""
    out = set(names)
    spec, metadata = dict(document["spec"]), dict(document["metadata"])
    for part in (spec, metadata):
        if part.get("labels"):
            part["labels"] = {name: value for name, value in part["labels"].items() if name not in out}
    return weighing({**document, "metadata": metadata, "spec": spec}, 1)


def _record(key: Key, sides: Sides, workload: Document | None, position: Position) -> Document | None:
    """Return the registry's record of a WorkloadEntry: it is there before its VM can join, and as long as its entry is."""
    old, new = sides.before.get(key), sides.after.get(key)
    if new is None:
        return old
    return new if old is None or position.opened or workload is None else old


__all__ = ["Course", "Form", "Position", "Sides", "courses", "divided", "documents_at", "drained"]
