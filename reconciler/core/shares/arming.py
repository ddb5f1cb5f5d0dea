"""Weights for Pods that are not there yet, and what Pods that nobody reckoned with would get."""

from dataclasses import dataclass, replace
from fractions import Fraction

from reconciler.core.shares.values import Course, Crowd, Limits, Weights
from reconciler.core.shares.weighing import LIMITS, weights_on


@dataclass(frozen=True, slots=True)
class Armed:
    """Weights under which the first Pods may start: `pods` of them together reach `exposure`, the first step's at most.

    Up to `most` Pods stay within the first step (None: any number does).
    """

    found: Weights
    pods: int
    exposure: Fraction
    most: int | None

    def overrun(self, pods: int) -> str:
        """Say what so many Pods mean for the step: empty while they stay within it, else that it holds."""
        if self.most is None or pods <= self.most:
            return ""
        return (
            f"{pods:,} Pods are there, weights are armed for {self.pods:,} (expectPods): the step holds until they are raised"
        )


def armed(crowd: Crowd, pods: int, course: Course, first: Fraction, limits: Limits = LIMITS) -> Armed:
    """Return weights for Pods to come, so that all together stay within the exposure of the first step (above 0, up to 1).

    `pods` are how many are expected (`expectPods`, else the maximum of the HPA, else the replicas of the Deployment).
    """
    expected = replace(crowd, pods=pods)
    found = weights_on(expected, course, first, limits)
    return Armed(found, pods, course.exposure(found.share), _most(expected, found, course.share(first)))


def _most(crowd: Crowd, found: Weights, share: Fraction) -> int | None:
    mine = sum(found.weights.values()) + crowd.fixed_vms
    return int(mine * (1 - share) / share) - crowd.fixed_pods if share else None


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
