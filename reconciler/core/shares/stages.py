"""The steps of a policy against what can be reached: merged where the smallest exposure that there is exceeds them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from reconciler.core.shares.values import Crowd, Limits, Way, percent
from reconciler.core.shares.weighing import LIMITS, weights_on

#: Returns the largest exposure that can be reached without exceeding the given one; the smallest of all where that exceeds it.
Reach = Callable[[Fraction], Fraction]


class Unreachable(StrEnum):
    """What becomes of a step below the smallest reachable exposure."""

    MERGE = "merge"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step as a policy says it: the exposure (above 0, up to 1), and what must hold before the next one.

    `hold` is how long it stays at least, `cover` over how much of the day its samples must be spread.
    """

    exposure: Fraction
    hold: timedelta = timedelta(0)
    gates: tuple[str, ...] = ()
    approval: bool = False
    cover: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Reached:
    """A stage with the exposure that is really reached in it, and the exposures of the steps that were merged into it."""

    stage: Stage
    exposure: Fraction
    merged: tuple[Fraction, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages of a rollout in order. Where `refused` says why there are none, the policy must change."""

    stages: tuple[Reached, ...]
    refused: str = ""


def reachable(stages: Sequence[Stage], reach: Reach, unreachable: Unreachable = Unreachable.MERGE) -> Stages:
    """Merge each step that is below the smallest reachable exposure into the first that is not, or refuse them.

    A merged step keeps its promises: holds add up, all gates must pass, one approval stays an approval, the longest cover
    counts. The last step, the wanted state itself, is always there; what it really reaches may be less, or a little more.
    Exposures grow and end at 1, else ValueError.
    """
    if not stages or stages[-1].exposure != 1 or any(one.exposure >= other.exposure for one, other in pairwise(stages)):
        raise ValueError("the exposures of steps must grow and end at 1")
    found = tuple(_merged(stages, reach))
    refused = [one for one in found if one.merged]
    if refused and unreachable is Unreachable.REFUSE:
        return Stages((), f"{refused[0].why}: make the step larger, or set unreachable: merge")
    return Stages(found)


def by_weights(crowd: Crowd, way: Way, limits: Limits = LIMITS) -> Reach:
    """Return what endpoint weights reach, with the VMs and Pods that are there now."""
    return lambda exposure: way.exposure(weights_on(crowd, way, exposure, limits).share)


def _merged(stages: Sequence[Stage], reach: Reach) -> Iterator[Reached]:
    smallest = reach(stages[0].exposure)
    waiting: list[Stage] = []
    for stage in stages:
        found = reach(stage.exposure)
        if stage.exposure < 1 and found > stage.exposure:
            waiting.append(stage)
            continue
        yield _with(waiting, stage, found, smallest) if waiting else Reached(stage, found)
        waiting = []


def _with(waiting: Sequence[Stage], last: Stage, found: Fraction, smallest: Fraction) -> Reached:
    every = (*waiting, last)
    stage = Stage(
        exposure=last.exposure,
        hold=sum((one.hold for one in every), timedelta(0)),
        gates=tuple(dict.fromkeys(gate for one in every for gate in one.gates)),
        approval=any(one.approval for one in every),
        cover=max(one.cover for one in every),
    )
    merged = tuple(one.exposure for one in waiting)
    said = f"{' and '.join(percent(one) for one in merged)} merged into {percent(last.exposure)}"
    return Reached(stage, found, merged, f"the smallest exposure that can be reached is {percent(smallest)}: {said}")
