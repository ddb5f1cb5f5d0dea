"""The values that the arithmetic of shares takes and gives: who is there, what is wanted, what weights reach."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

#: Envoy adds the weights of a locality up in 32 bits, and istiod clips the sum there.
UINT32_MAX = 2**32 - 1


class Rounding(StrEnum):
    """On which side of the wanted share of the VMs the reached one may lie."""

    NEAREST = "nearest"
    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True, slots=True)
class Limits:
    """How near is near enough, and how large a weight may get.

    A share is within tolerance when it is off by at most `points`, and by at most `part` of the smaller of the two sides: one
    percent that became two would be twice the exposure. `slack` is by how much more than another a VM may get for the same
    ratio before the ratio counts as broken (above 0). `weight` bounds the weight of one VM.
    """

    points: Fraction = Fraction(1, 100)
    part: Fraction = Fraction(1, 10)
    slack: Fraction = Fraction(1, 5)
    weight: int = 1_000_000

    def tolerance(self, share: Fraction) -> Fraction:
        """Return by how much a wanted share (0 to 1) may be missed."""
        return min(self.points, self.part * min(share, 1 - share))


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who divides the requests of one service port, as numbers.

    `ratios` names the VMs whose weights we write, each with the weight in Git: with a split it says only the ratio among VMs
    (0 counts as 1). `pods` are the Pods that count, each of weight 1. `fixed_vms` and `fixed_pods` are summed weights that we
    cannot write: entries that istiod registered itself, endpoints of other clusters. The VMs that are `down` get a weight in
    the ratio, for when they are back, and count for nothing.
    """

    ratios: Mapping[str, int]
    pods: int = 0
    fixed_vms: int = 0
    fixed_pods: int = 0
    down: AbstractSet[str] = frozenset()

    @property
    def serving(self) -> dict[str, int]:
        """The ratios of the VMs that count, by name in order."""
        return {name: max(1, self.ratios[name]) for name in sorted(self.ratios) if name not in self.down}

    @property
    def others(self) -> int:
        """The summed weight of all that is no VM."""
        return self.pods + self.fixed_pods

    def share(self, total: int) -> Fraction:
        """Return the share of the VMs, W / (W + N), when the weights of those that count sum up to `total`; 0 for nobody."""
        mine = total + self.fixed_vms
        return Fraction(mine, mine + self.others) if mine + self.others else Fraction(0)


class Limit(StrEnum):
    """Why a wanted share is not reached within tolerance; a code never changes its meaning."""

    NO_VMS = "no-vms"
    NO_PODS = "no-pods"
    SELECTED = "selected"
    CEILING = "ceiling"
    WHOLE_NUMBERS = "whole-numbers"


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights to write, and what they reach by prediction.

    `share` is that of all VMs, `error` how much it is above what was wanted. `uneven` is how much more than another a VM gets
    for the same ratio (0: exactly Git's ratio). Where the wanted share is not reached within tolerance, `limit` and `why` say
    what is in the way and what helps, and `share` is the nearest that there is.
    """

    weights: Mapping[str, int]
    share: Fraction
    error: Fraction
    uneven: Fraction = Fraction(0)
    limit: Limit | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """The way of a rollout, in shares of the VMs: from where it started to where Git wants it."""

    start: Fraction
    wanted: Fraction

    @property
    def is_level(self) -> bool:
        return self.start == self.wanted

    def share(self, exposure: Fraction) -> Fraction:
        """Return the share at an exposure: ``start + exposure * (wanted - start)``."""
        return self.start + exposure * (self.wanted - self.start)

    def exposure(self, share: Fraction) -> Fraction:
        """Return how far along a share is. Below 0 and above 1 lie outside the way; a way of no length is at its end."""
        return Fraction(1) if self.is_level else (share - self.start) / (self.wanted - self.start)

    def rounding(self, exposure: Fraction) -> Rounding:
        """Return the side on which an exposure is not exceeded. At the end it is what Git wants: as near as possible."""
        if exposure >= 1 or self.is_level:
            return Rounding.NEAREST
        return Rounding.AT_LEAST if self.wanted < self.start else Rounding.AT_MOST


def percent(share: Fraction) -> str:
    """Write a share for a person: ``12.5%``; what is not quite nothing or all is not written as if it were."""
    text = f"{float(share * 100):.4g}%"
    match text, 0 < share < 1:
        case "100%", True:
            return "more than 99.99%"
        case _, True if share < Fraction(1, 10_000):
            return "less than 0.01%"
    return text
