"""How soon the first line comes: `reconciler --help`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.processes import run
from tests.bench.table import Bench, Row, median, seconds

LONGEST = 0.3


def rows(bench: Bench) -> Iterator[Row]:
    """Measure it, and an interpreter that does nothing."""
    home = bench.folder("start")
    ours, python = [], []
    for _ in bench.each_round("start"):
        ours.append(run([Path(sys.executable).parent / "reconciler", "--help"], home))
        python.append(run([sys.executable, "-c", "pass"], home))
    took, cpu = median(one.seconds for one in ours), median(one.cpu for one in ours)
    bare = median(one.seconds for one in python)
    yield Row(
        "start",
        "reconciler --help",
        seconds(took),
        f"< {seconds(LONGEST)}",
        took < LONGEST,
        f"{seconds(cpu)} of CPU; a Python that does nothing takes {seconds(bare)}",
        {"ours": [one.seconds for one in ours], "cpu": [one.cpu for one in ours], "beside": [one.seconds for one in python]},
    )
