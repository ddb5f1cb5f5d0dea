"""A TRAFFIC leg: what ServiceEntries, WorkloadEntries and their records should be at each exposure on it.

`courses` says who gets which share, `balance` which weights make it; here is what is in the endpoint list at all, and when.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.health.notes import unpicked
from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.balance import Anchor, weighed
from reconciler.core.rollouts.courses import Sides, courses
from reconciler.core.rollouts.legs import weighing
from reconciler.core.rollouts.mesh import Mesh, inline_key
from reconciler.core.rollouts.opening import Opening, selector_of
from reconciler.core.rollouts.values import Stage

_ALL = Fraction(1)


@dataclass(frozen=True, slots=True)
class Position:
    """Where on a leg: the exposure, whether newcomers are let in by now, and whether those that go are gone.

    `settled`: those that stay weigh what they shall weigh for good.
    """

    exposure: Fraction
    opened: bool
    closed: bool
    settled: bool

    @classmethod
    def of(cls, exposure: Fraction, stages: tuple[Stage, ...], stage: int, *, first: bool) -> "Position":
        """Return the position at a stage of a step."""
        opened = not first or stages[stage] is not Stage.PREPARE
        settled = exposure == _ALL and stage == len(stages) - 1
        return cls(exposure, opened, settled or stages[stage] is Stage.FINISH, settled)


def documents_at(position: Position, sides: Sides, mesh: Mesh, anchor: Anchor | None = None) -> dict[Key, Document | None]:
    """Return what ServiceEntries, WorkloadEntries and their records should be at a position of the leg.

    With an anchor, weights that are in force are held; without one, they are as they would be written first.
    """
    entries = list(sides.entries())
    found: dict[Key, Document | None] = {}
    weights, _ = weights_at(position, sides, mesh, anchor)
    for one in entries:
        key = Key.of(one.before)
        between = one.between or _listed(one, weights)
        found[key] = one.after if position.closed else between if position.opened else one.before
    for key in dict.fromkeys((*sides.before, *sides.after)):
        if key.kind == "WorkloadEntry":
            found[key] = _workload(key, position, sides, entries, weights)
    for key in dict.fromkeys((*sides.before, *sides.after)):
        if key.kind == VIRTUAL_MACHINE:
            found[key] = _record(key, sides, found.get(Key("WorkloadEntry", key.namespace, key.name)), position)
        elif key.kind == "ServiceEntry" and key not in found:
            found[key] = sides.after.get(key) if position.opened or sides.after.get(key) else sides.before.get(key)
    return found


def weights_at(
    position: Position, sides: Sides, mesh: Mesh, anchor: Anchor | None = None
) -> tuple[dict[Key, int], tuple[str, ...]]:
    """Return the weights at a position of the leg with what is to be said of them; at its end Git's rule, without a split."""
    if position.settled and sides.splits[1] is None:
        return {}, ()
    return weighed(courses(sides, mesh), position.exposure, mesh, anchor)


def _listed(one: Opening, weights: Mapping[Key, int]) -> Document:
    """Return the ServiceEntry that lists old and new endpoints alike, with their weights."""
    namespace = one.before["metadata"]["namespace"]
    lists = [document["spec"].get("endpoints") or () for document in (one.after, one.before)]
    by_address: dict[str, Document] = {}
    for endpoint in (*lists[0], *lists[1]):
        by_address.setdefault(endpoint.get("address", ""), endpoint)
    endpoints = [
        {**endpoint, "weight": weights.get(inline_key(namespace, address), endpoint.get("weight", 1))}
        for address, endpoint in by_address.items()
    ]
    return {**one.after, "spec": {**one.after["spec"], "endpoints": endpoints}}


def _workload(
    key: Key, position: Position, sides: Sides, entries: Iterable[Opening], weights: Mapping[Key, int]
) -> Document | None:
    """Return one WorkloadEntry. Who goes is out of the endpoint list before it is deleted; who comes waits until let in."""
    old, new = sides.before.get(key), sides.after.get(key)
    if new is None:
        return _leaving(old, entries, weights.get(key), closed=position.closed) if old else None
    if old is None and not position.opened and _is_picked(new, entries):
        return None
    if position.settled and sides.splits[1] is None:
        return new
    base = new if old is None or position.opened else old
    return weighing(base, weights[key]) if key in weights else base


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
    return unpicked(document, picking) if picking else document


def _record(key: Key, sides: Sides, workload: Document | None, position: Position) -> Document | None:
    """Return the registry's record of a WorkloadEntry: it is there before its VM can join, and as long as its entry is."""
    old, new = sides.before.get(key), sides.after.get(key)
    if new is None:
        return old
    return new if old is None or position.opened or workload is None else old
