"""What is reached when nobody recomputes weights while Pods scale."""

from dataclasses import dataclass, replace
from fractions import Fraction

from reconciler.core.shares.values import Course, Crowd


@dataclass(frozen=True, slots=True)
class Unattended:
    """What is reached when nobody recomputes: the reconciler stands still, and the HPA goes to its maximum of `pods`."""

    pods: int
    share: Fraction
    exposure: Fraction


def unattended(crowd: Crowd, total: int, pods: int, course: Course) -> Unattended:
    """Return the exposure at the HPA's maximum under written weights that sum up to `total`."""
    share = replace(crowd, pods=max(crowd.pods, pods)).share(total)
    return Unattended(max(crowd.pods, pods), share, course.exposure(share))
