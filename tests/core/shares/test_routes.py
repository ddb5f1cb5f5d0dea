"""Route weights for exact percentages."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.shares import RouteWeights, route_weights


@pytest.mark.parametrize(
    ("pods", "weights"),
    [
        ("0", (100, 0)),
        ("1", (0, 100)),
        ("1/100", (99, 1)),
        ("7/10", (30, 70)),
        ("1/8", (875, 125)),
        ("1/1000", (999, 1)),
        ("1/3", (2, 1)),
        ("1/700", (699, 1)),
    ],
)
def test_percent_are_percent(pods: str, weights: tuple[int, int]) -> None:
    """Finer sums only where the percentage has digits; what has no decimal form is written as a fraction."""
    share = Fraction(pods)
    assert route_weights({"vm": 1 - share, "pod": share}) == RouteWeights({"vm": weights[0], "pod": weights[1]})


@given(parts=st.lists(st.integers(0, 10**9), min_size=1, max_size=5).filter(any))
def test_every_destination_gets_its_share(parts: list[int]) -> None:
    """Exactly up to a million in all, off by less than a millionth each beyond; nobody loses or gains a share altogether."""
    shares = {str(at): Fraction(part, sum(parts)) for at, part in enumerate(parts)}
    found = route_weights(shares)
    total = sum(found.weights.values())
    assert total <= 1_000_000
    errors = [abs(Fraction(weight, total) - shares[name]) for name, weight in found.weights.items()]
    assert found.error == max(errors) < Fraction(len(parts), 1_000_000)
    assert all((weight > 0) is (shares[name] > 0) for name, weight in found.weights.items())


@pytest.mark.parametrize("shares", [{"vm": Fraction(1, 2)}, {"vm": Fraction(3, 2), "pod": Fraction(-1, 2)}])
def test_shares_that_do_not_make_one_are_a_mistake(shares: dict[str, Fraction]) -> None:
    """Of the caller."""
    with pytest.raises(ValueError, match="must sum up to 1"):
        route_weights(shares)
