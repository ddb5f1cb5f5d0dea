"""Windows of made-up traffic, one minute each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from reconciler.core.judge import Counts, Evidence, Limits, Window

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
#: Ten percent of two thousand requests a minute.
CANARY, STABLE = 200.0, 1800.0

Failures = tuple[float, float]


def window(number: int, canary: Counts, stable: Counts) -> Window:
    """The n-th minute."""
    return Window(START + number * MINUTE, START + (number + 1) * MINUTE, canary, stable)


def flow(failures: Iterable[Failures], first: int = 0, canary: float = CANARY, stable: float = STABLE) -> list[Window]:
    """One window after the other in which so many requests failed, of the canary and of the stable arm."""
    return [window(first + i, Counts(canary, a), Counts(stable, b)) for i, (a, b) in enumerate(failures)]


def history(failures: Iterable[float], stable: float = STABLE) -> list[Window]:
    """The stable arm alone, before the first minute."""
    counts = list(failures)
    return flow([(0.0, b) for b in counts], first=-len(counts), canary=0.0, stable=stable)


def after(windows: Iterable[Window], limits: Limits, evidence: Evidence | None = None) -> Evidence:
    """What the evidence is after these windows."""
    found = evidence or Evidence()
    for one in windows:
        found = found.add(one, limits)
    return found
