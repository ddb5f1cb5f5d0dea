"""What is judged: requests and failures of two arms, window by window; and how durations become such counts."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Self

# Counts beyond this are no longer exact in a double, and nobody has served so many requests.
_MOST = 2.0**53
# Prometheus adds up floats: the same requests summed twice may differ in the last digits.
_NOISE = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Counts:
    """What one arm saw: requests, and how many of them failed.

    Counts need not be whole: Prometheus extrapolates. Raises ValueError for what cannot be a count, NaN above all.
    """

    requests: float = 0.0
    failures: float = 0.0

    def __post_init__(self) -> None:
        # NaN compares false with everything, so it does not get through.
        if not 0 <= self.requests < _MOST or not 0 <= self.failures <= self.requests * _NOISE:
            raise ValueError(f"{self.failures} failures of {self.requests} requests cannot be")

    @property
    def rate(self) -> float:
        """The share of requests that failed, 0 where there were none."""
        return self.failures / self.requests if self.requests else 0.0

    def __add__(self, other: Self) -> "Counts":
        return Counts(self.requests + other.requests, self.failures + other.failures)


@dataclass(frozen=True, slots=True)
class Window:
    """What both arms, the canary and the stable one, saw in the same time. Raises ValueError where it ends before it begins.

    Windows adjoin: each begins where the one before it ended, so that each request counts once. What cannot be counted (a
    counter that was reset, a gap in the data, the warm-up after a step) is left out; the next window then begins later.
    """

    begin: datetime
    end: datetime
    canary: Counts
    stable: Counts

    def __post_init__(self) -> None:
        if not self.begin < self.end:
            raise ValueError(f"a window from {self.begin} to {self.end} is none")


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long one arm's requests took in one window: pairs of an edge and the number of requests that took at most so long.

    These are the cumulative `le` buckets of Prometheus, in rising order, the last edge infinite. Raises ValueError otherwise.
    """

    buckets: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not self.buckets or self.buckets[-1][0] != math.inf:
            raise ValueError("a histogram ends with the bucket +Inf")
        lowest, fewest = -math.inf, 0.0
        for edge, count in self.buckets:
            if not edge > lowest or not fewest <= count * _NOISE or not count < _MOST:
                raise ValueError(f"{count} requests up to {edge}, after {fewest} up to {lowest}, cannot be")
            lowest, fewest = edge, count

    @property
    def requests(self) -> float:
        return self.buckets[-1][1]

    def slower_than(self, edge: float) -> Counts:
        """Return counts whose failures are the requests that took longer. Raises ValueError for what is no edge of a bucket.

        Between two edges a histogram knows nothing, so nothing is interpolated.
        """
        within = dict(self.buckets)
        if edge not in within:
            raise ValueError(f"no bucket ends at {edge}")
        return Counts(self.requests, max(0.0, self.requests - within[edge]))

    def edge_of(self, quantile: float) -> float | None:
        """Return the first edge that at least this share of the requests (0 to 1) stayed within.

        It is the last finite edge where too many took longer than that one, and None without requests or finite edges.
        """
        finite = self.buckets[:-1]
        if not self.requests or not finite:
            return None
        return next((edge for edge, count in finite if count >= quantile * self.requests), finite[-1][0])
