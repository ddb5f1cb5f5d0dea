"""From a wanted share of the VMs to the smallest whole weights; or what is in the way, and the nearest that there is.

Of N Pods (weight 1 each) VMs of summed weight W get W / (W + N): for a share ``s`` W is N * s / (1 - s). A weight is at least
1, since istiod reads 0 as 1, so V selected VMs leave Pods at most N / (N + V); and W ends where weights end.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import ceil, floor

from reconciler.core.shares.ratios import apportion, largest, uneven
from reconciler.core.shares.values import UINT32_MAX, Course, Crowd, Limit, Limits, Rounding, Weights, percent

LIMITS = Limits()

#: The least and the greatest sum of weights to choose from, and what kept the range from lying within tolerance.
_Range = tuple[int, int, Limit | None]


def weights(crowd: Crowd, wanted: Fraction, rounding: Rounding = Rounding.NEAREST, limits: Limits = LIMITS) -> Weights:
    """Return the smallest weights that give the VMs a wanted share (0 to 1) within tolerance, in Git's ratio.

    An exact ratio goes before small numbers, the share before the ratio. Where no whole numbers are within tolerance, it is the
    nearest share on the side that `rounding` allows, and where that side has none, the nearest of all; `limit` says why.
    """
    ratios = crowd.serving
    if not ratios:
        is_near = abs(crowd.share(0) - wanted) <= limits.tolerance(wanted)
        return _result(crowd, {}, wanted, None if is_near else Limit.NO_VMS, limits)
    room = UINT32_MAX - crowd.others - crowd.fixed_vms - len(ratios)
    top = sum(largest([*ratios.values()], limits.weight, max(1, room)))
    low, high, limit = _range(crowd, wanted, rounding, limits, top)
    numbers = apportion([*ratios.values()], low, high, limits.slack, limits.weight)
    return _result(crowd, dict(zip(ratios, numbers, strict=True)), wanted, limit, limits)


def weights_on(crowd: Crowd, course: Course, exposure: Fraction, limits: Limits = LIMITS) -> Weights:
    """Return the weights for an exposure (0 to 1) on the way of a rollout, which is exceeded only where all weights do."""
    return weights(crowd, course.share(exposure), course.rounding(exposure), limits)


def pods_for(crowd: Crowd, wanted: Fraction) -> int | None:
    """Return how many Pods it takes to lower the VMs' share to what is wanted, weights at their least; None: no number does."""
    if not wanted:
        return None if crowd.serving or crowd.fixed_vms else 0
    least = len(crowd.serving) + crowd.fixed_vms
    return max(0, ceil(least * (1 - wanted) / wanted) - crowd.fixed_pods)


def vms_for(crowd: Crowd, wanted: Fraction) -> int:
    """Return how many of the VMs whose weight we write may stay selected at most for the Pods to reach what is wanted."""
    if wanted == 1:
        return len(crowd.serving)
    return max(0, min(len(crowd.serving), floor(_sum_for(crowd, wanted))))


def _sum_for(crowd: Crowd, share: Fraction) -> Fraction:
    return crowd.others * share / (1 - share) - crowd.fixed_vms


def _range(crowd: Crowd, wanted: Fraction, rounding: Rounding, limits: Limits, top: int) -> _Range:
    """Return the sums of weights within tolerance, or the one sum that comes nearest."""
    bottom = len(crowd.serving)
    if not crowd.others:
        return bottom, top, Limit.NO_PODS if wanted < 1 else None
    slip = limits.tolerance(wanted)
    least = wanted - (0 if rounding is Rounding.AT_LEAST else slip)
    greatest = wanted + (0 if rounding is Rounding.AT_MOST else slip)
    low = ceil(_sum_for(crowd, least)) if least < 1 else top + 1
    high = floor(_sum_for(crowd, greatest)) if greatest < 1 else top
    if low > top:
        return top, top, Limit.CEILING
    if high < bottom:
        return bottom, bottom, Limit.SELECTED
    if low <= high:
        return max(low, bottom), min(high, top), None
    nearest = _nearest(crowd, wanted, rounding, high, low)
    return nearest, nearest, Limit.WHOLE_NUMBERS


def _nearest(crowd: Crowd, wanted: Fraction, rounding: Rounding, below: int, above: int) -> int:
    if rounding is Rounding.NEAREST:
        return min(below, above, key=lambda total: abs(crowd.share(total) - wanted))
    return below if rounding is Rounding.AT_MOST else above


def _result(crowd: Crowd, found: Mapping[str, int], wanted: Fraction, limit: Limit | None, limits: Limits) -> Weights:
    ratios = crowd.serving
    share = crowd.share(sum(found.values()))
    why = _why(crowd, share, wanted, limit, limits) if limit else ""
    spread = uneven([*ratios.values()], [*found.values()])
    return Weights({**found, **dict(_of_those_down(crowd, found, limits))}, share, share - wanted, spread, limit, why)


def _of_those_down(crowd: Crowd, found: Mapping[str, int], limits: Limits) -> Iterator[tuple[str, int]]:
    per_ratio = Fraction(sum(found.values()) or 1, sum(crowd.serving.values()) or 1)
    for name in sorted(crowd.ratios.keys() & crowd.down):
        yield name, max(1, min(limits.weight, round(per_ratio * crowd.ratios[name])))


def _why(crowd: Crowd, share: Fraction, wanted: Fraction, limit: Limit, limits: Limits) -> str:
    """Say what keeps the wanted share out of reach, and what would help."""
    reached = f"the VMs get {percent(share)} instead of {percent(wanted)}"
    match limit:
        case Limit.NO_VMS:
            return f"{reached}: there is no VM whose weight can be written"
        case Limit.NO_PODS:
            return f"{reached}: there are no Pods yet"
        case Limit.CEILING:
            return f"{reached}: a VM's weight is at most {limits.weight:,}; take Pods out, or choose strategy subsets"
        case Limit.WHOLE_NUMBERS:
            return f"{reached}: no whole weights come nearer; more Pods make finer steps, strategy subsets is exact"
        case Limit.SELECTED:
            least = f"{len(crowd.serving) + crowd.fixed_vms} together"
            return f"{reached}: selected VMs weigh at least 1 each, {least}; {', or '.join(_ways_out(crowd, wanted))}"


def _ways_out(crowd: Crowd, wanted: Fraction) -> Iterator[str]:
    stay, pods = vms_for(crowd, wanted), pods_for(crowd, wanted)
    if stay or (not wanted and not crowd.fixed_vms):
        yield f"take VMs out one at a time until {stay or 'none'} {'is' if stay < 2 else 'are'} left"
    if pods:
        yield f"run at least {pods:,} Pods"
    yield "choose strategy subsets"
