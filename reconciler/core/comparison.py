"""One object, wanted against live: which declared fields differ, which are not ours, which are ours and no longer declared.

Only fields that we declare or declared are looked at, so nothing that istiod, a VM or anybody else writes can show up. What
follows from a difference is decided elsewhere (`diff`, `adoption`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.core.changes import ABSENT
from reconciler.core.documents import same
from reconciler.core.ownership import APPLY, Path, declared, owned, owners_of, show, value_at
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject, StoreName
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.errors import Place


@dataclass(frozen=True, slots=True)
class Subject:
    """An object that is wanted and there: what Git says (in the form that we write), what is wanted now, what is live.

    `git` is None where a rollout still holds what Git no longer has. `record` is the VM registry's record of the same
    namespace and name, where a WorkloadEntry has one.
    """

    key: Key
    git: Document | None
    wanted: Document
    live: LiveObject
    record: LiveObject | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths, in the order in which people read them; a path inside another one of its group is left out.

    `differing` are declared and hold something else (or nothing) in the live object. `unowned` are declared and equal, but not
    ours. `removed` are ours and live, and no longer declared. `declared` and `ours` are all of both.
    """

    differing: tuple[Path, ...]
    unowned: tuple[Path, ...]
    removed: tuple[Path, ...]
    declared: frozenset[Path]
    ours: frozenset[Path]

    @property
    def in_sync(self) -> bool:
        return not (self.differing or self.unowned or self.removed)


def our_entry(live: LiveObject) -> FieldOwner | None:
    """Return the entry of managedFields that our server-side applies left, the proof that we write this object."""
    for owner in live.owners:
        if owner.manager == FIELD_MANAGER and owner.operation == APPLY and not owner.subresource:
            return owner
    return None


def our_paths(live: LiveObject) -> frozenset[Path]:
    """Return the paths that are ours. A record of the registry is ours as a whole, its status aside."""
    if live.key.store is StoreName.REGISTRY:
        return declared({name: part for name, part in live.document.items() if name != "status"})
    entry = our_entry(live)
    return owned(entry) if entry else frozenset()


def managers_of(live: LiveObject, path: Path) -> tuple[str, ...]:
    """Return who else owns a field or anything in it, by name."""
    ours = our_entry(live)
    return tuple(sorted({owner.manager for owner in owners_of(live, path) if owner is not ours and not owner.subresource}))


def obviously_in_sync(wanted: Document, live: LiveObject) -> bool:
    """Tell whether an object needs no closer look; false says nothing. Cheap: it decides over thousands in every pass."""
    document = live.document
    for name, part in wanted.items():
        if name not in ("apiVersion", "metadata") and part != document.get(name):
            return False
    held = document["metadata"]
    for name, texts in wanted["metadata"].items():
        if name in ("labels", "annotations") and not texts.items() <= (held.get(name) or {}).items():
            return False
    return declared(wanted) == our_paths(live)


def compare(wanted: Document, live: LiveObject) -> Comparison:
    """Compare field by field. Lists count as a whole, except the few that the API merges item by item."""
    paths, ours, document = declared(wanted), our_paths(live), live.document
    equal = _equal_parts(wanted, document)  # most are, and a look at a whole part is cheaper than one at each of its fields
    differing = {
        path
        for path in paths
        if path[:2] not in equal and not _equal(value_at(wanted, path), value_at(document, path), _is_inner(path, paths))
    }
    removed = {path for path in ours - paths if not _is_inner(path, paths) and value_at(document, path) is not ABSENT}
    return Comparison(_outermost(differing), _outermost(paths - ours - differing), _outermost(removed), paths, ours)


def _is_inner(path: Path, paths: Iterable[Path]) -> bool:
    return any(len(path) < len(other) and other[: len(path)] == path for other in paths)


def _equal_parts(wanted: Document, live: Document) -> set[Path]:
    parts = ((name, part, live.get(name)) for name, part in wanted.items())
    return {
        (name, field)
        for name, part, held in parts
        if isinstance(part, dict) and isinstance(held, dict)
        for field, value in part.items()
        if field in held and same(value, held[field])
    }


def _equal(wanted: Any, live: Any, is_container: bool) -> bool:  # noqa: FBT001 - private
    if isinstance(wanted, dict) and (is_container or not wanted):
        # What is declared of an object is that it is there; its fields have paths of their own, others' fields are theirs.
        return isinstance(live, dict)
    return same(wanted, live)


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    chosen = set(paths)
    outer = [path for path in chosen if not any(path[:length] in chosen for length in range(1, len(path)))]
    return tuple(sorted(outer, key=show))
