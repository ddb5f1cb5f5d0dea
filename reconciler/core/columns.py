"""Rows for people: fields in four columns, and lists that count as a whole taken apart where that helps the reader."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from reconciler.core.changes import ABSENT, FieldDiff
from reconciler.core.comparison import Subject, managers_of
from reconciler.core.documents import same
from reconciler.core.ownership import Element, Entry, Path, show, value_at
from reconciler.core.resources import StoreName
from reconciler.core.wanted import LAST_APPLIED

#: More rows than this say less about a list than its two values do.
MAX_ROWS = 20
#: Fields that tell the items of a list apart, best first: ports and subsets, endpoints, anything with hosts.
_NAMES = ("name", "address", "host")
#: kubectl's copy of a manifest may hold anything; that it goes is all that a report says about it.
_HIDDEN = ("metadata", "annotations", LAST_APPLIED)


def rows(subject: Subject, paths: Iterable[Path]) -> tuple[FieldDiff, ...]:
    """Return the rows of these fields, in their order."""
    return tuple(row for path in paths for row in _rows_of(subject, path))


def _rows_of(subject: Subject, path: Path) -> Iterator[FieldDiff]:
    managers = managers_of(subject.live, path)
    inner = _differences(value_at(subject.wanted, path), value_at(subject.live.document, path))
    for below in inner if inner and len(inner) <= MAX_ROWS else [()]:
        yield replace(_row(subject, (*path, *below)), managers=managers)


def _row(subject: Subject, path: Path) -> FieldDiff:
    live = value_at(subject.live.document, path)
    if path == _HIDDEN and live is not ABSENT:
        live = "(kubectl's copy of what it applied last)"
    in_cluster = subject.key.store is StoreName.CLUSTER
    record = value_at(subject.record.document, path) if subject.record and path[0] == "spec" else ABSENT
    return FieldDiff(
        show(path),
        git=value_at(subject.git, path),
        wanted=value_at(subject.wanted, path),
        cluster=live if in_cluster else ABSENT,
        registry=record if in_cluster else live,
        steps=path,
    )


def _differences(wanted: Any, live: Any) -> list[Path]:
    """Return the paths below at which two lists or objects differ, empty where they are best shown as they are."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        names: Sequence[Element] = sorted(wanted.keys() | live.keys())
        return [below for name in names for below in _below(name, wanted, live)]
    if isinstance(wanted, list) and isinstance(live, list):
        return [below for element in _items(wanted, live) for below in _below(element, wanted, live)]
    return []


def _below(element: Element, wanted: Any, live: Any) -> Iterator[Path]:
    mine, theirs = value_at(wanted, (element,)), value_at(live, (element,))
    if not same(mine, theirs):
        yield from ((element, *below) for below in _differences(mine, theirs) or [()])


def _items(wanted: list[Any], live: list[Any]) -> list[Element]:
    """Return steps to the items of both lists: by name where they have one and keep their order, else by place, else none."""
    if not all(isinstance(item, Mapping) for item in (*wanted, *live)):
        return []
    for name in _NAMES:
        mine, theirs = [item.get(name) for item in wanted], [item.get(name) for item in live]
        if _are_names(mine) and _are_names(theirs):
            both = set(mine) & set(theirs)
            in_order = [one for one in mine if one in both] == [one for one in theirs if one in both]
            return [((name, one),) for one in dict.fromkeys([*mine, *theirs])] if in_order else []
    return [Entry(f"i:{place}") for place in range(len(wanted))] if len(wanted) == len(live) else []


def _are_names(values: list[Any]) -> bool:
    return all(isinstance(one, str) for one in values) and len(set(values)) == len(values)
