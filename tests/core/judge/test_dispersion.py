"""Dispersion: how many failures weigh as much as one, learned from the stable arm."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.judge import Counts
from reconciler.core.judge.dispersion import MEMORY, UNKNOWN, Dispersion, Sums

WINDOWS = st.lists(st.builds(Counts, st.integers(1, 100).map(float), st.just(0.0) | st.just(1.0)), max_size=70)


def learned(windows: list[Counts]) -> Dispersion:
    """From these, one by one."""
    found = Dispersion()
    for one in windows:
        found = found.add(one)
    return found


def bursts(count: int, size: int, length: int = 1, seed: int = 5) -> list[Counts]:
    """Windows of 1,000 requests with 8 failures on average, in bursts of one size, each spread over some windows."""
    random = Random(seed)
    failures = [0] * (count + length)
    for window in range(count):
        # Eighty chances, one in ten of which begins a burst when bursts are single failures.
        for _ in range(sum(random.random() < 0.1 / size for _ in range(80))):
            for _ in range(size):
                failures[window + random.randrange(length)] += 1
    return [Counts(1000, one) for one in failures[:count]]


def test_without_a_word_of_the_stable_arm_bursts_are_assumed() -> None:
    """Few windows are not a licence to convict."""
    assert Dispersion().value == UNKNOWN
    assert learned([Counts(1000, 0)] * 50).value == UNKNOWN
    assert learned([Counts(0, 0)] * 50) == Dispersion()


def test_failures_that_come_singly_have_dispersion_one_and_bursts_their_size() -> None:
    """The largest of five scales, so a little above; seeded, with wide bounds."""
    assert 1 <= learned(bursts(400, 1)).value < 2
    assert 4.5 < learned(bursts(400, 6)).value < 12
    assert 20 < learned(bursts(400, 30)).value < 60


def test_incidents_of_several_windows_are_seen_as_what_they_are() -> None:
    """One scale would take 40 failures that are spread over eight windows for bursts of about 5."""
    found = learned(bursts(900, 40, length=8))
    assert found.scales[0].estimate(1.0) < 10
    assert found.value > 20


def test_equal_counts_are_taken_for_no_less_than_independent() -> None:
    """The floor is 1."""
    assert learned([Counts(1000, 50)] * 600).value == 1


def test_a_rate_that_moves_with_the_hour_is_no_burst() -> None:
    """From 30 to 150 failures a minute and back within a day."""
    day = [30 + 120 * abs(720 - minute) / 720 for minute in range(1440)]
    assert learned([Counts(10_000, one) for one in day]).value < 1.5


def test_traffic_that_moves_is_no_burst_either() -> None:
    """A hundred times the requests have a hundred times the failures."""
    assert learned([Counts(1000 * factor, 10 * factor) for factor in (1, 100) * 100]).value < 1.5


@settings(deadline=None)
@given(windows=WINDOWS)
def test_pairs_of_blocks_of_every_scale_are_compared_and_nothing_else(windows: list[Counts]) -> None:
    """Counted out again from the whole list; of a short list, which nothing of is forgotten."""
    found = learned(windows)
    blocks = windows
    for scale in found.scales:
        pairs = list(zip(blocks[::2], blocks[1::2], strict=False))
        sums = sum((Sums.of(*pair) for pair in pairs), Sums())
        known = scale.newer + scale.older
        assert known.pairs == sums.pairs
        assert known.squares == pytest.approx(sums.squares)
        assert known.variances == pytest.approx(sums.variances)
        blocks = [first + second for first, second in pairs]


def test_one_incident_does_not_blind_for_ever() -> None:
    """It is forgotten between one and two times the memory later; until then it counts."""
    quiet, incident = [Counts(1000, 8)] * MEMORY, [Counts(1000, 800)]
    found = learned([*quiet[:100], *incident, *quiet[:100]])
    assert found.value > 50
    for _ in range(2 * MEMORY):
        found = found.add(Counts(1000, 8))
    assert found.value == 1
