"""A ROUTES leg: requests move from one destination to another by the weights of routes, an exact share of each request drawn.

    weight(d) = (1 - x) * before(d) + x * after(d)

Subsets are defined before a route uses them and stay until none does any more: between its ends a DestinationRule has those of
both sides. Routes are told apart by what they match; where that changes no gradual way exists.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from math import lcm
from typing import Any

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.traffic import Position
from reconciler.core.rollouts.values import Documents

_PROTOCOLS = ("http", "tls", "tcp")
_Route = Mapping[str, Any]


def routes_at(position: Position, before: Documents, after: Documents) -> dict[Key, Document | None]:
    """Return what the VirtualServices and DestinationRules of a leg should be at a position of it."""
    return {key: _at(position, before.get(key), after.get(key)) for key in after}


def is_gradual(before: Document | None, after: Document | None) -> bool:
    """Tell whether a VirtualService differs in nothing but the weights and destinations of its routes."""
    if before is None or after is None:
        return False
    pairs = list(_pairs(before, after))
    return all(one is not None and other is not None and _fixed(one) == _fixed(other) for one, other in pairs)


def is_rewritten(before: Document | None, after: Document | None) -> bool:
    """Tell whether two VirtualServices send the same shares of the same requests to the same destinations."""
    if before is None or after is None:
        return before is after
    pairs = ((one or {}, other or {}) for one, other in _pairs(before, after))
    return all(
        _fixed(one) == _fixed(other) and _shares(one.get("route") or ()) == _shares(other.get("route") or ())
        for one, other in pairs
    )


def subsets_moved(before: Documents, after: Documents) -> tuple[bool, bool]:
    """Tell whether subsets come or become others, and whether any goes, between two states of DestinationRules."""
    comes = goes = False
    for key in (key for key in after if key.kind == "DestinationRule"):
        old, new = ({one["name"]: one for one in _subsets(side.get(key))} for side in (before, after))
        comes |= any(old.get(name) != one for name, one in new.items())
        goes |= not old.keys() <= new.keys()
    return comes, goes


def _subsets(document: Document | None) -> Sequence[Mapping[str, Any]]:
    return (document["spec"].get("subsets") or ()) if document else ()


def _at(position: Position, old: Document | None, new: Document | None) -> Document | None:
    if position.closed:
        return new
    kind = (old or new or {}).get("kind")
    if kind == "DestinationRule":
        return _both_subsets(old, new)
    if not position.opened:
        return old
    if old is None or new is None or position.exposure == 1:
        return new
    return _between(old, new, position.exposure) if is_gradual(old, new) else new


def _both_subsets(old: Document | None, new: Document | None) -> Document | None:
    """Return a rule with the subsets of both sides, the new one's where a name is in both."""
    if old is None or new is None:
        return new or old
    subsets = {one["name"]: one for document in (old, new) for one in document["spec"].get("subsets") or ()}
    return {**new, "spec": {**new["spec"], "subsets": list(subsets.values())}} if subsets else new


def _between(old: Document, new: Document, exposure: Fraction) -> Document:
    spec = dict(new["spec"])
    for protocol in _PROTOCOLS:
        if spec.get(protocol):
            spec[protocol] = [
                _mixed(one, other, exposure) for one, other in zip(old["spec"][protocol], spec[protocol], strict=True)
            ]
    return {**new, "spec": spec}


def _mixed(old: _Route, new: _Route, exposure: Fraction) -> _Route:
    """Return a route that sends to the destinations of both, each with its share at an exposure."""
    start, end = _shares(old.get("route") or ()), _shares(new.get("route") or ())
    if start == end:
        return new
    zero = Fraction(0)
    keys = dict.fromkeys((*end, *start))
    target = {key: (1 - exposure) * start.get(key, zero) + exposure * end.get(key, zero) for key in keys}
    scale = _scale(target.values())
    written = {_target(one): one for route in (old, new) for one in route.get("route") or ()}
    return {**new, "route": [{**written[key], "weight": round(target[key] * scale)} for key in keys]}


def _scale(shares: Iterable[Fraction]) -> int:
    """Return the sum that weights shall have: percent where that is exact, else what is, else parts in a million."""
    exact = lcm(*(share.denominator for share in shares))
    return 100 if 100 % exact == 0 else min(exact, 1_000_000)


def _shares(destinations: Sequence[Mapping[str, Any]]) -> dict[str, Fraction]:
    """Return the share of each destination; without weights the only one gets everything."""
    total = sum(one.get("weight") or 0 for one in destinations)
    found: dict[str, Fraction] = {}
    for one in destinations:
        share = Fraction(one.get("weight") or 0, total) if total else Fraction(1, len(destinations))
        found[_target(one)] = found.get(_target(one), Fraction(0)) + share
    return found


def _target(one: Mapping[str, Any]) -> str:
    """Return what tells a destination from others: all that a route says of it but its weight."""
    return json.dumps({name: value for name, value in one.items() if name != "weight"}, sort_keys=True)


def _pairs(old: Document, new: Document) -> Iterable[tuple[_Route | None, _Route | None]]:
    for protocol in _PROTOCOLS:
        yield from zip_longest(old["spec"].get(protocol) or (), new["spec"].get(protocol) or ())


def _fixed(route: _Route) -> _Route:
    """Return what of a route must not change on the way: all but where it sends."""
    return {name: value for name, value in route.items() if name != "route"}
