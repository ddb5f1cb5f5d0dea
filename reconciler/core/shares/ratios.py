"""Whole numbers in a given ratio: the smallest whose sum lies in a range.

Exact multiples of the ratio come first. Where none fits the range, numbers may stand in a slightly wrong ratio: for a common
base ``c`` each lies between ``c * ratio`` and ``c * ratio * (1 + slack)``, so none gets more than ``1 + slack`` times what
another gets for the same ratio. Where that does not fit either, the slack is doubled until it does: the sum decides the share
of a whole side, and comes before the ratio inside it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop, heappush
from math import floor, gcd

#: A fraction with no care for common divisors.
_Quotient = tuple[int, int]


def apportion(ratios: Sequence[int], low: int, high: int, slack: Fraction, most: int) -> tuple[int, ...]:
    """Return numbers from 1 to `most`, one for each ratio, with the smallest sum from `low` to `high` that keeps the ratio.

    Ratios are positive. The range must hold a possible sum: ``len(ratios) <= low <= high``, ``low <= most * len(ratios)``.
    """
    if found := _exactly(ratios, low, high, most):
        return found
    counts = Counter(ratios)
    while True:
        if sums := _Search(counts, sum(ratios), max(ratios) ** 2, slack, most).smallest(low, high):
            return _in_order(ratios, counts, sums)
        slack *= 2


def largest(ratios: Sequence[int], most: int, total: int) -> tuple[int, ...]:
    """Return the largest numbers up to `most`, with a sum of about `total` at most, that keep the ratio."""
    shrunk = gcd(*ratios)
    times = min(most * shrunk // max(ratios), total * shrunk // sum(ratios))
    if times:
        return tuple(ratio // shrunk * times for ratio in ratios)
    base = min(Fraction(most, max(ratios)), Fraction(total, sum(ratios)))
    return tuple(max(1, floor(ratio * base)) for ratio in ratios)


def uneven(ratios: Sequence[int], numbers: Sequence[int]) -> Fraction:
    """Return by how much more than another one number is for the same ratio; 0 where all are in the ratio."""
    per_ratio = [Fraction(number, ratio) for ratio, number in set(zip(ratios, numbers, strict=True))]
    return max(per_ratio) / min(per_ratio) - 1 if per_ratio else Fraction(0)


def _exactly(ratios: Sequence[int], low: int, high: int, most: int) -> tuple[int, ...]:
    shrunk = gcd(*ratios)
    total = sum(ratios) // shrunk
    times = max(1, -(-low // total))
    fits = times * total <= high and times * (max(ratios) // shrunk) <= most
    return tuple(ratio // shrunk * times for ratio in ratios) if fits else ()


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the smallest sum under one slack.

    `counts` says how often each ratio occurs, `total` is the sum of all, `scale` the square of the largest. A base is held with
    the slack added, as the quotient of two whole numbers: all stays exact, and quick.
    """

    counts: Counter[int]
    total: int
    scale: int
    slack: Fraction
    most: int

    def smallest(self, low: int, high: int) -> dict[int, int]:
        """Return for each ratio what all numbers of that ratio sum up to; nothing where no sum fits.

        Both bounds of the numbers grow with the base. So the smallest base at which the upper bounds sum up to `low`, and every
        ratio has a number, has the smallest sum.
        """
        base = None if self._exceeds((1, min(self.counts)), high) else self._reaching(low)
        while base and not self._exceeds(base, high):
            bounds = {ratio: self._bounds(base, ratio) for ratio in self.counts}
            empty = [(least, ratio) for ratio, (least, greatest) in bounds.items() if least > greatest]
            if not empty:
                total = max(low, sum(bounds[ratio][0] * count for ratio, count in self.counts.items()))
                return self._spread(total, bounds) if total <= high else {}
            base = max(empty, key=self._key) if all(least <= self.most for least, _ in empty) else None
        return {}

    def _exceeds(self, base: _Quotient, high: int) -> bool:
        """Tell whether the lower bounds sum up to more than `high` whatever they are rounded to."""
        grow = 1 + self.slack
        return base[0] * self.total * grow.denominator > high * base[1] * grow.numerator

    def _bounds(self, base: _Quotient, ratio: int) -> tuple[int, int]:
        grow = 1 + self.slack
        above, below = base
        least = -(-above * ratio * grow.denominator // (below * grow.numerator))
        return least, min(self.most, above * ratio // below)

    def _key(self, base: _Quotient) -> int:
        """Order quotients of numbers and ratios exactly: two that differ do so by at least 1 / `scale`."""
        return base[0] * self.scale // base[1]

    def _reaching(self, low: int) -> _Quotient | None:
        """Return the smallest base at which the upper bounds sum up to `low`, None where they never do."""
        base = (low, self.total)
        numbers = {ratio: self._bounds(base, ratio)[1] for ratio in self.counts}
        missing = low - sum(numbers[ratio] * count for ratio, count in self.counts.items())
        nexts = [(self._key((number + 1, ratio)), ratio) for ratio, number in numbers.items() if number < self.most]
        heapify(nexts)
        while missing > 0 and nexts:
            _, ratio = heappop(nexts)
            numbers[ratio] += 1
            missing -= self.counts[ratio]
            base = numbers[ratio], ratio
            if numbers[ratio] < self.most:
                heappush(nexts, (self._key((numbers[ratio] + 1, ratio)), ratio))
        return base if missing <= 0 else None

    def _spread(self, total: int, bounds: dict[int, tuple[int, int]]) -> dict[int, int]:
        """Divide a sum: the whole part of what each is due within its bounds, then the rest by the largest remainders."""
        sums = {
            ratio: min(max(total * ratio // self.total, bounds[ratio][0]), bounds[ratio][1]) * count
            for ratio, count in self.counts.items()
        }
        rest = total - sum(sums.values())
        sign = 1 if rest > 0 else -1
        order = sorted(self.counts, key=lambda ratio: (-sign * (total * ratio % self.total), ratio))
        while rest:
            for ratio in order:
                edge = bounds[ratio][1 if sign > 0 else 0] * self.counts[ratio]
                moved = sign * min(abs(rest), self.counts[ratio], abs(edge - sums[ratio]))
                sums[ratio] += moved
                rest -= moved
        return sums


def _in_order(ratios: Sequence[int], counts: Counter[int], sums: dict[int, int]) -> tuple[int, ...]:
    """Give each ratio its number: the first of those with the same ratio get one more until the sum is reached."""
    seen: Counter[int] = Counter()
    found = []
    for ratio in ratios:
        number, more = divmod(sums[ratio], counts[ratio])
        found.append(number + (seen[ratio] < more))
        seen[ratio] += 1
    return tuple(found)
