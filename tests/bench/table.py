"""Rows of the table, and how it is printed."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HEADS = ("what", "ours", "beside", "ratio", "target", "verdict")

Progress = Callable[[str], None]
"""Takes one line for the person who waits."""


class Unusable(Exception):
    """A run that did not do its job; its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `ours` and `beside` are printed as they are; `samples` are all single figures behind them."""

    name: str
    what: str
    ours: str
    target: str
    met: bool
    beside: str = ""
    ratio: float | None = None
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


def printed(rows: Sequence[Row]) -> str:
    """The table as text."""
    lines = [HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    texts.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(texts)


def as_json(rows: Sequence[Row], about: dict[str, Any]) -> str:
    """The table for machines: `about` says what was measured on."""
    return json.dumps({**about, "rows": [asdict(row) for row in rows]}, indent=2)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}" if row.ratio < 0.1 else f"{row.ratio:.2f}"
    return (row.what, row.ours, row.beside, ratio, row.target, "met" if row.met else "MISSED")
