"""A diff in which nothing differs: as a process, and inside of a serving process that has its watches open."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from reconciler.core.report import Verdict
from reconciler.settings import load
from reconciler.wiring import open_target
from tests.bench import rivals
from tests.bench.mesh import Mesh, Reconciler
from tests.bench.processes import Run
from tests.bench.table import Bench, Row, Unusable, median, ratio, seconds

OBJECTS = 1_200
#: Passes inside of one process; the first one fills what the others find.
PASSES = 5
#: Of the time of kubectl diff.
AS_PROCESS, INSIDE = 0.25, 0.1


def rows(bench: Bench, mesh: Mesh) -> Iterator[Row]:
    """Measure kubectl and ourselves in turn, each over what it has applied itself, with nothing else on the server."""
    (objects,) = bench.sizes(OBJECTS)
    kubectl: list[Run] = []
    process: list[Run] = []
    inside: list[float] = []
    for number in bench.each_round("diff"):
        home = bench.folder(f"diff-{number}")
        with mesh.fleet(objects) as fleet:
            rival = rivals.Kubectl(fleet, mesh, home)
            rival.apply()
            kubectl.append(rival.diff())
        with mesh.fleet(objects) as fleet:
            ours = Reconciler.of(fleet, mesh, home)
            ours.run("apply", "--yes")
            process.append(ours.run("diff"))
            inside += _inside(ours)
    other, own = median(one.seconds for one in kubectl), median(one.seconds for one in process)
    beside = {"beside": [one.seconds for one in kubectl], "beside cpu": [one.cpu for one in kubectl]}
    yield Row(
        "diff-process",
        f"diff of {objects:,} unchanged objects beside kubectl diff",
        ratio(own, other),
        f"< {AS_PROCESS} x",
        own < AS_PROCESS * other,
        f"{seconds(own)}, {seconds(median(one.cpu for one in process))} of CPU; kubectl diff --server-side takes "
        f"{seconds(other)}, {seconds(median(one.cpu for one in kubectl))} of CPU",
        {"ours": [one.seconds for one in process], "cpu": [one.cpu for one in process], **beside},
    )
    yield Row(
        "diff-inside",
        "the same inside of serve, watches open",
        ratio(median(inside), other),
        f"< {INSIDE} x",
        median(inside) < INSIDE * other,
        f"{seconds(median(inside))} from asking Git to the report",
        {"ours": inside, **beside},
    )


def _inside(ours: Reconciler) -> list[float]:
    """Whole cycles, Git asked in each, in a process that watches as `serve` does."""
    settings = load({name.removeprefix("--"): value for name, value in ours.options.items()})
    taken = []
    with open_target(settings, local=True) as target:
        nudged = threading.Event()
        target.cycle.subscribe(nudged.set)
        for _ in range(1 + PASSES):
            target.cycle.poll_due()
            began = time.perf_counter()
            report = target.cycle.run("diff", write=False)
            taken.append(time.perf_counter() - began)
            if report.verdict is not Verdict.IN_SYNC:
                raise Unusable(f"a diff of what was applied says {report.verdict}: {report.notes}")
    return taken[1:]
