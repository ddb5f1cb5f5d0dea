"""`check` of a folder of small files: cold beside PyYAML's C loader on the same bytes, and warm, when nothing has changed.

All are one thread that waits for nothing, so their CPU times are compared: on a busy machine the clock tells of others.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.fleet import LONE_BYTES, lone_services
from tests.bench.processes import Run, run
from tests.bench.rivals import c_loader
from tests.bench.table import Bench, Row, median, ratio, seconds
from tests.real.crds import crd_documents

FILES = 10_000
#: An index of files is trusted only about those that had been at rest before it was made.
REST = 3.0
#: Times the C loader's CPU, and seconds of CPU when nothing has changed.
COLD, WARM = 3, 0.2


def rows(bench: Bench) -> Iterator[Row]:
    """Measure all in turn; start-up is what a check of one file takes that it knows."""
    (files,) = bench.sizes(FILES)
    home = bench.folder("check")
    folder = lone_services(home / "files", files)
    one = lone_services(home / "one-file", 1)
    crds = home / "crds.json"
    crds.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": crd_documents(progress=bench.progress)}))
    time.sleep(REST)
    loader, cold, against_crds, warm, start = [], [], [], [], []
    _check(one, home, "start")
    for number in bench.each_round("check"):
        loader.append(c_loader(folder, home))
        cold.append(_check(folder, home, f"data-{number}"))
        against_crds.append(_check(folder, home, f"crds-{number}", "--crds", crds))
        warm.append(_check(folder, home, f"data-{number}").cpu)
        start.append(_check(one, home, "start").cpu)
    what = f"check of {files:,} files of {LONE_BYTES} bytes"
    yield _cold("check-cold", f"{what}, cold", cold, loader)
    yield _cold("check-crds", f"{what}, cold, --crds", against_crds, loader)
    own = median(warm) - median(start)
    yield Row(
        "check-warm",
        f"{what}, unchanged",
        seconds(own),
        f"< {seconds(WARM)}",
        own < WARM,
        f"CPU after start-up, which takes {seconds(median(start))}",
        {"ours": warm, "start": start},
    )


def _cold(name: str, what: str, ours: Sequence[Run], loader: Sequence[Run]) -> Row:
    cpu, beside = median(one.cpu for one in ours), median(one.cpu for one in loader)
    took = seconds(median(one.seconds for one in ours))
    return Row(
        name,
        what,
        ratio(cpu, beside),
        f"< {COLD} x",
        cpu < COLD * beside,
        f"{seconds(cpu)} of CPU, start-up included ({took} by the clock), beside {seconds(beside)} of CSafeLoader alone",
        {"ours": [one.cpu for one in ours], "beside": [one.cpu for one in loader]},
    )


def _check(folder: Path, home: Path, data: str, *more: str | Path) -> Run:
    program = Path(sys.executable).parent / "reconciler"
    return run([program, "check", folder, "--data", home / data, *more], home)
