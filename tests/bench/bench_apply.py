"""The first apply of a mesh, from an empty data folder to the last write read back."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import rivals
from tests.bench.mesh import Mesh, Reconciler
from tests.bench.table import Bench, Row, median, seconds

OBJECTS = 1_200
#: Of the bare pool's time, and what reading, planning and starting may take on top.
FACTOR, GRACE = 1.3, 1.0


def rows(bench: Bench, mesh: Mesh) -> Iterator[Row]:
    """Measure the pool, kubectl and ourselves in turn."""
    (objects,) = bench.sizes(OBJECTS)
    pool, pool_cpu, kubectl, ours, cpu = [], [], [], [], []
    for number in range(bench.rounds):
        bench.progress(f"apply: round {number + 1} of {bench.rounds}")
        home = bench.folder(f"apply-{number}")
        with mesh.fleet(objects) as fleet:
            bare = rivals.pool(fleet, mesh, home)
            pool.append(bare.seconds)
            pool_cpu.append(bare.cpu)
            mesh.holds(fleet)
        with mesh.fleet(objects) as fleet:
            kubectl.append(rivals.Kubectl(fleet, mesh, home).apply().seconds)
            mesh.holds(fleet)
        with mesh.fleet(objects) as fleet:
            done = Reconciler.of(fleet, mesh, home).run("apply", "--yes")
            mesh.holds(fleet)
            ours.append(done.seconds)
            cpu.append(done.cpu)
    limit = FACTOR * median(pool) + GRACE
    what = f"first apply of {objects:,} objects"
    yield Row(
        "apply-pool",
        f"{what}, beside a bare pool of {rivals.CONNECTIONS} connections",
        f"{seconds(median(ours))} ({median(cpu):.1f} s of CPU)",
        f"<= 1.3 x + 1 s = {limit:.2f} s",
        median(ours) <= limit,
        f"{seconds(median(pool))} ({median(pool_cpu):.1f} s of CPU)",
        median(ours) / median(pool),
        {"ours": ours, "cpu": cpu, "beside": pool, "beside cpu": pool_cpu},
    )
    ratio = median(ours) / median(kubectl)
    yield Row(
        "apply-kubectl",
        f"{what}, beside kubectl apply --server-side",
        seconds(median(ours)),
        "<= 0.6",
        ratio <= 0.6,
        seconds(median(kubectl)),
        ratio,
        {"ours": ours, "beside": kubectl},
    )
