"""Server-side apply as a function of values: what an object and its owners become when somebody applies or edits.

It follows the API server's own library (sigs.k8s.io/structured-merge-diff, merge/update.go) as far as mesh objects go, and the
contract suite of the cluster port holds it to that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from reconciler.core.changes import ABSENT
from reconciler.core.ownership import APPLY, Entry, Path, declared, encode, owned, show, value_at
from reconciler.core.resources import Document, FieldOwner
from reconciler.errors import Conflict

UPDATE = "Update"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes, when, and to which subresource."""

    manager: str
    now: datetime
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Managed:
    """The content of an object and who owns which of its fields."""

    document: Document
    owners: tuple[FieldOwner, ...] = ()


def applied(before: Managed, document: Document, actor: Actor, *, force: bool = False) -> Managed:
    """Return the object after an apply; `before` itself where nothing moves. Raises Conflict naming the managers in the way."""
    wanted = declared(document)
    mine = next((owner for owner in before.owners if _is_apply_of(owner, actor)), None)
    others = tuple(owner for owner in before.owners if owner is not mine)
    after = _merged(before.document, document, wanted)
    changed = _differing(wanted, before.document, after)
    if not force:
        _refuse_conflicts(others, changed)
    held_by_others = [owned(owner) for owner in others]
    for path in sorted((owned(mine) if mine else frozenset()) - wanted, key=len):
        _prune(after, path, wanted, held_by_others)
    _tidy(after)
    if after == before.document and mine and owned(mine) == wanted:
        return before
    ours = FieldOwner(actor.manager, APPLY, encode(wanted), document["apiVersion"], actor.subresource, actor.now)
    gone = _everything(before.document) - _everything(after)
    return Managed(after, (ours, *_without(others, changed | gone)))


def edited(before: Managed, after: Document, actor: Actor) -> Managed:
    """Return the object after a plain update to `after`: the editor owns what it changed, whoever owned that before."""
    _tidy(after)
    if after == before.document:
        return before
    old, new = _everything(before.document), _everything(after)
    changed = (new - old) | _differing(declared(after), before.document, after)
    identity = (actor.manager, UPDATE, after["apiVersion"], actor.subresource)
    mine = next((o for o in before.owners if (o.manager, o.operation, o.api_version, o.subresource) == identity), None)
    others = tuple(owner for owner in before.owners if owner is not mine)
    gone = old - new
    held = ((owned(mine) if mine else frozenset()) | changed) - gone
    ours = (FieldOwner(*identity[:2], encode(held), *identity[2:], time=actor.now),) if held else ()
    return Managed(after, (*_without(others, changed | gone), *ours))


def copied(value: Any) -> Any:
    """Return a copy in which nothing is shared; `copy.deepcopy` keeps what stands in two places the same object."""
    if isinstance(value, Mapping):
        return {name: copied(inner) for name, inner in value.items()}
    return [copied(inner) for inner in value] if isinstance(value, list) else value


def merge_patched(value: Any, patch: Any) -> Any:
    """Return a value after a JSON merge patch (RFC 7386)."""
    if not isinstance(patch, Mapping):
        return copied(patch)
    result = dict(value) if isinstance(value, Mapping) else {}
    for name, inner in patch.items():
        if inner is None:
            result.pop(name, None)
        else:
            result[name] = merge_patched(result.get(name), inner)
    return result


def _is_apply_of(owner: FieldOwner, actor: Actor) -> bool:
    return (owner.manager, owner.operation, owner.subresource) == (actor.manager, APPLY, actor.subresource)


def _differing(paths: frozenset[Path], before: Document, after: Document) -> frozenset[Path]:
    """Return the paths whose values differ; one that leads to a container differs only where that is new."""
    containers = _above(paths)
    return frozenset(
        path
        for path in paths
        if (value := value_at(before, path)) is ABSENT or (path not in containers and value != value_at(after, path))
    )


def _above(paths: Iterable[Path]) -> frozenset[Path]:
    return frozenset(path[:length] for path in paths for length in range(1, len(path)))


def _conflicts(others: Iterable[FieldOwner], changed: frozenset[Path]) -> dict[str, list[str]]:
    found = {owner.manager: sorted(show(path) for path in owned(owner) & changed) for owner in others}
    return {manager: paths for manager, paths in found.items() if paths}


def _refuse_conflicts(others: Iterable[FieldOwner], changed: frozenset[Path]) -> None:
    if conflicts := _conflicts(others, changed):
        told = "; ".join(f'conflicts with "{manager}": {", ".join(paths)}' for manager, paths in conflicts.items())
        raise Conflict(f"Apply failed with {told}", managers=tuple(sorted(conflicts)))


def _everything(document: Document) -> frozenset[Path]:
    """All paths of a document, the containers on the way included, as an update comes to own them."""
    paths = declared(document)
    return paths | (_above(paths) - {("metadata",)}) | set(_empty_lists(document, ()))


def _without(owners: Iterable[FieldOwner], lost: frozenset[Path]) -> tuple[FieldOwner, ...]:
    """Take from owners what somebody else has changed or removed."""
    kept = []
    for owner in owners:
        before = owned(owner)
        left = before - lost
        if left:
            kept.append(owner if left == before else replace(owner, fields=encode(left)))
    return tuple(kept)


def _merged(before: Document, document: Document, wanted: frozenset[Path]) -> Document:
    after: Document = copied(before)
    containers = _above(wanted)
    for path in sorted(wanted, key=lambda one: (len(one), _position(document, one))):
        _set(after, path, value_at(document, path), whole=path not in containers)
    for path in _empty_lists(document, ()):
        if value_at(after, path) is ABSENT:
            _set(after, path, [], whole=True)
    return after


def _empty_lists(value: Any, path: Path) -> Iterable[Path]:
    """Yield the places of empty lists: those of items are stored and owned by nobody."""
    if value == []:
        yield path
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _empty_lists(inner, (*path, name))


def _tidy(document: Document) -> None:
    """The server keeps no empty maps and lists in the metadata."""
    metadata = document["metadata"]
    for name in [name for name, value in metadata.items() if value in ({}, [])]:
        del metadata[name]


def _position(document: Document, path: Path) -> int:
    siblings = value_at(document, path[:-1])
    return siblings.index(value_at(document, path)) if isinstance(siblings, list) else 0


def _set(document: Document, path: Path, value: Any, *, whole: bool) -> None:
    """Put a value where a path leads, making containers on the way; an item that is not `whole` gets its fields later."""
    container: Any = document
    for element, following in pairwise(path):
        if isinstance(element, str):
            if not isinstance(container.get(element), dict | list):
                container[element] = {} if isinstance(following, str) else []
            container = container[element]
        else:
            container = value_at(container, (element,))
    last = path[-1]
    if isinstance(last, str):
        merges = value == {} and isinstance(container.get(last), dict)  # an empty map adds nothing to one that has fields
        if not merges and (whole or last not in container):
            container[last] = copied(value)
    elif value_at(container, (last,)) is ABSENT:
        container.append(copied(value))
    elif whole and not isinstance(last, Entry):
        container[container.index(value_at(container, (last,)))] = copied(value)


def _prune(document: Document, path: Path, wanted: frozenset[Path], held_by_others: list[frozenset[Path]]) -> None:
    """Remove a field that its applier no longer declares, and containers left empty, unless somebody else owns them."""
    while path:
        needed = any(one[: len(path)] == path for held in (wanted, *held_by_others) for one in held)
        value = value_at(document, path)
        if needed or path == ("metadata",) or value is ABSENT:
            return
        _remove(document, path)
        path = path[:-1]
        if value_at(document, path) not in ({}, []):
            return


def _remove(document: Document, path: Path) -> None:
    container, last = value_at(document, path[:-1]), path[-1]
    if isinstance(last, str):
        del container[last]
    else:
        container.remove(value_at(document, path))
