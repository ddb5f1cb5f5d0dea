"""Rollouts as values: what is stored, resumed after a crash, shown, and replayed.

A *way* leads from one state of a unit to another one: *legs*, each a kind of change of its own (identity before traffic, never
together), and *steps* through them. A step is reached in *stages*, between which the mesh is given time: first what makes room
(weights of the endpoints that are there), then what lets new endpoints in, last what lets old ones go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.policy import RolloutPolicy

#: Documents of a unit's objects; None: the object is absent.
Documents = Mapping[Key, Document | None]


class Phase(StrEnum):
    """Where a rollout is. What leads from one to the next, `table` says.

    APPLYING: the writes of the current stage. SOAKING: the step is in force; its hold, gates and approval are awaited.
    WATCHING: at 100 %, gates stay armed. PAUSED: nothing moves until a person says so, or the cause ends. UNDOING: on the way
    back. HALTED: the way back failed; a person is needed. IDLE: ended, see the outcome.
    """

    APPLYING = "applying"
    SOAKING = "soaking"
    WATCHING = "watching"
    PAUSED = "paused"
    UNDOING = "undoing"
    HALTED = "halted"
    IDLE = "idle"


class Outcome(StrEnum):
    """How a rollout ended. SUPERSEDED: a newer revision took over from where traffic was."""

    NONE = ""
    SUCCEEDED = "succeeded"
    UNDONE = "undone"
    SUPERSEDED = "superseded"


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
    """Part of a step. PREPARE makes room, SHIFT moves traffic and lets new endpoints in, FINISH lets old ones go."""

    PREPARE = "prepare"
    SHIFT = "shift"
    FINISH = "finish"


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


@dataclass(frozen=True, slots=True)
class Way:
    """From one state of a unit to another: all its documents `before` and `after`, and the legs and steps between.

    `splits` are the VMs' shares that were wanted before and are wanted after (0 to 1), None where the documents' weights rule.
    `notes` are what a person should know of the way as a whole; `refused` says why the policy must change before it can be
    gone, empty where it can.
    """

    legs: tuple[Leg, ...]
    steps: tuple[RolloutStep, ...]
    before: Documents = field(default_factory=dict)
    after: Documents = field(default_factory=dict)
    splits: tuple[Fraction | None, Fraction | None] = (None, None)
    notes: tuple[str, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A unit's accepted plan being carried out: all that is stored of it, so that it resumes exactly.

    The full documents of the unit's objects stand in `way`, whatever becomes of Git. `origin` is what an undo restores: the
    start of the way, or, where this rollout took over from one that had not ended, the start of that one. `step` and `stage`
    are indices into the way it is on; `entered` is when the phase was entered, `in_force` when the current step was last seen
    to be in force (None: not yet). `returns_to` is the phase that a resume leads to. `reason` says why it is where it is, in a
    sentence for people. `passed` is the index of the last step of which everything passed, -1 for none. `gate_state` is what
    each gate keeps between looks (JSON values), and `approvals` are those given for the current step.
    """

    id: str
    unit: str
    commit: str
    digest: str
    attempt: int
    policy: RolloutPolicy
    origin: Documents
    way: Way
    began: datetime
    phase: Phase = Phase.APPLYING
    entered: datetime | None = None
    step: int = 0
    stage: int = 0
    passed: int = -1
    in_force: datetime | None = None
    returns_to: Phase = Phase.APPLYING
    reason: str = ""
    outcome: Outcome = Outcome.NONE
    ended: datetime | None = None
    back: Way | None = None
    approvals: tuple["Approval", ...] = ()
    gate_state: Mapping[str, Any] = field(default_factory=dict)
    loads: Mapping[str, int] = field(default_factory=dict)

    @property
    def on(self) -> Way:
        """The way that it is on now: back, while it is undone."""
        return self.back or self.way

    @property
    def current(self) -> RolloutStep:
        return self.on.steps[self.step]


@dataclass(frozen=True, slots=True)
class Approval:
    """A person let a step go on. `digest` is that of the plan that was looked at."""

    by: str
    role: str
    reason: str
    at: datetime
    digest: str


class Word(StrEnum):
    """What a person can say to a rollout."""

    APPROVE = "approve"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    RETRY = "retry"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Command:
    """What a person said, once: `id` makes a repetition harmless. `rollout` is the id of the rollout that it is for."""

    id: str
    rollout: str
    word: Word
    by: str
    reason: str
    at: datetime
    role: str = "operator"
    digest: str = ""
