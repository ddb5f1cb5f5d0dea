"""Whole numbers in a ratio, held against every combination there is."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import gcd

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.shares.ratios import apportion, largest, uneven

MOST = 9
RATIOS = st.lists(st.integers(1, 7), min_size=1, max_size=3)
SLACKS = st.sampled_from([Fraction(1, 10), Fraction(1, 5), Fraction(1, 3), Fraction(1)])


def badness(ratios: Sequence[int], numbers: Sequence[int], slack: Fraction) -> int:
    """0 for the exact ratio, else how often the slack must be doubled, counted from 1."""
    spread = max(Fraction(n, r) for n, r in zip(numbers, ratios, strict=True)) / min(
        Fraction(n, r) for n, r in zip(numbers, ratios, strict=True)
    )
    allowed, times = Fraction(0), 0
    while spread > 1 + allowed:
        allowed, times = slack * 2**times, times + 1
    return times


@settings(deadline=None)
@given(ratios=RATIOS, slack=SLACKS, data=st.data())
def test_no_other_numbers_are_better(ratios: list[int], slack: Fraction, data: st.DataObject) -> None:
    """Of all numbers with a sum in the range: the ratio first, then the smallest sum."""
    low = data.draw(st.integers(len(ratios), MOST * len(ratios)))
    high = data.draw(st.integers(low, MOST * len(ratios)))
    every = [one for one in product(range(1, MOST + 1), repeat=len(ratios)) if low <= sum(one) <= high]
    best = min((badness(ratios, one, slack), sum(one)) for one in every)
    found = apportion(ratios, low, high, slack, MOST)
    assert found in every
    assert (badness(ratios, found, slack), sum(found)) == best


@settings(deadline=None)
@given(ratios=st.lists(st.integers(1, 10**6), min_size=1, max_size=40), data=st.data())
def test_any_ratio_finds_numbers(ratios: list[int], data: st.DataObject) -> None:
    """However large and unlike: within the range, the bound and 1, the same every time, alike ratios off by 1 at most."""
    low = data.draw(st.integers(len(ratios), 100 * len(ratios)))
    found = apportion(ratios, low, low + 3, Fraction(1, 5), 100)
    assert low <= sum(found) <= low + 3
    assert all(1 <= one <= 100 for one in found)
    assert found == apportion(ratios, low, low + 3, Fraction(1, 5), 100)
    for ratio in set(ratios):
        alike = [number for number, one in zip(found, ratios, strict=True) if one == ratio]
        assert max(alike) - min(alike) <= 1


@settings(deadline=None)
@given(ratios=RATIOS, most=st.integers(1, 40), total=st.integers(1, 100))
def test_the_largest_numbers(ratios: list[int], most: int, total: int) -> None:
    """Multiples of the ratio up to the bounds where there is one; numbers near the ratio where not even one fits."""
    found = largest(ratios, most, total)
    shrunk = [ratio // gcd(*ratios) for ratio in ratios]
    times = [k for k in range(1, 101) if k * max(shrunk) <= most and k * sum(shrunk) <= total]
    if times:
        assert found == tuple(max(times) * one for one in shrunk)
    assert all(1 <= one <= most for one in found)
    assert sum(found) <= max(total, len(found)) + len(found)


def test_uneven_is_the_surplus_of_the_best_off() -> None:
    """Of 3 and 2 for equal ratios one gets half as much again."""
    assert uneven([1, 1], [3, 2]) == Fraction(1, 2)
    assert uneven([1, 2], [2, 4]) == 0
    assert uneven([], []) == 0
