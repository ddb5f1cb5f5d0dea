"""Parts of documents by the paths of `ownership`: what lies at them, what is left without them, one laid over another.

Nothing is changed in place, and parts that stay as they are are shared, not copied.
"""

from collections.abc import Iterable
from sys import intern
from typing import Any

from reconciler.core.changes import ABSENT
from reconciler.core.ownership import Element, ItemKey, Path, declared, value_at
from reconciler.core.resources import Document

#: Paths as a tree: what lies below each step. A step with nothing below is the end of a path.
_Tree = dict[Element, Any]


_LONGEST_SHARED = 128


def shared(value: Any) -> Any:
    """Return an equal value in which each short text is kept once in memory: thousands of documents share most of theirs."""
    if isinstance(value, str):
        return intern(value) if len(value) <= _LONGEST_SHARED else value
    if isinstance(value, dict):
        return {intern(name): shared(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shared(inner) for inner in value]
    return value


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal: 1 and 1.0 are, 1 and true are not, 1 and "1" are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def limited(document: Document, paths: Iterable[Path]) -> Document:
    """Return the object with nothing but its identity and what lies at these paths."""
    tree = _tree(paths)
    part = _limited(document, tree) if tree else {}
    identity = {name: document["metadata"][name] for name in ("name", "namespace") if name in document["metadata"]}
    named = {name: document[name] for name in ("apiVersion", "kind")}
    return {**named, **part, "metadata": {**identity, **part.get("metadata", {})}}


def without(document: Document, paths: Iterable[Path]) -> Document:
    """Return the document with nothing at these paths, nor the objects and lists that this leaves empty."""
    rest: Document = _without(document, _tree(paths))
    return rest


def laid_over(base: Document, top: Document) -> Document:
    """Return what becomes of `base` when `top` is applied to it: all that `top` declares, and what `base` has beside it."""
    merged: Document = _laid_over(base, top, _tree(declared(top)))
    return merged


def _tree(paths: Iterable[Path]) -> _Tree:
    root: _Tree = {}
    for path in paths:
        node = root
        for element in path:
            node = node.setdefault(element, {})
    return root


def _branch(item: Any, tree: _Tree) -> tuple[ItemKey, _Tree] | None:
    """Return the step that leads to an item of a list-map, and what lies below it."""
    for element, below in tree.items():
        if isinstance(element, tuple) and isinstance(item, dict) and all(item.get(name) == key for name, key in element):
            return element, below
    return None


def _limited(value: Any, tree: _Tree) -> Any:
    if not tree:
        return value
    if isinstance(value, dict):
        return {name: _limited(value[name], below) for name, below in tree.items() if name in value}
    if isinstance(value, list):
        found = ((item, branch) for item in value if (branch := _branch(item, tree)))
        return [{**dict(branch[0]), **_limited(item, branch[1])} for item, branch in found]
    return value


def _without(value: Any, tree: _Tree) -> Any:
    if isinstance(value, dict):
        kept: Document = {}
        for name, one in value.items():
            below = tree.get(name)
            if below is None:
                kept[name] = one
            elif below and (rest := _without(one, below)):
                kept[name] = rest
        return kept
    if isinstance(value, list):
        found = ((item, _branch(item, tree)) for item in value)
        return [_without(item, branch[1]) if branch else item for item, branch in found if branch is None or branch[1]]
    return value


def _laid_over(base: Any, top: Any, tree: _Tree) -> Any:
    if base is ABSENT:
        return top
    if isinstance(base, dict) and isinstance(top, dict):
        return {**base, **{name: _laid_over(base.get(name, ABSENT), one, tree.get(name, {})) for name, one in top.items()}}
    if isinstance(base, list) and isinstance(top, list) and tree:
        found = ((item, branch) for item in top if (branch := _branch(item, tree)))
        merged = [_laid_over(value_at(base, (branch[0],)), item, branch[1]) for item, branch in found]
        return [*merged, *(item for item in base if _branch(item, tree) is None)]
    return top
