"""What a RolloutPolicy asks for, as a value, with the defaults of repository and operator filled in.

A rollout keeps the policy it began with: what Git changes of it meanwhile counts from the next rollout on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from reconciler.core.resources import Document


class Strategy(StrEnum):
    """How shares are made: by the weights of endpoints, or by subsets and route weights (an exact percentage)."""

    WEIGHTS = "weights"
    SUBSETS = "subsets"


class OnHarm(StrEnum):
    """What proven harm leads to: back to the start, back to the last step that passed, or a pause."""

    UNDO = "undo"
    BACK = "back"
    PAUSE = "pause"


class Unreachable(StrEnum):
    """What becomes of a step that the endpoints are too few for: it is merged into the next one, or the plan is refused."""

    MERGE = "merge"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """How far to go (0 to 1), how long to stay, which gates must pass, whether a person must approve what comes after."""

    exposure: Fraction
    hold: timedelta = timedelta(0)
    gates: tuple[str, ...] = ()
    approval: bool = False
    cover: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class RolloutPolicy:
    """How a unit's changes are rolled out.

    `split` is the wanted share of the VMs (0 to 1), None where Git's weights count. `max_load` bounds what one endpoint may
    get, in times of what it got when the step began; `spill` how far the share may drift to the side that is well (0 to 1).
    `expect_pods` is for how many Pods weights are sized before the first one is there, None: as the cluster says. `gates` are
    as Git defines them, by name. `holdback` is the part of the way (0 to 1) that is given only once the end was watched.
    `share_tolerance` is by how much (0 to 1) more requests than planned may go where a step leads before it holds, and
    `observed_share` the query that measures it, as Git has it; without one Istio's metrics are read. `notes` say where the
    operator's bounds have changed what Git asks for.
    """

    steps: tuple[PolicyStep, ...]
    split: Fraction | None = None
    strategy: Strategy = Strategy.WEIGHTS
    on_harm: OnHarm = OnHarm.UNDO
    gradual: bool = True
    watch: timedelta = timedelta(0)
    holdback: Fraction = Fraction(0)
    share_tolerance: Fraction = Fraction(5, 100)
    observed_share: Document = field(default_factory=dict)
    group: str = ""
    unreachable: Unreachable = Unreachable.MERGE
    max_load: Fraction = Fraction(3, 2)
    spill: Fraction = Fraction(1)
    expect_pods: int | None = None
    gates: Mapping[str, Document] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


#: Where Git says nothing: small, half, all, each with the health of its endpoints as a gate.
CAREFUL = RolloutPolicy(steps=tuple(PolicyStep(Fraction(exposure, 100)) for exposure in (10, 50, 100)))
#: Everything in one step.
AT_ONCE = RolloutPolicy(steps=(PolicyStep(Fraction(1)),))
