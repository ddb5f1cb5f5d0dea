"""Lowering the weights of endpoints before they change in place, so that fewer requests see the change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from reconciler.core.shares.ratios import apportion
from reconciler.core.shares.values import Crowd, Limits, Rounding
from reconciler.core.shares.weighing import LIMITS, weights


@dataclass(frozen=True, slots=True)
class Lowered:
    """Weights of all VMs, and the share of requests that those about to change get together."""

    weights: Mapping[str, int]
    share: Fraction


def lowered(
    crowd: Crowd, written: Mapping[str, int], names: Collection[str], exposure: Fraction, limits: Limits = LIMITS
) -> Lowered:
    """Take weight off VMs until they get an exposure at most, or as near to it as there is; what does not help is not done.

    The other VMs take over. Where there are Pods the sum of weights stays, and with it the split; then a VM keeps at least
    1 of the sum of all weights. VMs alone may weigh what they like. With no other VM there is nobody to take over.
    """
    serving = crowd.serving
    changing = {name: ratio for name, ratio in serving.items() if name in names}
    staying = {name: ratio for name, ratio in serving.items() if name not in names}
    mine, vms = (sum(written[name] for name in some) for some in (changing, serving))
    total = vms + crowd.fixed_vms + crowd.others
    if not staying or mine <= exposure * total:
        return Lowered(written, Fraction(mine, total) if total else Fraction(0))
    if total > vms:
        kept = min(mine, max(len(changing), floor(exposure * total)))
        found = {**_divided(changing, kept, limits), **_divided(staying, vms - kept, limits)}
        return Lowered({**written, **found}, Fraction(kept, total))
    least = weights(Crowd(changing), Fraction(1), limits=limits).weights
    rest = weights(Crowd(staying, fixed_pods=sum(least.values())), 1 - exposure, Rounding.AT_LEAST, limits)
    return Lowered({**written, **least, **rest.weights}, 1 - rest.share)


def _divided(ratios: Mapping[str, int], total: int, limits: Limits) -> dict[str, int]:
    numbers = apportion([*ratios.values()], total, total, limits.slack, limits.weight)
    return dict(zip(ratios, numbers, strict=True))
