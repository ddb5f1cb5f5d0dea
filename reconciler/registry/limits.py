"""How often somebody may ask: a bucket each, that empties with use and fills with time."""

from collections import OrderedDict
from collections.abc import Hashable


class Buckets:
    """Buckets of `burst` that fill at `rate` a second, for at most `most` askers: who was silent for longest is forgotten."""

    def __init__(self, rate: float, burst: float, most: int = 100_000) -> None:
        self._rate, self._burst, self._most = rate, burst, most
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def wait(self, asker: Hashable, now: float) -> float:
        """Return for how many seconds somebody must wait before asking again, 0 where he need not. `now` only grows."""
        return max(0.0, (1.0 - self._level(asker, now)) / self._rate)

    def take(self, asker: Hashable, now: float) -> None:
        """Count one."""
        self._levels[asker] = (max(self._level(asker, now) - 1.0, 0.0), now)
        self._levels.move_to_end(asker)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)

    def _level(self, asker: Hashable, now: float) -> float:
        level, at = self._levels.get(asker, (self._burst, now))
        return min(self._burst, level + (now - at) * self._rate)
