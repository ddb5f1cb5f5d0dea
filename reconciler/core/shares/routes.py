"""Route weights for the strategy `subsets`: whole numbers that give exact percentages."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

#: Sums that a person reads as percent, or as percent with so many digits. Istio's route weights are relative to their sum.
_READABLE = (100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class RouteWeights:
    """Whole numbers for the destinations of a route, and by how much the worst share is off (0 but for unheard-of shares)."""

    weights: Mapping[str, int]
    error: Fraction = Fraction(0)


def route_weights(shares: Mapping[str, Fraction]) -> RouteWeights:
    """Return the weights of destinations for their shares, which sum up to 1 (else ValueError).

    They sum up to 100 where that is exact, else to 1,000 and so on, else to what the fractions need (1/3 is 1 of 3). Beyond a
    million they are rounded, and who has a share keeps a weight; 0 stays 0.
    """
    if sum(shares.values()) != 1 or min(shares.values()) < 0:
        raise ValueError("the shares of a route's destinations must sum up to 1")
    needed = lcm(*(share.denominator for share in shares.values()))
    total = next((one for one in _READABLE if one % needed == 0), needed)
    if total <= _READABLE[-1]:
        return RouteWeights({name: int(share * total) for name, share in shares.items()})
    return _rounded(shares, _READABLE[-1])


def _rounded(shares: Mapping[str, Fraction], total: int) -> RouteWeights:
    """Give each the whole part, at least 1 where it has a share; the largest takes what is left over."""
    found = {name: max(1, int(share * total)) if share else 0 for name, share in shares.items()}
    largest = max(found, key=lambda name: found[name])
    found[largest] += total - sum(found.values())
    return RouteWeights(found, max(abs(Fraction(found[name], total) - share) for name, share in shares.items()))
