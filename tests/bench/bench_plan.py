"""Planning alone, in this process: a mesh that is new to an empty cluster, from differences to a plan that keeps the laws."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from reconciler.core.diff import Differ
from reconciler.core.manifests import load, parse_file
from reconciler.core.owned import Rules
from reconciler.core.plan import make_plan
from reconciler.core.resources import DesiredState, ObservedState, Revision
from reconciler.core.wanted import wanted_now
from tests.bench.fleet import Fleet
from tests.bench.rivals import c_loader
from tests.bench.table import Bench, Row, Unusable, median, seconds

UNITS, VMS = 1_000, 10
LONGEST = 5.0
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows(bench: Bench) -> Iterator[Row]:
    """Measure the planning, the comparison before it, and PyYAML's reading of the same mesh."""
    units = max(1, bench.objects // (1 + VMS)) if bench.objects else UNITS
    fleet = Fleet(units, "bench-plan", VMS)
    home = bench.folder("plan")
    folder = fleet.folder(home / "files")
    desired, observed = _desired(fleet), ObservedState({})
    compared, ours, loader = [], [], []
    for _ in bench.each_round("plan"):
        began = time.process_time()
        wanted = wanted_now(desired, "bench")
        differences = Differ().diff(desired, wanted, observed, Rules("bench"), frozenset())
        compared.append(time.process_time() - began)
        began = time.process_time()
        plan = make_plan(desired, observed, differences, now=NOON)
        ours.append(time.process_time() - began)
        loader.append(c_loader(folder, home).cpu)
    writes = sum(len(wave) for unit in plan.units for step in unit.steps for wave in step.waves)
    if writes != len(desired.manifests) + len(desired.machines):
        raise Unusable(f"the plan has {writes} writes")
    yield Row(
        "plan",
        f"planning {units:,} units with {units * VMS:,} endpoints",
        seconds(median(ours)),
        f"< {seconds(LONGEST)}",
        median(ours) < LONGEST,
        f"CPU of planning and simulating {writes:,} writes; comparing takes {seconds(median(compared))} before that, and "
        f"CSafeLoader {seconds(median(loader))} to read the files",
        {"ours": ours, "compared": compared, "beside": loader},
    )


def _desired(fleet: Fleet) -> DesiredState:
    files = [parse_file(path, str(number), text.encode()) for number, (path, text) in enumerate(fleet.files().items())]
    return load(Revision("1" * 40), files)
