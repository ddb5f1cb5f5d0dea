"""Which endpoints change in which step: updates in place, VMs that leave, VMs that come.

Rounding: a step takes as many endpoints, in the given order, as stay within its exposure. The first takes at least one, steps
below that are merged into it; the last takes all the rest, and leaves nothing over. No step before the last takes the last
endpoint, however small its share: what is still as it was is what a canary is compared with.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from reconciler.core.rollouts.policy import PolicyStep, Unreachable
from reconciler.core.shares.steps import Reached, reachable
from reconciler.core.shares.values import Course, Crowd


@dataclass(frozen=True, slots=True)
class Group:
    """The endpoints that change in a step: waves one after the other, those of one wave at once."""

    reached: Reached
    waves: tuple[tuple[str, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for wave in self.waves for name in wave)


@dataclass(frozen=True, slots=True)
class Groups:
    """All groups of a change in order; none where nothing changes, or where `refused` says why the policy must change."""

    groups: tuple[Group, ...]
    refused: str = ""


def grouped(
    order: Sequence[str],
    exposures: Sequence[Fraction],
    steps: Sequence[PolicyStep],
    unreachable: Unreachable = Unreachable.MERGE,
    at_once: int | None = None,
) -> Groups:
    """Spread endpoints over steps. `exposures` are those after the first, the first two, ... of them; they never fall.

    `at_once` bounds how many change in one wave (1: one by one).
    """
    if not order:
        return Groups(())
    before_last = exposures[:-1]

    def count(exposure: Fraction) -> int:
        return bisect_right(before_last, exposure) if exposure < 1 else len(order)

    def reach(exposure: Fraction) -> Fraction:
        if len(order) == 1:
            return Fraction(1)
        return exposures[max(1, count(exposure)) - 1]

    found = reachable(steps, reach, unreachable)
    bounds = [0, *(count(one.step.exposure) for one in found.steps)]
    size = at_once or len(order)
    return Groups(
        tuple(
            Group(one, tuple(tuple(order[at : min(at + size, end)]) for at in range(begin, end, size)))
            for one, begin, end in zip(found.steps, bounds, bounds[1:], strict=False)
        ),
        found.refused,
    )


def by_part(parts: Mapping[str, int | Fraction]) -> tuple[str, ...]:
    """Order endpoints for their steps: who serves least goes first, then by name."""
    return tuple(sorted(parts, key=lambda name: (parts[name], name)))


def of_updates(order: Sequence[str], shares: Mapping[str, Fraction]) -> tuple[Fraction, ...]:
    """Return the exposures of updates in place: the summed share of requests that changed endpoints serve.

    One that serves nothing now may serve as soon as it is changed: it counts as one of all that change.
    """
    return tuple(accumulate(shares[name] or Fraction(1, len(order)) for name in order))


def of_departures(order: Sequence[str], weights: Mapping[str, int], crowd: Crowd, course: Course) -> tuple[Fraction, ...]:
    """Return the exposures when VMs of these weights leave one after the other: how far along the way the rest's share is.

    Without a way (no Pods, so the VMs' share is always 1): the part of the leaving VMs' requests that has moved.
    """
    gone = list(accumulate(weights[name] for name in order))
    total = sum(weights.values())
    if course.is_level:
        return tuple(Fraction(one, gone[-1]) for one in gone)
    return tuple(course.exposure(crowd.share(total - one)) for one in gone)


def of_arrivals(order: Sequence[str], weights: Mapping[str, int], crowd: Crowd, course: Course) -> tuple[Fraction, ...]:
    """Return the exposures when VMs come one after the other; `weights` are those of all VMs in the end.

    Without a way: what the new VMs serve against what they serve in the end.
    """
    come = list(accumulate(weights[name] for name in order))
    before = sum(weights.values()) - sum(weights[name] for name in order)
    if course.is_level:
        served = [Fraction(one, before + one) for one in come]
        return tuple(one / served[-1] for one in served)
    return tuple(course.exposure(crowd.share(before + one)) for one in come)
