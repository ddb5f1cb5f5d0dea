"""A service at a moment of which no rollout tells: what the records of runs and the journal of writes have kept of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.core.changes import Action
from reconciler.core.resources import Key
from reconciler.core.rollouts.records import Evidence, EvidenceKind
from reconciler.core.rollouts.writes import written
from reconciler.ports import CycleRecord, Store
from reconciler.reports.as_json import COMMIT
from reconciler.writes.journalled import sent

#: Runs that are read at once: each has a whole report.
_PAGE = 20
_DONE = "done"
_NOT_KEPT = "why was not kept"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of a service by a moment, in the words of rollouts (`remembering.Moment`).

    `begun` tells of the commit that was written last, `shares` what its run had predicted, and `allowed` whose overrides it
    was carried out with; None and empty where that was not kept.
    """

    begun: Evidence | None
    shares: Evidence | None
    allowed: tuple[Evidence, ...]
    writes: tuple[Evidence, ...]


def recorded(store: Store, service: str, at: datetime) -> Recorded | None:
    """Return what is kept of a service (``namespace/name`` of a ServiceEntry, or a unit), None where nothing is.

    Raises Unavailable.
    """
    entry = Key("ServiceEntry", *service.partition("/")[::2])
    runs = tuple(_Run.of(one, entry) for one in _by(store, at))
    names = {service}.union(*(run.homes for run in runs))
    keys = {entry}.union(*(run.keys(names) for run in runs))
    causes = {(run.record.digest, key): cause for run in runs for key, cause in run.causes(names)}
    found = [one for one in store.settled(0) if one.key in keys and one.ended and one.ended <= at]
    if not (found or len(keys) > 1 or entry in store.inventory()):
        return None
    last = next((run for run in runs if run.wrote(names)), None)
    return Recorded(
        begun=last.begun if last else None,
        shares=last.shares(names) if last else None,
        allowed=tuple(_allowed(store, last, at)) if last else (),
        writes=tuple(written(each, causes.get((one.plan, one.key), _NOT_KEPT)) for one in found for each in sent([one])),
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """What a record says of units: all of its results, and the plans of units. `homes` are those that a service is in."""

    record: CycleRecord
    units: tuple[Mapping[str, Any], ...]
    results: tuple[Mapping[str, Any], ...]
    homes: frozenset[str]

    @classmethod
    def of(cls, record: CycleRecord, entry: Key) -> "_Run":
        units = tuple((record.report.get("plan") or {}).get("units", ()))
        results = tuple(record.report.get("results", ()))
        homes = frozenset(one["unit"] for one in results if _key(one) == entry)
        return cls(record, units, results, homes)

    def keys(self, names: set[str]) -> set[Key]:
        return {_key(one) for one in self.results if one["unit"] in names}

    def causes(self, names: set[str]) -> Iterator[tuple[Key, str]]:
        yield from ((_key(one), one["cause"]) for one in self.results if one["unit"] in names)

    def wrote(self, names: set[str]) -> bool:
        """Tell whether it has written anything of these units but what health makes of them."""
        written = (one for one in self.results if one["outcome"] == _DONE and one["action"] != Action.CONDITION)
        return any(one["unit"] in names for one in written)

    @property
    def begun(self) -> Evidence | None:
        said = self.record.report.get("revision")
        if said is None:
            return None
        data = {name: said[name] or "" for name in COMMIT}
        return Evidence(self.record.at, EvidenceKind.BEGIN, 0, said["commit"], said["subject"], data)

    def shares(self, names: set[str]) -> Evidence | None:
        """Return the VMs' shares that were predicted; they were written where all was that had been planned."""
        written = all(one["outcome"] == _DONE for one in self.results if one["unit"] in names)
        data = {}
        for split in (split for unit in self.units if unit["name"] in names for split in unit["after"] if split["endpoints"]):
            machines = round(sum(one["share"] for one in split["endpoints"] if one["platform"] == "vm"), 6)
            data[f"{split['service']}:{split['port']}"] = {"planned": machines, **({"written": machines} if written else {})}
        return Evidence(self.record.at, EvidenceKind.SHARES, 0, "", "", data) if data else None


def _by(store: Store, at: datetime) -> Iterator[CycleRecord]:
    """Yield the runs that had ended by then, newest first."""
    before = 0
    while found := store.history(_PAGE, before=before):
        yield from (one for one in found if one.at <= at)
        before = found[-1].id


def _allowed(store: Store, run: _Run, at: datetime) -> Iterator[Evidence]:
    for one in store.overrides(run.record.digest):
        if one.at <= at:
            data = {"by": one.by, "role": "", "reason": f"{one.name}: {one.reason}", "digest": one.digest}
            yield Evidence(one.at, EvidenceKind.WORD, 0, "allow", "", data)


def _key(one: Mapping[str, Any]) -> Key:
    return Key(one["kind"], one["namespace"], one["name"])
