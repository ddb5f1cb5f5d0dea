"""Counts, windows and histograms: nothing gets in that is no count."""

from datetime import timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.judge import Counts, Histogram, Window
from tests.core.judge.flows import START

SORTED = st.lists(st.integers(0, 50), min_size=1, max_size=8)


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    ("requests", "failures"),
    [(nan, 0), (1, nan), (inf, 0), (inf, inf), (-1, 0), (1, -1), (1, 2), (0, 1), (2.0**53, 0), (nan, nan)],
)
def test_what_is_no_count_is_refused(requests: float, failures: float) -> None:
    """NaN and infinity above all, which compare false and so would pass a bound."""
    with pytest.raises(ValueError, match="cannot be"):
        Counts(requests, failures)


def test_all_requests_may_fail_also_after_rounding() -> None:
    """Two sums over the same floats differ in the last digit."""
    assert Counts(0.3, 0.1 + 0.2).rate == pytest.approx(1)
    assert Counts().rate == 0


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1)])
def test_a_window_ends_after_it_begins(length: timedelta) -> None:
    """Else a clock has been put back."""
    with pytest.raises(ValueError, match="is none"):
        Window(START, START + length, Counts(), Counts())


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    "buckets",
    [
        (),
        ((1.0, 2.0),),
        ((1.0, 2.0), (nan, 3.0)),
        ((nan, 2.0), (inf, 3.0)),
        ((1.0, nan), (inf, 3.0)),
        ((1.0, 2.0), (inf, nan)),
        ((1.0, 2.0), (inf, inf)),
        ((1.0, -1.0), (inf, 3.0)),
        ((1.0, 3.0), (inf, 2.0)),
        ((1.0, 2.0), (1.0, 2.0), (inf, 3.0)),
        ((2.0, 2.0), (1.0, 2.0), (inf, 3.0)),
    ],
)
def test_what_is_no_histogram_is_refused(buckets: tuple[tuple[float, float], ...]) -> None:
    """Edges rise to infinity, and counts do not fall."""
    with pytest.raises(ValueError, match=r"histogram|cannot be"):
        Histogram(buckets)


def test_a_count_that_falls_by_rounding_is_no_fall() -> None:
    """Prometheus extrapolates each bucket for itself."""
    found = Histogram(((1.0, 0.1 + 0.2), (inf, 0.3))).slower_than(1.0)
    assert found == Counts(0.3, 0.0)


@given(durations=SORTED, edges=st.sets(st.integers(0, 50), min_size=1), percent=st.integers(0, 100))
def test_a_histogram_knows_as_much_as_the_durations_behind_it_at_its_edges(
    durations: list[int], edges: set[int], percent: int
) -> None:
    """Counted one by one."""
    found = Histogram((*((float(edge), _within(durations, edge)) for edge in sorted(edges)), (inf, float(len(durations)))))
    for edge in edges:
        assert found.slower_than(edge) == Counts(len(durations), sum(one > edge for one in durations))
    fitting = [edge for edge in edges if _within(durations, edge) * 100 >= percent * len(durations)]
    assert found.edge_of(percent / 100) == (min(fitting) if fitting else max(edges))


def _within(durations: list[int], edge: int) -> float:
    return float(sum(one <= edge for one in durations))


def test_there_is_no_edge_without_requests_or_without_edges_nor_a_count_between_edges() -> None:
    """Nothing is made up."""
    assert Histogram(((1.0, 0.0), (inf, 0.0))).edge_of(0.5) is None
    assert Histogram(((inf, 3.0),)).edge_of(0.5) is None
    with pytest.raises(ValueError, match="no bucket ends at 2"):
        Histogram(((1.0, 1.0), (inf, 3.0))).slower_than(2.0)
