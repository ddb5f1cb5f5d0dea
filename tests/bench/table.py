"""Rows of the table, and how it is printed."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import wrap
from typing import Any

HEADS = ("what", "measured", "target", "verdict")
#: Characters of a line.
WIDTH = 100

Progress = Callable[[str], None]
"""Takes one line for the person who waits."""


class Unusable(Exception):
    """A run that did not do its job; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One target: what was measured for it, and whether it is met.

    `behind` says what `measured` was made of. `samples` are all single figures, for machines.
    """

    name: str
    what: str
    measured: str
    target: str
    met: bool
    behind: str = ""
    samples: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every measurement is given: how much, how often, where, and whom to tell how far it is."""

    scratch: Path
    progress: Progress
    rounds: int
    objects: int | None = None

    def sizes(self, *usual: int) -> tuple[int, ...]:
        """The sizes to measure at: the usual ones, or the one that the command line says."""
        return usual if self.objects is None else (self.objects,)

    def each_round(self, name: str) -> Iterator[int]:
        """The numbers of the rounds; tells which one begins."""
        for number in range(self.rounds):
            self.progress(f"{name}: round {number + 1} of {self.rounds}")
            yield number

    def folder(self, name: str) -> Path:
        """A folder of this name that did not exist before."""
        found = self.scratch / name
        found.mkdir()
        return found


def median(values: Iterable[float]) -> float:
    """The middle one: a moment in which somebody else had the machine changes nothing."""
    return statistics.median(values)


def seconds(value: float) -> str:
    """A time as people read it."""
    return f"{value:.2f} s" if value >= 0.995 else f"{value * 1000:.0f} ms"


def ratio(ours: float, beside: float) -> str:
    """How many times as much ours is."""
    return f"{ours / beside:.3f} x" if ours < 0.1 * beside else f"{ours / beside:.2f} x"


def printed(rows: Sequence[Row]) -> str:
    """The table as text: a line for each target, and below it what is behind the figure."""
    lines = [HEADS, *((row.what, row.measured, row.target, "met" if row.met else "MISSED") for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    behind = [wrap(row.behind, WIDTH, initial_indent="    ", subsequent_indent="    ") for row in rows]
    parts = [[texts[0]], ["-" * WIDTH], *([text, *more] for text, more in zip(texts[1:], behind, strict=True))]
    return "\n".join(line for part in parts for line in part)


def as_json(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """The table for machines: `about` says what was measured on."""
    return json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=2)
