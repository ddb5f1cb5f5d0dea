"""What a gate is told of the rollout that it belongs to: everything but the outside world."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from reconciler.core.gates.answers import Arm
from reconciler.core.resources import Key
from reconciler.core.rollouts.values import Approval


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint that the step is about. `healthy`: None where nobody knows; `present`: false where it is gone."""

    key: Key
    healthy: bool | None
    present: bool = True


@dataclass(frozen=True, slots=True)
class Gain:
    """What a step is to give of one service: `planned` (0 to 1) goes to those whose share grows.

    `gains` are the requests to them, `every` all requests; None where they cannot be told apart in the metrics, and `why` says
    so. `machines` is the planned share of the VMs, and `to_machines` whether that grows.
    """

    service: str
    planned: Fraction
    gains: Arm | None = None
    every: Arm | None = None
    why: str = ""
    machines: Fraction = Fraction(0)
    to_machines: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment of a rollout.

    `in_force` is when the current step was seen to be in force, None while it is not: windows and soaks begin there. `now` is
    the moment of the judgement, in UTC. `canary` and `stable` are the arms that receive and give away traffic, None where
    there is none (at 100 % there is no stable arm) or where they cannot be told apart; `why_no_arms` says which.
    `version` tells the canary from another one (its Pods' template). `exposure` is how far the step goes (0 to 1), `author`
    who made the commit, `digest` that of the plan in force. `watched`: the last step has passed. `gains` says
    of each service whose shares the step changes what it is to give. `unknown` says why nobody knows of any endpoint;
    `doubted`: what is known of VMs may be an older record.
    """

    now: datetime
    in_force: datetime | None
    targets: tuple[Target, ...] = ()
    whole: Arm | None = None
    canary: Arm | None = None
    stable: Arm | None = None
    why_no_arms: str = ""
    version: str = ""
    approvals: tuple[Approval, ...] = ()
    digest: str = ""
    author: str = ""
    rollout: str = ""
    unit: str = ""
    commit: str = ""
    step: int = 0
    steps: int = 0
    exposure: Fraction = Fraction(0)
    watched: bool = False
    gains: tuple[Gain, ...] = ()
    unknown: str = ""
    doubted: bool = False
