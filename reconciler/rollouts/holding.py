"""Holds of services: whose objects must not be written, and what differs by somebody's hand once a hold is over."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.core.changes import ObjectDiff
from reconciler.core.report import Report
from reconciler.core.resources import Key
from reconciler.core.rollouts.seen import Hold
from reconciler.reports import safe, words
from reconciler.reports.layout import alike, cells

#: The objects of each unit, by its name.
Units = Mapping[str, tuple[Key, ...]]


def in_force(holds: Iterable[Hold], now: datetime) -> dict[str, Hold]:
    """Return the holds whose time is not over, by the unit that they name."""
    return {one.unit: one for one in holds if one.until > now}


def heard_of(
    holds: Mapping[str, Hold],
    before: Collection[str],
    units: Callable[[], Units],
    differences: Sequence[ObjectDiff],
) -> tuple[dict[Key, str], tuple[str, ...]]:
    """Return the objects that are held, each with the reason, and what is to be said of holds.

    `units` finds the objects of each unit by its name. `before` are the units that were held at the last look: of those that
    are held no more it is told what differs now.
    """
    over = [name for name in before if name not in holds]
    if not holds and not over:
        return {}, ()
    found = units()
    kept = {key: _says(hold) for name, hold in holds.items() for key in _keys(name, found)}
    notes = [f"{_says(hold)}; nothing of it is written" for hold in holds.values()]
    notes += [note for name in sorted(over) for note in _left_behind(name, _keys(name, found), differences)]
    return kept, tuple(notes)


def only(report: Report, name: str, units: Units) -> Report:
    """Return what a report says of the unit that a hold names: how it differs from what is wanted now, and by whose hand."""
    meant = {unit: keys for unit, keys in units.items() if name in names_of(unit, keys)}
    keys = {key for found in meant.values() for key in found}
    objects = {str(key) for key in keys}
    return replace(
        report,
        objects=len(keys),
        differences=tuple(one for one in report.differences if one.key in keys),
        plan=None,
        problems=tuple(one for one in report.problems if one.object in objects),
        skipped=(),
        rollouts=tuple(one for one in report.rollouts if one.unit in meant),
    )


def _keys(name: str, units: Units) -> tuple[Key, ...]:
    return tuple(key for unit, keys in units.items() if name in names_of(unit, keys) for key in keys)


def names_of(unit: str, keys: Iterable[Key]) -> set[str]:
    """Return what a hold may call a unit: its name, or one of its ServiceEntries."""
    return {unit, *(f"{key.namespace}/{key.name}" for key in keys if key.kind == "ServiceEntry")}


def _says(hold: Hold) -> str:
    return f"{hold.unit} is held by {hold.by} until {hold.until:%Y-%m-%d %H:%M} UTC: {hold.reason}"


def _left_behind(name: str, keys: Collection[Key], differences: Iterable[ObjectDiff]) -> Iterator[str]:
    """Yield what is to be told of a unit whose hold is over: all that differs from what is wanted now, and by whose hand."""
    found = [one for one in differences if one.key in keys]
    yield f"the hold of {name} is over: {'this is not as it is wanted now' if found else 'all of it is as it is wanted now'}"
    yield from (f"after the hold of {name}: {line}" for line in _lines(found))


def _lines(objects: Iterable[ObjectDiff]) -> Iterator[str]:
    """Yield a line for each field that differs: ``update WorkloadEntry shop/a  spec.weight  Git 1, cluster 7, by eve``."""
    for group in alike(objects):
        what = f"{group.state} {group.name}"
        if not group.rows:
            yield what
        for row in group.rows:
            columns = [f"{head} {cell}" for head, cell in zip(words.COLUMNS, cells(row), strict=True) if cell != "-"]
            by = [f"by {safe.clean(', '.join(row.managers))}"] if row.managers else []
            yield f"{what}  {safe.clean(row.path)}  {', '.join([*columns, *by])}"
