"""What the demo calls as predicted, and what not."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.demo.measured import Era, Row, interval
from tests.demo.splits import era, split


@given(st.fractions(0, 1), st.integers(1, 100_000))
def test_an_interval_holds_the_share_and_shrinks_with_requests(share: Fraction, requests: int) -> None:
    """The more requests, the less it forgives."""
    low, high = interval(share, requests)
    assert 0 <= low <= float(share) <= high <= 1
    more = interval(share, 4 * requests)
    assert more[1] - more[0] <= high - low


def test_an_interval_holds_what_is_drawn() -> None:
    """Of a thousand runs of 500 requests, one falls outside in the mean: here at most five do."""
    drawn = random.Random(7)
    low, high = interval(Fraction(1, 10), 500)
    outside = sum(not low <= sum(drawn.random() < 0.1 for _ in range(500)) / 500 <= high for _ in range(1_000))
    assert outside <= 5


@pytest.mark.parametrize(
    ("found", "faults"),
    [
        (era(9, 1, vm=900, pod=100), 0),
        (era(9, 1, vm=1_000), 2),  # the Pod got nothing
        (era(9, 1, vm=500, pod=500), 2),  # even shares instead of weights
        (era(1, 0, vm=1_000, pod=1), 2),  # somebody answered who is no endpoint any more
        (era(1, 0, vm=1_000), 0),
        (era(9, 1), 0),  # too short for any request
        (era(9, 1, vm=2), 0),  # too few to tell
    ],
)
def test_shares_outside_of_their_interval_are_faults(found: Era, faults: int) -> None:
    """Each address is held against its own prediction; one with no share must not answer at all."""
    assert len(list(found.faults())) == faults


def test_a_row_takes_the_eras_of_its_endpoints_alone() -> None:
    """Others are in force before and after, and weights of one proportion are one set of endpoints."""
    eras = [era(1, 0, vm=50), era(9, 1, vm=90, pod=10), era(18, 2, vm=91, pod=9), era(1, 1, vm=30, pod=30)]
    row = Row.of("1 of 2", Fraction(1, 10), split(9, 1), eras)
    assert (row.requests, row.measured, row.holds) == (200, 0.095, True)
    assert row.cells()[:4] == ("1 of 2", "10%", "10.0 %", "9.5 %")


def test_a_row_without_requests_does_not_hold() -> None:
    """A step that nobody has measured is not as predicted."""
    assert not Row.of("1 of 2", Fraction(1, 10), split(9, 1), [era(1, 1, vm=5, pod=5)]).holds
