"""From the changes that are due to numbered writes, with a DestinationRule widened before it is narrowed where it has to be."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.core.changes import Action, Change
from reconciler.core.edges import Edges, Write
from reconciler.core.istio import WorkloadEntry
from reconciler.core.order import edges
from reconciler.core.outcome import outcome
from reconciler.core.resources import EMPTY, Document, Key, ObservedState


def writes_of(changes: Iterable[Change], observed: ObservedState, gains: Mapping[Key, bool] = EMPTY) -> list[Write]:
    """Return the changes as writes, numbered in the order given, each with the whole object before and after it.

    `gains` says of WorkloadEntries that roll out whether it is exposure when they gain requests (else: when they lose some).
    """
    now: dict[Key, Document | None] = {}
    writes = []
    for number, change in enumerate(changes):
        live = observed.get(change.key)
        before = now.get(change.key, live.document if live else None)
        after = now[change.key] = outcome(before, change)
        more = _weight(after) - _weight(before) if before and after and change.key in gains else 0
        writes.append(Write(number, change, before, after, exposes=more > 0 if gains.get(change.key) else more < 0))
    return writes


def in_order(
    changes: Sequence[Change], observed: ObservedState, root_namespace: str, gains: Mapping[Key, bool] = EMPTY
) -> tuple[list[Write], Edges]:
    """Return the writes and all edges between them; `gains` as in `writes_of`.

    A DestinationRule that brings a subset which a route will use and drops one which the route used until then would have to
    come both before and after the route. It becomes two writes: one with the subsets of both, one as Git wants it.
    """
    writes = writes_of(changes, observed, gains)
    found = edges(writes, root_namespace=root_namespace)
    first = {edge.first for edge in found.all if not edge.removal}
    then = {edge.then for edge in found.all if edge.removal}
    split = {number for number in first & then if _is_rule_update(writes[number].change)}
    if not split:
        return writes, found
    parts = [part for one in writes for part in (_widened(one) if one.number in split else (one.change,))]
    writes = writes_of(parts, observed, gains)
    return writes, edges(writes, root_namespace=root_namespace)


def _weight(document: Document) -> int:
    return WorkloadEntry.of(document).endpoint.weight


def _is_rule_update(change: Change) -> bool:
    return change.key.kind == "DestinationRule" and change.action is Action.UPDATE


def _widened(write: Write) -> tuple[Change, ...]:
    """Return the write that has the old subsets beside the new ones, and the one that drops the old ones."""
    change = write.change
    if change.after is None or write.before is None:
        return (change,)
    subsets = change.after["spec"].get("subsets") or []
    kept = {one["name"] for one in subsets}
    old = [one for one in (write.before.get("spec") or {}).get("subsets") or () if one["name"] not in kept]
    wide = {**change.after, "spec": {**change.after["spec"], "subsets": [*subsets, *old]}}
    return replace(change, after=wide), replace(change, before=wide, fields=())
