"""`check` of a folder of small files: cold beside PyYAML's C loader on the same bytes, and warm, when nothing has changed.

Both are one thread that waits for nothing, so their CPU times are compared: on a busy machine the clock tells of others.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.fleet import LONE_BYTES, lone_services
from tests.bench.processes import Run, run
from tests.bench.rivals import c_loader
from tests.bench.table import Bench, Row, median, seconds

FILES = 10_000
#: An index of files is trusted only about those that had been at rest before it was made.
REST = 3.0


def rows(bench: Bench) -> Iterator[Row]:
    """Measure all in turn; start-up is what a check of one file takes that it knows."""
    (files,) = bench.sizes(FILES)
    home = bench.folder("check")
    folder = lone_services(home / "files", files)
    one = lone_services(home / "one-file", 1)
    time.sleep(REST)
    loader, cold, warm, start = [], [], [], []
    _check(one, home, "start")
    for number in range(bench.rounds):
        bench.progress(f"check: round {number + 1} of {bench.rounds}")
        loader.append(c_loader(folder, home))
        cold.append(_check(folder, home, f"data-{number}"))
        warm.append(_check(folder, home, f"data-{number}").cpu)
        start.append(_check(one, home, "start").cpu)
    ours, beside = median(run.cpu for run in cold), median(run.cpu for run in loader)
    what = f"check of {files:,} files of {LONE_BYTES} bytes"
    yield Row(
        "check-cold",
        f"{what}, cold, start included, beside CSafeLoader alone: CPU",
        f"{seconds(ours)} ({seconds(median(run.seconds for run in cold))} by the clock)",
        "< 3",
        ours < 3 * beside,
        f"{seconds(beside)} ({seconds(median(run.seconds for run in loader))} by the clock)",
        ours / beside,
        {"ours": [run.cpu for run in cold], "beside": [run.cpu for run in loader]},
    )
    own = median(warm) - median(start)
    yield Row(
        "check-warm",
        f"{what}, nothing changed: CPU after start-up",
        f"{seconds(own)} (start-up {seconds(median(start))})",
        "< 200 ms",
        own < 0.2,
        samples={"ours": warm, "start": start},
    )


def _check(folder: Path, home: Path, data: str) -> Run:
    program = Path(sys.executable).parent / "reconciler"
    return run([program, "check", folder, "--data", home / data], home)
