"""Which units have to be rolled out: what Git wants of them is not what was accepted before.

Only a service that is there before and after can be rolled out: to a new one nobody sends requests yet, and one that goes is
held back by guards of its own (core/budget). What was never written by us counts as it will be: an adoption is one step.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.rollouts.values import Documents
from reconciler.core.units import Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """A unit that is to change: its documents as accepted before and as Git wants them."""

    unit: Unit
    before: Documents
    after: Documents


def wishes(
    units: Iterable[Unit],
    changing: Collection[Key],
    git: Mapping[Key, Document],
    written: Mapping[Key, Document],
    observed: ObservedState,
) -> Iterator[Wish]:
    """Yield the units that are to change.

    `changing` are the keys that differ in the stores: a unit without any of them is as Git wants it. `git` holds the declared
    documents, `written` those last written of the objects of these units.
    """
    for unit in units:
        if unit.base or not any(key in changing for key in unit.keys):
            continue
        after = {key: git.get(key) for key in unit.keys}
        before = {key: _accepted(key, written, after, observed) for key in unit.keys}
        if before != after and _stays(before, after):
            yield Wish(unit, before, after)


def _accepted(key: Key, written: Mapping[Key, Document], after: Documents, observed: ObservedState) -> Document | None:
    if key in written:
        return written[key]
    return after[key] if observed.get(key) else None


def _stays(before: Documents, after: Documents) -> bool:
    """Tell whether the services of a unit are there on both sides."""
    entries = [key for key in after if key.kind == "ServiceEntry"]
    routes = [key for key in after if key.kind in ("VirtualService", "DestinationRule")]
    return all(after[key] is not None for key in entries) and any(before[key] is not None for key in entries or routes)
