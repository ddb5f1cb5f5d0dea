"""Routes and subsets that others have added to lists of ours: they live through a rollout, its undo, and a split that is held.

The lists are atomic: whoever writes one writes all of it, so that what others have added is written along, in its place. What
leads to the hosts of the unit is none of these, but a change of what the rollout divides.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.hosts import fqdn
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.destinations import hosts_of
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.values import Documents

_LISTS: Mapping[str, tuple[str, ...]] = {"VirtualService": ("http", "tls", "tcp"), "DestinationRule": ("subsets",)}
#: What may change of a route that stays the same one.
_BESIDE = frozenset({"route", "timeout", "retries"})
_Element = Mapping[str, Any]


def with_strangers(rollout: Rollout, documents: Documents, mesh: Mesh) -> dict[Key, Document]:
    """Return those of the documents, wanted now, to which others have added something, with what they have added."""
    found: dict[Key, Document] = {}
    for key, one in documents.items():
        live = mesh.observed.get(key) if key.kind in _LISTS and one is not None else None
        if one is None or live is None:
            continue
        known = [each for each in (one, *_versions(rollout, key)) if each is not None]
        lists = {name: _merged(key, name, known, live.document, _hosts(rollout, documents)) for name in _LISTS[key.kind]}
        spec = {name: elements for name, elements in lists.items() if elements}
        if spec:
            found[key] = {**one, "spec": {**one["spec"], **spec}}
    return found


def has_lists(rollout: Rollout) -> bool:
    """Tell whether there is any list in a rollout to which somebody could add something."""
    return any(key.kind in _LISTS for key in rollout.on.after)


def _versions(rollout: Rollout, key: Key) -> Iterator[Document | None]:
    """Yield an object as the rollout knows it, wherever it is on its way."""
    ways = (rollout.way, rollout.on)
    yield from (side.get(key) for way in ways for side in (way.before, way.after))
    yield from (side.get(key) for way in ways for leg in way.legs for side in (leg.before, leg.after))
    yield rollout.origin.get(key)


def _hosts(rollout: Rollout, documents: Documents) -> set[str]:
    """Return the hosts whose requests a rollout divides: of its unit's services, of routes alone all that they lead to."""
    sides = (documents, rollout.way.before, rollout.way.after)
    entries = [(key, one) for side in sides for key, one in side.items() if key.kind == "ServiceEntry" and one is not None]
    own = {fqdn(host, key.namespace) for key, one in entries for host in one["spec"].get("hosts") or ()}
    return own or {host for side in sides for host in hosts_of(side)}


def _merged(key: Key, name: str, known: list[Document], live: Document, hosts: set[str]) -> list[_Element]:
    """Return the list as it is wanted with the strangers of the live one; empty where it has none."""
    wanted = list(known[0]["spec"].get(name) or ())
    ours = {_identity(key, one) for document in known for one in document["spec"].get(name) or ()}
    added: dict[str, list[_Element]] = {}
    before = ""
    for one in live["spec"].get(name) or ():
        if _identity(key, one) in ours:
            before = _identity(key, one)
        elif not _leads(key, one, hosts):
            added.setdefault(before, []).append(one)
    if not wanted or not added:
        return []
    first = added.pop("", [])
    following = [each for one in wanted for each in (one, *added.pop(_identity(key, one), ()))]
    return [*first, *following, *(one for rest in added.values() for one in rest)]


def _identity(key: Key, element: _Element) -> str:
    """Return what tells an element from others: the name of a subset, of a route what it matches and does."""
    if key.kind == "DestinationRule":
        return str(element["name"])
    return json.dumps({name: value for name, value in element.items() if name not in _BESIDE}, sort_keys=True)


def _leads(key: Key, element: _Element, hosts: set[str]) -> bool:
    targets = element.get("route") or () if key.kind == "VirtualService" else ()
    return any(fqdn((one.get("destination") or {}).get("host") or "", key.namespace) in hosts for one in targets)
