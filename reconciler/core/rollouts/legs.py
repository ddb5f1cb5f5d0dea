"""A unit's change, cut into legs: stretches that never run together, since each can harm in a way of its own.

An object may change on several legs (a WorkloadEntry gets its identity first, then its address, then its weight); between two
of them it stands in a form that is neither Git's old nor its new one. What moves no traffic goes along: additions with the
first leg, removals with the last.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.values import Documents, Leg, LegKind

#: Its value says whether clients send mTLS to an endpoint (pilot/pkg/serviceregistry/serviceentry/conversion.go).
TLS_MODE = "security.istio.io/tlsMode"
#: What decides where a ServiceEntry's requests go; the rest of it reaches all clients at once.
PICKING = ("endpoints", "workloadSelector")
_ROUTING = {"VirtualService": ("http", "tls", "tcp"), "DestinationRule": ("subsets",)}
_WORKLOADS = frozenset({"WorkloadEntry", VIRTUAL_MACHINE})

#: Documents as they stand after each leg so far.
_Standing = dict[Key, Document | None]


def legs(before: Documents, after: Documents, *, resplit: bool = False) -> tuple[Leg, ...]:
    """Return the legs from one state of a unit to another, in order; none where nothing that changes moves traffic.

    Each holds only the objects that change on it. `resplit`: the wanted split changes, whatever the documents do.
    """
    standing: _Standing = {key: before.get(key) for key in (*before, *(key for key in after if key not in before))}
    found = [
        _leg(LegKind.IDENTITY, standing, _identities(standing, after)),
        _leg(LegKind.ENDPOINTS, standing, _endpoints(standing, after)),
        _leg(LegKind.TRAFFIC, standing, _traffic(standing, after), always=resplit),
        _leg(LegKind.ROUTES, standing, _routes(standing, after)),
        _leg(LegKind.WHOLE, standing, _whole(standing, after)),
    ]
    real = [leg for leg in found if leg is not None]
    return tuple(_with_company(real, standing, after)) if real else ()


def rewritten(before: Documents, after: Documents) -> tuple[Leg, ...]:
    """Return the leg on which routes and rules change their form alone, none where they do not."""
    keys = (key for key in dict.fromkeys((*before, *after)) if key.kind in _ROUTING)
    moved = {key: after.get(key) for key in keys if after.get(key) != before.get(key)}
    return (Leg(LegKind.ROUTES, {key: before.get(key) for key in moved}, moved),) if moved else ()


def _leg(kind: LegKind, standing: _Standing, new: Documents, *, always: bool = False) -> Leg | None:
    """Return the leg that brings these documents, and let them stand; None where they stand already."""
    moved = {key: document for key, document in new.items() if document != standing.get(key)}
    if not moved and not always:
        return None
    leg = Leg(kind, {key: standing.get(key) for key in moved}, moved)
    standing.update(moved)
    return leg


def _kept(standing: _Standing, after: Documents) -> Iterator[tuple[Key, Document, Document]]:
    """Yield the workloads, records included, that are there before and after."""
    for key, old in standing.items():
        new = after.get(key)
        if key.kind in _WORKLOADS and old is not None and new is not None and old != new:
            yield key, old, new


def _identities(standing: _Standing, after: Documents) -> Documents:
    return {key: with_identity_of(old, new) for key, old, new in _kept(standing, after)}


def with_identity_of(document: Document, other: Document) -> Document:
    """Return the document with service account and TLS mode of the other one."""
    spec = _with(document["spec"], "serviceAccount", other["spec"].get("serviceAccount"))
    if "labels" in spec or TLS_MODE in _labels(other["spec"]):
        spec = _with(spec, "labels", _with(_labels(spec), TLS_MODE, _labels(other["spec"]).get(TLS_MODE)) or None)
    metadata = document["metadata"]
    if TLS_MODE in _labels(metadata) or TLS_MODE in _labels(other["metadata"]):
        labels = _with(_labels(metadata), TLS_MODE, _labels(other["metadata"]).get(TLS_MODE))
        metadata = _with(metadata, "labels", labels or None)
    return {**document, "metadata": metadata, "spec": spec}


def _endpoints(standing: _Standing, after: Documents) -> Documents:
    """Return workloads as they are afterwards but for their weight, where no ServiceEntry of the unit picks them otherwise."""
    entries = [
        ServiceEntry.of(one)
        for documents in (standing, after)
        for key, one in documents.items()
        if one is not None and key.kind == "ServiceEntry"
    ]
    found: _Standing = {}
    for key, old, new in _kept(standing, after):
        workload = Key("WorkloadEntry", key.namespace, key.name)
        one, other = standing.get(workload), after.get(workload)
        if one is None or other is None or _picking(entries, one) == _picking(entries, other):
            found[key] = weighing(new, old["spec"].get("weight")) if key.kind == "WorkloadEntry" else new
    return found


def _picking(entries: list[ServiceEntry], document: Document) -> list[bool]:
    endpoint = WorkloadEntry.of(document).endpoint
    return [entry.key.namespace == document["metadata"]["namespace"] and entry.picks(endpoint) for entry in entries]


def _traffic(standing: _Standing, after: Documents) -> Documents:
    found: _Standing = {key: after.get(key) for key in (*standing, *after) if key.kind in _WORKLOADS}
    for key, old in standing.items():
        new = after.get(key)
        if key.kind == "ServiceEntry" and old is not None and new is not None:
            found[key] = with_parts(old, new, PICKING)
        elif key.kind == "ServiceEntry":
            found[key] = new
    return found | {key: one for key, one in after.items() if key.kind == "ServiceEntry" and key not in standing}


def _routes(standing: _Standing, after: Documents) -> Documents:
    found: _Standing = {}
    for key in (*standing, *after):
        if key.kind in _ROUTING:
            old, new = standing.get(key), after.get(key)
            found[key] = with_parts(old, new, _ROUTING[key.kind]) if old and new else new
    return found


def _whole(standing: _Standing, after: Documents) -> Documents:
    return {key: after.get(key) for key in standing if key.kind in ("ServiceEntry", *_ROUTING)}


def _with_company(found: list[Leg], standing: _Standing, after: Documents) -> Iterator[Leg]:
    """Yield the legs with the objects of other kinds: those that are new or changed first, those that go last."""
    rest = {key: after.get(key) for key in (*standing, *after)}
    moved = {key: new for key, new in rest.items() if new != standing.get(key)}
    coming = {key: new for key, new in moved.items() if new is not None}
    going = {key: new for key, new in moved.items() if new is None}
    for place, leg in enumerate(found):
        joined = (coming if place == 0 else {}) | (going if place == len(found) - 1 else {})
        before = {key: standing.get(key) for key in joined}
        yield Leg(leg.kind, {**before, **leg.before}, {**joined, **leg.after}) if joined else leg


def weighing(document: Document, weight: int | None) -> Document:
    """Return a WorkloadEntry with this weight, None for without one."""
    if document["spec"].get("weight") == weight:
        return document
    return {**document, "spec": _with(document["spec"], "weight", weight)}


def with_parts(document: Document, other: Document, names: tuple[str, ...]) -> Document:
    """Return the document with these fields of its spec as the other one has them."""
    spec = document["spec"]
    for name in names:
        spec = _with(spec, name, other["spec"].get(name))
    return document if spec == document["spec"] else {**document, "spec": spec}


def _with(mapping: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return the mapping with the value under the name, without the name where the value is None."""
    rest = {key: one for key, one in mapping.items() if key != name}
    if value is None:
        return rest
    return {key: value if key == name else one for key, one in mapping.items()} if name in mapping else {**rest, name: value}


def _labels(part: Mapping[str, Any]) -> Mapping[str, str]:
    return part.get("labels") or {}
