"""Made-up failures of two arms, minute by minute: single ones, bursts, incidents, days."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from reconciler.core.judge import Counts, Window

CANARY, STABLE, RATE = 200, 1800, 0.005
DAY = 1440
_START, _MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Traffic:
    """Failures come in bursts of this mean size (geometric), each spread over some minutes; `swing` moves the rate by the hour.

    A burst hits one arm alone, as one backend that is in trouble does.
    """

    burst: int = 1
    spread: int = 1
    swing: float = 0.0

    def failures(self, random: Random, ratio: float = 1.0) -> Iterator[tuple[int, int]]:
        """Yield the failures of canary and stable arm for ever; the canary fails `ratio` times as often."""
        return zip(self._arm(random, CANARY, ratio), self._arm(random, STABLE, 1.0), strict=True)

    def _arm(self, random: Random, requests: int, ratio: float) -> Iterator[int]:
        coming = deque([0] * self.spread)
        for minute in count():
            mean = requests * RATE * ratio * (1 + self.swing * math.sin(2 * math.pi * minute / DAY))
            for _ in range(_poisson(random, mean / self.burst)):
                for _ in range(_geometric(random, self.burst)):
                    coming[random.randrange(self.spread)] += 1
            coming.append(0)
            yield min(coming.popleft(), requests)


def window(minute: int, canary: int, stable: int) -> Window:
    """One minute as the judge gets it."""
    begin = _START + minute * _MINUTE
    return Window(begin, begin + _MINUTE, Counts(CANARY, canary), Counts(STABLE, stable))


def history(minutes: int, failures: Iterator[tuple[int, int]]) -> Iterator[Window]:
    """Yield the stable arm alone, before the first minute."""
    for minute in range(-minutes, 0):
        begin = _START + minute * _MINUTE
        yield Window(begin, begin + _MINUTE, Counts(), Counts(STABLE, next(failures)[1]))


def _poisson(random: Random, mean: float) -> int:
    left, chance, found = random.random(), math.exp(-mean), 0
    while left > chance > 0:
        left -= chance
        found += 1
        chance *= mean / found
    return found


def _geometric(random: Random, mean: int) -> int:
    return 1 if mean == 1 else 1 + int(math.log(1 - random.random()) / math.log(1 - 1 / mean))
