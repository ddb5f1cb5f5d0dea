"""The way of a rollout as values: legs, steps, stages, and the approvals of steps.

A *way* leads from one state of a unit to another one: *legs*, each a kind of change of its own (identity before traffic, never
together), and *steps* through them. A step is reached in *stages*, between which the mesh is given time: first what makes room
(weights of the endpoints that are there), then what lets new endpoints in, last what lets old ones go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.platforms import Platforms

#: Documents of a unit's objects; None: the object is absent.
Documents = Mapping[Key, Document | None]
#: The weight of each address that istiod tells proxies of, by namespace and host of the service.
Told = Mapping[tuple[str, str], Mapping[str, int]]


class LegKind(StrEnum):
    """What a leg changes, in the order in which legs follow each other.

    IDENTITY: service accounts and TLS modes of endpoints, in groups. ENDPOINTS: addresses, ports, localities of endpoints in
    place, in groups. TRAFFIC: who is an endpoint and with which share, by weights. ROUTES: which share of requests a route
    sends where. WHOLE: what Istio gives to all clients at once, and what moves no traffic: one step.
    """

    IDENTITY = "identity"
    ENDPOINTS = "endpoints"
    TRAFFIC = "traffic"
    ROUTES = "routes"
    WHOLE = "whole"


class Stage(StrEnum):
    """Part of a step. PREPARE makes room, SHIFT moves traffic and lets new endpoints in, FINISH lets old ones go.

    SETTLE gives those that stay the weights that Git says: only once nobody who goes could gain by it.
    """

    PREPARE = "prepare"
    SHIFT = "shift"
    FINISH = "finish"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Leg:
    """The objects that change on one stretch of the way, before and after it."""

    kind: LegKind
    before: Documents
    after: Documents


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """One step: how far it goes on its leg (exposure, 0 to 1), and what must pass after it.

    `switched` are the objects of an IDENTITY or ENDPOINTS leg that stand at `after` from this step on. `merged` are the
    exposures of steps that could not be reached and were joined into this one, with their holds and gates; `notes` say why.
    `quiet`: it is none of the policy's, and only makes room for those that are. `holdback` is what it leaves out of the way (0
    to 1) for the watch, which comes after it then; the next step gives the rest.
    """

    leg: int
    exposure: Fraction
    stages: tuple[Stage, ...] = (Stage.SHIFT,)
    switched: frozenset[Key] = frozenset()
    hold: timedelta = timedelta(0)
    gates: tuple[str, ...] = ()
    approval: bool = False
    cover: timedelta = timedelta(0)
    merged: tuple[Fraction, ...] = ()
    notes: tuple[str, ...] = ()
    quiet: bool = False
    holdback: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Way:
    """From one state of a unit to another: all its documents `before` and `after`, and the legs and steps between.

    `splits` are the VMs' shares that stand before and are wanted after (0 to 1), None where the documents' weights rule.
    `expected` is for how many Pods weights are sized while none is meant to run; `armed`: none was when the way was found, and
    if more than these come, its first step holds.
    `by` is the label by which subsets tell VMs from Pods where routes make the shares; None: weights do.
    `notes` are what a person should know of the way as a whole; `refused` says why it cannot be gone as things stand, empty
    where it can, and `culprit` names the object that this is about, where there is one.
    """

    legs: tuple[Leg, ...]
    steps: tuple[RolloutStep, ...]
    before: Documents = field(default_factory=dict)
    after: Documents = field(default_factory=dict)
    splits: tuple[Fraction | None, Fraction | None] = (None, None)
    notes: tuple[str, ...] = ()
    refused: str = ""
    expected: int = 0
    by: Platforms | None = None
    culprit: Key | None = None
    armed: bool = False

    def asked(self, step: int) -> int:
        """How many steps that the policy asks for there are up to the one of this index, itself included."""
        return sum(not one.quiet for one in self.steps[: step + 1])

    def begins_leg(self, step: int) -> bool:
        """Tell whether the step of this index is the first one of its leg."""
        return step == 0 or self.steps[step - 1].leg != self.steps[step].leg

    @property
    def watched(self) -> int:
        """The index of the step after which gates stay armed: the one that holds something back, else the last."""
        return next((number for number, one in enumerate(self.steps) if one.holdback), len(self.steps) - 1)

    @property
    def weighed(self) -> tuple[Fraction | None, Fraction | None]:
        """The splits that weights have to make: none where routes do."""
        return (None, None) if self.by else self.splits


@dataclass(frozen=True, slots=True)
class Carried:
    """What the Pods of a ServiceEntry bore at some time: how many served, and the share (0 to 1) that each of them got."""

    entry: Key
    pods: int
    share: Fraction


@dataclass(frozen=True, slots=True)
class Overrun:
    """More Pods of a service come to armed weights than the `expected` ones. `helps` is what a person does to have fewer."""

    service: str
    pods: int
    expected: int
    helps: str = ""

    def __str__(self) -> str:
        fewer = f"until no more do ({self.helps})" if self.helps else "until no more do"
        return (
            f"{self.pods:,} Pods come to {self.service} where {self.expected:,} were expected: the step holds {fewer}, "
            f"Git expects them (expectPods: {self.pods}), or a person approves"
        )


@dataclass(frozen=True, slots=True)
class ShareFigures:
    """The VMs' share (0 to 1) of a service's requests, side by side.

    `planned` is what the step is to reach, `written` what the live weights make of all who are meant to serve, `observed` what
    they make of those who do; None where there is no endpoint, and for `observed` while the proxies may not have it yet.
    """

    service: str
    planned: Fraction | None
    written: Fraction | None
    observed: Fraction | None


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """What a step (by its index) would become with the reconciler stopped: `exposure` instead of the `planned` one.

    `scaler` then runs as many Pods as it may.
    """

    service: str
    scaler: str
    pods: int
    exposure: Fraction
    planned: Fraction = Fraction(0)
    step: int = 0


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """The workloads by which gates tell who gains requests of a service from who serves as before.

    `why` says why they cannot, and what a person does about it; empty where they can.
    """

    service: str
    canary: tuple[str, ...]
    stable: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a look has found out about a rollout's shares; and what it waits for that the rollout does not tell.

    `retreat` says what an undo would wait for, empty where it could begin. `unarmed` are the gates that have nothing to compare
    with, or too little, each with what it says. `measured` tells which share of the requests really goes where the step leads,
    or why nobody knows; empty where nothing is in force yet. `arms` are those of the services whose arms gates look at.
    """

    at: datetime
    waits: tuple[str, ...] = ()
    retreat: str = ""
    shares: tuple[ShareFigures, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    unarmed: tuple[str, ...] = ()
    measured: str = ""
    arms: tuple[ArmFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """A person let a step go on. `digest` is that of the plan that was looked at."""

    by: str
    role: str
    reason: str
    at: datetime
    digest: str
