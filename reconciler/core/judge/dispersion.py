"""How bursty failures are, learned from the stable arm alone.

Failures come together: one bad second of a backend fails a hundred requests. Whoever counts them as a hundred independent
signs is fooled in half of all runs. The dispersion says how many failures weigh as much as one independent one: the variance
of the counts over the variance that independent failures would have (for bursts of sizes B it is E[B * B] / E[B]).

Neighbouring blocks of windows are compared in pairs. Given the failures K of a pair and the share s of its requests that the
first block had, independent failures have the variance K * s * (1 - s) around K * s; the sum of the squares over the sum of the
variances is the dispersion. A rate that moves over the day hardly shows between neighbours. Blocks of 1, 2, 4, 8 and 16 windows
are compared, since a burst may outlast a window: one scale alone takes incidents of four windows for nearly independent errors,
and then most good releases are aborted. The largest counts. Longer blocks would take the hours of the day for bursts.

With few windows little is known. Each scale starts from the estimate of the one below it, and the lowest from `UNKNOWN`, both
worth three pairs or twenty failures. Without a history of the stable arm the first verdicts are therefore slow, and only gross
harm is found at once; an hour of history, added before the first step, makes up for it. Incidents that outlast windows are only
known to a history that has seen some: better a day of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from reconciler.core.judge.counts import Counts

#: The dispersion assumed before the stable arm has shown any failures.
UNKNOWN = 10.0
#: What an assumption is worth, in pairs and in failures, whichever is more.
_PAIRS, _FAILURES = 3.0, 20.0
#: Windows after which what was learned begins to be forgotten; twice as many later it is. One incident must not blind for days.
MEMORY = 1024


@dataclass(frozen=True, slots=True)
class Sums:
    """Over pairs of blocks that saw failures: their number, the squares around the expected counts, and the variances.

    Squares and variances are in units in which an even pair with K failures has the variance K.
    """

    pairs: float = 0.0
    squares: float = 0.0
    variances: float = 0.0

    def __add__(self, other: Self) -> "Sums":
        return Sums(self.pairs + other.pairs, self.squares + other.squares, self.variances + other.variances)

    @classmethod
    def of(cls, first: Counts, second: Counts) -> "Sums":
        """Return what one pair says."""
        failures = first.failures + second.failures
        share = first.requests / (first.requests + second.requests)
        return cls(float(failures > 0), 4 * (first.failures - failures * share) ** 2, 4 * failures * share * (1 - share))


@dataclass(frozen=True, slots=True)
class Scale:
    """Blocks of one length: the one that waits for its neighbour (without requests: none does), and what pairs have said."""

    waiting: Counts = field(default_factory=Counts)
    newer: Sums = Sums()
    older: Sums = Sums()

    def estimate(self, assumed: float) -> float:
        """Return the dispersion of this scale, at least 1, given what is assumed without it."""
        known = self.newer + self.older
        weight = max(_FAILURES, _PAIRS * known.variances / max(1.0, known.pairs))
        return max(1.0, (known.squares + assumed * weight) / (known.variances + weight))


@dataclass(frozen=True, slots=True)
class Dispersion:
    """What the stable arm's windows have said so far; `windows` counts up to MEMORY. Bounded, whatever the history."""

    windows: int = 0
    scales: tuple[Scale, ...] = (Scale(),) * 5

    @property
    def value(self) -> float:
        """The dispersion, at least 1."""
        return max(self._estimates())

    def add(self, stable: Counts) -> "Dispersion":
        """Return it with one more window of the stable arm; one without requests says nothing."""
        if not stable.requests:
            return self
        scales = tuple(_paired(self.scales, stable))
        if self.windows + 1 < MEMORY:
            return Dispersion(self.windows + 1, scales)
        return Dispersion(0, tuple(Scale(one.waiting, Sums(), one.newer) for one in scales))

    def _estimates(self) -> Iterator[float]:
        estimate = UNKNOWN
        for scale in self.scales:
            estimate = scale.estimate(estimate)
            yield estimate


def _paired(scales: Iterable[Scale], block: Counts) -> Iterator[Scale]:
    """Yield the scales with one more block: it waits for a neighbour, or is compared with it, and both go up as one."""
    going_up: Counts | None = block
    for scale in scales:
        if going_up is None:
            yield scale
        elif not scale.waiting.requests:
            yield Scale(going_up, scale.newer, scale.older)
            going_up = None
        else:
            yield Scale(Counts(), scale.newer + Sums.of(scale.waiting, going_up), scale.older)
            going_up = scale.waiting + going_up
