"""`python -m tests.bench.simulation`: play everything, and print the tables."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.bench.simulation.experiments import MARGINS, Bad, Certified, Experiment, Found, Good
from tests.bench.simulation.tables import tables
from tests.bench.simulation.traffic import Traffic

SINGLE, BURSTS, INCIDENTS = Traffic(), Traffic(burst=5), Traffic(burst=20, spread=4)


def experiments() -> list[tuple[Experiment, float]]:
    """What is played, and which part of `--runs` of each."""
    good = [
        Good("single failures, the first 10 min", SINGLE, minutes=10),
        Good("single failures", SINGLE),
        Good("single failures, no history", SINGLE, known=0),
        Good("bursts of 5", BURSTS),
        Good("bursts of 5, no history", BURSTS, known=0),
        Good("incidents of 20 over 4 min, no history", INCIDENTS, known=0),
        Good("incidents of 20 over 4 min", INCIDENTS),
        Good("incidents of 20 over 4 min, 16 h of history", INCIDENTS, known=960),
        Good("single failures, rate moving by 70 % a day", Traffic(swing=0.7)),
    ]
    bad = [
        Bad("single failures", SINGLE),
        Bad("single failures, no history", SINGLE, known=0, begins=(0,)),
        Bad("bursts of 5", BURSTS, begins=(0,)),
    ]
    certified = [
        Certified(f"{name}, below {margin:g} times", traffic, margin)
        for name, traffic in (("single failures", SINGLE), ("bursts of 5", BURSTS))
        for margin in MARGINS
    ]
    return [*((one, 1.0) for one in good), *((one, 0.25) for one in bad), *((one, 0.25) for one in certified)]


def played(runs: int, processes: int) -> dict[str, list[Found]]:
    """Play all, on several processors, telling how far it is."""
    tasks = [(one, number) for one, part in experiments() for number in range(max(1, round(runs * part)))]
    # The longest ones first, so that no processor is left with one at the end.
    tasks.sort(key=lambda task: not isinstance(task[0], Bad))
    results: dict[str, list[Found]] = defaultdict(list)
    with ProcessPoolExecutor(processes) as pool:
        for found in progress(pool.map(_play, tasks, chunksize=4), len(tasks)):
            for name, one in found.items():
                results[name].append(one)
    return results


def _play(task: tuple[Experiment, int]) -> dict[str, Found]:
    experiment, number = task
    return experiment.run(number)


def progress(found: Iterator[dict[str, Found]], total: int) -> Iterator[dict[str, Found]]:
    """Draw a bar on standard error while results come in; a line at each tenth where that is no terminal."""
    began = time.monotonic()
    live = sys.stderr.isatty()
    for done, one in enumerate(found, start=1):
        yield one
        if live or done * 10 // total > (done - 1) * 10 // total:
            bar = "#" * (30 * done // total)
            line = f"simulate: [{bar:30}] {100 * done // total:3} %, {time.monotonic() - began:.0f} s"
            print(line, end="\r" if live and done < total else "\n", file=sys.stderr, flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=250, help="of each kind; the long ones a quarter (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at the same time (default: %(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print what the documentation shows")
    arguments = parser.parse_args()
    results = played(arguments.runs, arguments.processes)
    for table in tables([one for one, _ in experiments()], results):
        print(table.markdown() if arguments.markdown else table.text(), end="\n\n")


if __name__ == "__main__":
    main()
