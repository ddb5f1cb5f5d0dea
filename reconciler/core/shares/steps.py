"""The steps of a policy against what can be reached: merged where the smallest exposure that there is exceeds them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from reconciler.core.rollouts.policy import PolicyStep, Unreachable
from reconciler.core.shares.values import Course, Crowd, Limits, percent
from reconciler.core.shares.weighing import LIMITS, weights_on

#: Returns the largest exposure that can be reached without exceeding the given one; the smallest of all where that exceeds it.
Reach = Callable[[Fraction], Fraction]


@dataclass(frozen=True, slots=True)
class Reached:
    """A step with the exposure that is really reached in it, and the exposures of the steps that were merged into it."""

    step: PolicyStep
    exposure: Fraction
    merged: tuple[Fraction, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reachable:
    """The steps of a rollout in order. Where `refused` says why there are none, the policy must change."""

    steps: tuple[Reached, ...]
    refused: str = ""


def reachable(steps: Sequence[PolicyStep], reach: Reach, unreachable: Unreachable = Unreachable.MERGE) -> Reachable:
    """Merge each step that is below the smallest reachable exposure into the first that is not, or refuse them.

    A merged step keeps its promises: holds add up, all gates must pass, one approval stays an approval, the longest cover
    counts. The last step, the wanted state itself, is always there; what it really reaches may be less, or a little more.
    Exposures grow and end at 1, else ValueError.
    """
    if not steps or steps[-1].exposure != 1 or any(one.exposure >= other.exposure for one, other in pairwise(steps)):
        raise ValueError("the exposures of steps must grow and end at 1")
    found = tuple(_merged(steps, reach))
    refused = [one for one in found if one.merged]
    if refused and unreachable is Unreachable.REFUSE:
        return Reachable((), f"{refused[0].why}: make the step larger, or set unreachable: merge")
    return Reachable(found)


def by_weights(crowd: Crowd, course: Course, limits: Limits = LIMITS) -> Reach:
    """Return what endpoint weights reach, with the VMs and Pods that are there now."""
    return lambda exposure: course.exposure(weights_on(crowd, course, exposure, limits).share)


def _merged(steps: Sequence[PolicyStep], reach: Reach) -> Iterator[Reached]:
    smallest = reach(steps[0].exposure)
    waiting: list[PolicyStep] = []
    for step in steps:
        found = reach(step.exposure)
        if step.exposure < 1 and found > step.exposure:
            waiting.append(step)
            continue
        yield _with(waiting, step, found, smallest) if waiting else Reached(step, found)
        waiting = []


def _with(waiting: Sequence[PolicyStep], last: PolicyStep, found: Fraction, smallest: Fraction) -> Reached:
    every = (*waiting, last)
    step = PolicyStep(
        exposure=last.exposure,
        hold=sum((one.hold for one in every), timedelta(0)),
        gates=tuple(dict.fromkeys(gate for one in every for gate in one.gates)),
        approval=any(one.approval for one in every),
        cover=max(one.cover for one in every),
    )
    merged = tuple(one.exposure for one in waiting)
    said = f"{' and '.join(percent(one) for one in merged)} merged into {percent(last.exposure)}"
    return Reached(step, found, merged, f"the smallest exposure that can be reached is {percent(smallest)}: {said}")
