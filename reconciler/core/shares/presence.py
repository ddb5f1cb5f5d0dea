"""Who serves at a moment, with which weights: the loads that follow, and how much of them a write may move."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from reconciler.core.shares.values import Crowd


@dataclass(frozen=True, slots=True)
class Presence:
    """What is there: weights of all selected VMs as Envoy counts them (0 is 1), VMs that are `down`, Pods that serve."""

    weights: Mapping[str, int]
    pods: int = 0
    down: AbstractSet[str] = frozenset()
    fixed_vms: int = 0
    fixed_pods: int = 0

    @property
    def serving(self) -> dict[str, int]:
        """The weights of the VMs that serve."""
        return {name: weight for name, weight in self.weights.items() if name not in self.down}

    @property
    def total(self) -> int:
        """The summed weight of all that serves."""
        return sum(self.serving.values()) + self.fixed_vms + self.fixed_pods + self.pods

    @property
    def share(self) -> Fraction:
        """The share of requests that the VMs really get."""
        return Crowd({}, self.pods, self.fixed_vms, self.fixed_pods).share(sum(self.serving.values()))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest load of each endpoint, as a share of all requests. None: a Pod had no load to compare with."""

    vms: Mapping[str, Fraction]
    pod: Fraction | None

    def hold(self, presence: Presence) -> bool:
        """Tell whether no endpoint that serves gets more."""
        total = presence.total
        if presence.pods and self.pod is not None and self.pod * total < 1:
            return False
        bounded = ((weight, self.vms[name]) for name, weight in presence.serving.items() if name in self.vms)
        return all(weight * bound.denominator <= bound.numerator * total for weight, bound in bounded)


def bounds(ratios: Mapping[str, int], start: Presence, now: Presence, most: Fraction) -> Bounds:
    """Return the bounds for a write: `most` times the load at the step's start, or today's load where that is more already.

    Loads are shares of requests, so they compare like with like while traffic as a whole stays the same. A VM that did not
    serve at the start is measured by the most loaded one for its ratio.
    """
    before, today = start.serving, now.serving
    total_before, total_today = start.total, now.total
    heaviest = max((Fraction(before[name], max(1, ratio)) for name, ratio in ratios.items() if name in before), default=None)
    pod = max(most / total_before, Fraction(1, total_today)) if start.pods and now.pods else None
    if heaviest is None:
        return Bounds({}, pod)

    @cache
    def bound(first: int | None, ratio: int, weight: int) -> Fraction:
        measure = heaviest * max(1, ratio) if first is None else Fraction(first)
        return max(most * measure / total_before, Fraction(weight, total_today or 1))

    return Bounds({name: bound(before.get(name), ratio, today.get(name, 0)) for name, ratio in ratios.items()}, pod)
