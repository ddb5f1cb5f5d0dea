"""The watched copy of one collection, which survives whatever a watch can do: events twice, late, out of order, or none.

Resource versions of one API server can be compared as numbers (promised since Kubernetes 1.35, true before); where they are
no numbers, only equal ones count as old. Not thread safe: `mirror` locks.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

from reconciler.adapters.cluster_kubernetes.listing import Listing
from reconciler.adapters.cluster_kubernetes.resources import Held, Value
from reconciler.core.resources import LiveObject


class Moved(Enum):
    """What a change moved: nothing that is kept, only versions and the times of writes, or content."""

    NOTHING = "nothing"
    VERSION = "version"
    CONTENT = "content"


class Collection:
    """Objects by namespace and name."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Held] = {}
        self._buried: set[str] = set()  # uids of deleted objects; a uid never comes back

    def values(self) -> Iterable[Value]:
        """Return what is held and means something to us."""
        return (held.value for held in self._held.values() if held.value is not None)

    def versions(self) -> Iterable[str]:
        """Return the identity and version of all that is held."""
        return (f"{one.uid} {one.version}" for one in self._held.values())

    def replace(self, listing: Listing) -> Moved:
        """Take over a complete list. What is newer than the list, such as our own write of a moment ago, stays."""
        before = self._held
        listed = {(one.namespace, one.name): one for one in listing.items if one.uid not in self._buried}
        newer = {place: one for place, one in before.items() if _is_newer(one.version, listing.version)}
        self._buried &= {one.uid for one in listing.items}
        self._held = {**listed, **newer}
        if before.keys() != self._held.keys():
            return Moved.CONTENT
        moves = {_moved(before[place], one) for place, one in self._held.items()}
        return next((moved for moved in (Moved.CONTENT, Moved.VERSION) if moved in moves), Moved.NOTHING)

    def put(self, one: Held) -> Moved:
        """Add or replace one object, unless it is older than what is held."""
        place = (one.namespace, one.name)
        before = self._held.get(place)
        if one.uid in self._buried or (before is not None and not _is_newer(one.version, before.version)):
            return Moved.NOTHING
        self._held[place] = one
        return Moved.CONTENT if before is None else _moved(before, one)

    def drop(self, namespace: str, name: str, uid: str) -> Moved:
        """Remove one object, unless another one stands in its place by now."""
        self._buried.add(uid)
        before = self._held.get((namespace, name))
        if before is None or before.uid != uid:
            return Moved.NOTHING
        del self._held[(namespace, name)]
        return Moved.CONTENT


def _is_newer(version: str, than: str) -> bool:
    if version.isdecimal() and than.isdecimal():
        return int(version) > int(than)
    return version != than


def _moved(before: Held, after: Held) -> Moved:
    if before.version == after.version or before.value == after.value:
        return Moved.NOTHING
    return Moved.CONTENT if _content(before.value) != _content(after.value) else Moved.VERSION


def _content(value: Value | None) -> Value | None:
    if not isinstance(value, LiveObject):
        return value
    return replace(value, resource_version="", owners=tuple(replace(owner, time=None) for owner in value.owners))
