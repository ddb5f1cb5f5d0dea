"""From runs to tables: percentages, medians, requests; as text or as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.simulation.experiments import JUDGES, TOO_EARLY, Bad, Certified, Experiment, Found, Good
from tests.bench.simulation.traffic import CANARY

Results = Mapping[str, Sequence[Found]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under one title."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """For a terminal."""
        lines = [self.heads, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.heads))]
        texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
        texts.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([f"{self.title}:", "", *texts])

    def markdown(self) -> str:
        """For the documentation."""
        lines = [self.heads, tuple("---" for _ in self.heads), *self.rows]
        return "\n".join([f"{self.title}:", "", *(f"| {' | '.join(line)} |" for line in lines)])


def tables(experiments: Sequence[Experiment], results: Results) -> Iterator[Table]:
    """Yield one for each kind of experiment."""
    good = [name for one in experiments if isinstance(one, Good) for name in one.names]
    bad = [name for one in experiments if isinstance(one, Bad) for name in one.names]
    certified = [one.names for one in experiments if isinstance(one, Certified)]
    yield _table("A canary as good as the stable arm is called harmful", {one: _cells(results[one], _wrongly) for one in good})
    yield _table("A canary that turns bad is stopped within 8 h", {one: _cells(results[one], _found) for one in bad})
    both = {one: zip(_cells(results[one], _found), _cells(results[other], _wrongly), strict=True) for one, other in certified}
    yield _table(
        "A canary as good as the stable arm is certified within 4 h (in brackets: one whose failures are at the margin)",
        {name: [f"{found} ({wrongly})" for found, wrongly in cells] for name, cells in both.items()},
    )


def _table(title: str, rows: Mapping[str, Iterable[str]]) -> Table:
    return Table(title, ("runs", *JUDGES), tuple((name, *cells) for name, cells in rows.items()))


def _cells(runs: Sequence[Found], cell: Callable[[Sequence[int | None]], str]) -> list[str]:
    """Return one cell for each judge."""
    return [cell(column) for column in zip(*runs, strict=True)]


def _wrongly(minutes: Sequence[int | None]) -> str:
    return _percent(sum(one is not None for one in minutes), len(minutes))


def _found(minutes: Sequence[int | None]) -> str:
    """How many, and how many requests of the canary the middle one of all runs took."""
    early = sum(one == TOO_EARLY for one in minutes)
    fair = [one for one in minutes if one != TOO_EARLY]
    before = f"{_percent(early, len(minutes))} stopped before" if early else ""
    if not fair:
        return before
    found = [one for one in fair if one is not None]
    share = _percent(len(found), len(fair))
    middle = statistics.median_high(sorted(found) + [10**9] * (len(fair) - len(found)))
    took = f", {middle * CANARY:,} requests, {middle} min" if middle < 10**9 else ""
    return f"{share}{took}" + (f"; {before}" if before else "")


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.1f} %" if count < of else "100 %"
