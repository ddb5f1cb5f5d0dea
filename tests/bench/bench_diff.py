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
from tests.bench.table import Bench, Row, Unusable, median, seconds

OBJECTS = 1_200
#: Passes inside of one process; the first one fills what the others find.
PASSES = 5


def rows(bench: Bench, mesh: Mesh) -> Iterator[Row]:
    """Measure kubectl and ourselves in turn, over what each has applied itself."""
    (objects,) = bench.sizes(OBJECTS)
    kubectl, process, cpu, inside = [], [], [], []
    bench.progress("diff: kubectl")
    with mesh.fleet(objects) as fleet:
        rival = rivals.Kubectl(fleet, mesh, bench.folder("diff-kubectl"))
        rival.apply()
        kubectl += [rival.diff().seconds for _ in range(bench.rounds)]
    bench.progress("diff: ours")
    with mesh.fleet(objects) as fleet:
        ours = Reconciler.of(fleet, mesh, bench.folder("diff"))
        ours.run("apply", "--yes")
        for _ in range(bench.rounds):
            done = ours.run("diff")
            process.append(done.seconds)
            cpu.append(done.cpu)
        inside += _inside(ours)
    yield Row(
        "diff-process",
        f"diff of {objects:,} unchanged objects, beside kubectl diff --server-side",
        f"{seconds(median(process))} ({median(cpu):.1f} s of CPU)",
        "< 0.25",
        median(process) < 0.25 * median(kubectl),
        seconds(median(kubectl)),
        median(process) / median(kubectl),
        {"ours": process, "cpu": cpu, "beside": kubectl},
    )
    yield Row(
        "diff-inside",
        "the same inside of serve, watches open",
        seconds(median(inside)),
        "< 0.1",
        median(inside) < 0.1 * median(kubectl),
        seconds(median(kubectl)),
        median(inside) / median(kubectl),
        {"ours": inside, "beside": kubectl},
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
