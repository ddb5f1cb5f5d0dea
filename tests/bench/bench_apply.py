"""The first apply of a mesh, from an empty data folder to the last write read back.

What we are measured beside writes to the cluster alone, so that is what is compared; how long it takes with the VMs written to
the registry too stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench import rivals
from tests.bench.mesh import Mesh, Reconciler
from tests.bench.processes import Run
from tests.bench.table import Bench, Row, median, ratio, seconds

OBJECTS = 1_200
#: Of the bare pool's time, and what reading, planning and starting may take on top.
FACTOR, GRACE = 1.3, 1.0
#: Of kubectl's time.
OF_KUBECTL = 0.6


def rows(bench: Bench, mesh: Mesh) -> Iterator[Row]:
    """Measure the pool, kubectl and ourselves in turn."""
    (objects,) = bench.sizes(OBJECTS)
    pools: list[Run] = []
    kubectl: list[Run] = []
    ours: list[Run] = []
    both: list[Run] = []
    for number in bench.each_round("apply"):
        home = bench.folder(f"apply-{number}")
        with mesh.fleet(objects) as fleet:
            pools.append(rivals.pool(fleet, mesh, home))
            mesh.holds(fleet)
        with mesh.fleet(objects) as fleet:
            kubectl.append(rivals.Kubectl(fleet, mesh, home).apply())
            mesh.holds(fleet)
        for runs, more in ((ours, ("--registry", "none")), (both, ())):
            with mesh.fleet(objects) as fleet:
                reconciler = Reconciler.of(fleet, mesh, bench.folder(f"apply-{number}-{len(more)}"))
                runs.append(reconciler.run("apply", "--yes", *more))
                mesh.holds(fleet)
    pool, other, own = (median(one.seconds for one in runs) for runs in (pools, kubectl, ours))
    limit = FACTOR * pool + GRACE
    yield Row(
        "apply-pool",
        f"first apply of {objects:,} objects",
        seconds(own),
        f"<= {seconds(limit)}",
        own <= limit,
        f"{seconds(median(one.cpu for one in ours))} of CPU; the target is {FACTOR} x a bare pool of {rivals.CONNECTIONS} "
        f"connections + {seconds(GRACE)}, and that pool takes {seconds(pool)}; "
        f"{seconds(median(one.seconds for one in both))} with the VMs in the registry too",
        _samples(ours, pools) | {"with registry": [one.seconds for one in both]},
    )
    yield Row(
        "apply-kubectl",
        "the same beside kubectl apply --server-side",
        ratio(own, other),
        f"<= {OF_KUBECTL} x",
        own <= OF_KUBECTL * other,
        f"kubectl takes {seconds(other)}, {seconds(median(one.cpu for one in kubectl))} of CPU",
        _samples(ours, kubectl),
    )


def _samples(ours: list[Run], beside: list[Run]) -> dict[str, list[float]]:
    return {
        "ours": [one.seconds for one in ours],
        "cpu": [one.cpu for one in ours],
        "beside": [one.seconds for one in beside],
        "beside cpu": [one.cpu for one in beside],
    }
