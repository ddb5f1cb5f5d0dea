"""`python -m tests.bench`: measure, and print one table."""

from __future__ import annotations

import argparse
import gc
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from reconciler.cli.main import COLLECT_AFTER
from tests.bench import (
    bench_apply,
    bench_check,
    bench_diff,
    bench_plan,
    bench_registry,
    bench_rollouts,
    bench_serve,
    bench_start,
)
from tests.bench.mesh import Mesh, running_mesh
from tests.bench.table import Bench, Row, Unusable, as_json, printed
from tests.real.missing import PartMissing

ALONE: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "start": bench_start.rows,
    "check": bench_check.rows,
    "plan": bench_plan.rows,
    "rollouts": bench_rollouts.rows,
    "registry": bench_registry.rows,
}
ON_A_MESH: dict[str, Callable[[Bench, Mesh], Iterator[Row]]] = {
    "apply": bench_apply.rows,
    "diff": bench_diff.rows,
    "serve": bench_serve.rows,
}


def main() -> int:
    """Measure what the arguments name; 1 where something could not be measured, whatever the figures are."""
    names = (*ALONE, *ON_A_MESH)
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {', '.join(names)}; all by default")
    parser.add_argument("--objects", type=int, help="another size than the usual ones")
    parser.add_argument("--rounds", type=int, default=3, help="how often; the median counts (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all figures there (- for standard output)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(names):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    wanted = arguments.names or names
    with tempfile.TemporaryDirectory(prefix="mesh-reconciler-bench-") as scratch:
        bench = Bench(Path(scratch), say, arguments.rounds, arguments.objects)
        rows, failed = measured(bench, [name for name in names if name in wanted])
    table = as_json(rows, about()) if arguments.json == Path("-") else printed(rows)
    print(table)
    if arguments.json and arguments.json != Path("-"):
        arguments.json.write_text(as_json(rows, about()), encoding="utf-8")
    return 1 if failed else 0


def measured(bench: Bench, names: list[str]) -> tuple[list[Row], bool]:
    """Measure one after the other; what cannot be measured leaves the others alone."""
    rows: list[Row] = []
    failed = False
    with ExitStack() as stack:
        mesh: Mesh | None = None
        for name in names:
            try:
                if name in ON_A_MESH:
                    mesh = mesh or stack.enter_context(running_mesh(bench))
                    take = partial(ON_A_MESH[name], bench, mesh)
                else:
                    take = partial(ALONE[name], bench)
                rows += take()
            except (Unusable, PartMissing) as error:
                say(f"{name}: NOT MEASURED: {error}")
                failed = True
    return rows, failed


def about() -> dict[str, str | int | None]:
    """What was measured on."""
    return {"python": platform.python_version(), "system": platform.platform(), "processors": os.cpu_count()}


def say(line: str) -> None:
    """One line for the person who waits."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.umask(0o077)  # tokens lie in the scratch folder
    gc.set_threshold(*COLLECT_AFTER)  # what is measured in this process runs as the command does
    sys.exit(main())
