"""A rollout told as a dialogue: look by look, word by word, with the clock in the test's hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from reconciler.core.gates.consequence import Consequence
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.resources import Key
from reconciler.core.rollouts.actions import Action, Answered, Call, Moved, PlanBack, Refuse
from reconciler.core.rollouts.machine import advance, set_out_on
from reconciler.core.rollouts.policy import PolicyStep, RolloutPolicy
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.seen import Command, HandEdit, Judged, Pace, Seen, Word
from reconciler.core.rollouts.table import Event
from reconciler.core.rollouts.values import Leg, LegKind, RolloutStep, Stage, Way

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NO_TIME = timedelta(0)
PACE = Pace()
SERVICE = Key("ServiceEntry", "shop", "billing")
DIGEST = "d" * 64
EDIT = HandEdit(SERVICE, "spec.endpoints", "kubectl-edit", lowers=True)


def said(consequence: Consequence, reason: Reason) -> Judged:
    """What a gate said, and what came of it."""
    says = "so it is"
    match consequence:
        case Consequence.GO:
            return Judged(Verdict.passing(says), consequence)
        case Consequence.STAY:
            return Judged(Verdict.waiting(reason, says), consequence)
        case _:
            return Judged(Verdict.failing(reason, says), consequence)


PASS, WAIT = said(Consequence.GO, Reason.NONE), said(Consequence.STAY, Reason.INCONCLUSIVE)
HARM, ASK = said(Consequence.HARM, Reason.HARM), said(Consequence.PAUSE, Reason.NO_DATA)


def step(exposure: int, *stages: Stage, hold: timedelta = NO_TIME, **asks: Any) -> RolloutStep:
    """A step of a leg, in percent; of one stage unless said otherwise."""
    return RolloutStep(0, Fraction(exposure, 100), stages or (Stage.SHIFT,), hold=hold, **asks)


def way(*steps: RolloutStep) -> Way:
    """A way over one leg, by default in two steps, the first of them in two stages."""
    both = {SERVICE: {"kind": "ServiceEntry", "n": 1}}, {SERVICE: {"kind": "ServiceEntry", "n": 2}}
    found = steps or (step(10, Stage.PREPARE, Stage.SHIFT, hold=SECOND), step(100))
    return Way((Leg(LegKind.TRAFFIC, *both),), found, *both)


def policy(**parts: Any) -> RolloutPolicy:
    """A policy; its own steps do not matter once there is a way."""
    return RolloutPolicy((PolicyStep(Fraction(1)),), **parts)


def rollout(*steps: RolloutStep, **parts: Any) -> Rollout:
    """A rollout that has not begun."""
    given = {"policy": policy(), "attempt": 1, "unit": "shop/billing", "id": "r1", **parts}
    there = way(*steps)
    return Rollout(commit="a" * 40, digest=DIGEST, content="c" * 64, origin=there.before, way=there, began=NOON, **given)


@dataclass
class Play:
    """Plays one rollout against a unit whose writes always succeed, unless a look says otherwise."""

    rollout: Rollout
    pace: Pace = PACE
    now: datetime = NOON
    heard: list[Action] = field(default_factory=list)
    last: tuple[Action, ...] = ()
    _said: Iterator[int] = field(default_factory=lambda: iter(range(1_000_000)))

    def look(self, after: timedelta = NO_TIME, *commands: Command, **seen: Any) -> Play:
        """Let time pass and look once; what is not said is as a healthy unit shows it."""
        self.now += after
        given = Seen(**{"written": True, "commands": commands, **seen})
        self.rollout, self.last = advance(self.rollout, given, self.now, self.pace)
        self.heard += self.last
        return self

    def watch(self, length: timedelta, every: timedelta = MINUTE, **seen: Any) -> Play:
        """Look again and again for so long."""
        until = self.now + length
        while self.now < until:
            self.look(min(every, until - self.now), **seen)
        return self

    def settle(self, **seen: Any) -> Play:
        """Look until the current stage is in force: found written, and again after the settle time."""
        return self.look(SECOND, **seen).look(self.pace.settle, **seen)

    def say(self, word: Word, by: str = "ann", digest: str = DIGEST, **seen: Any) -> Play:
        """Say a word, and look at what it does."""
        return self.look(SECOND, self.command(word, by, digest), **seen)

    def command(self, word: Word, by: str = "ann", digest: str = DIGEST) -> Command:
        """A command with an id of its own."""
        return Command(f"c{next(self._said)}", self.rollout.id, word, by, "because", self.now, digest=digest)

    def way_back(self, *steps: RolloutStep) -> Play:
        """Answer the wish for a way back."""
        assert any(isinstance(one, PlanBack) for one in self.last), self.last
        self.rollout, self.last = set_out_on(self.rollout, replace(way(), steps=steps), self.now)
        self.heard += self.last
        return self

    def is_at(self, phase: Phase, number: int | None = None, stage: int | None = None) -> Play:
        """Assert where it is; steps and stages are counted from 0."""
        found = (self.rollout.phase, self.rollout.step, self.rollout.stage)
        wanted = (phase, self.rollout.step if number is None else number, self.rollout.stage if stage is None else stage)
        assert found == wanted, (found, wanted, self.rollout.reason)
        return self

    def begun(self) -> Play:
        """Return it in the first step, in force."""
        self.look()
        for _ in self.rollout.current.stages:
            self.settle()
        return self.is_at(Phase.SOAKING, 0)

    @property
    def answers(self) -> list[tuple[Word, bool]]:
        """What became of all commands so far."""
        return [(one.command.word, one.done) for one in self.heard if isinstance(one, Answered)]

    @property
    def why_not(self) -> str:
        """The last answer to a command that had no effect."""
        return next(one.why for one in reversed(self.heard) if isinstance(one, Answered) and not one.done)

    @property
    def calls(self) -> list[str]:
        """For what persons were called."""
        return [one.reason for one in self.heard if isinstance(one, Call)]

    @property
    def refusals(self) -> int:
        """How often the content was refused."""
        return sum(isinstance(one, Refuse) for one in self.heard)

    def moves(self, *events: Event | Word) -> list[tuple[Event | Word, int]]:
        """The transitions of these kinds so far, each with its step."""
        return [(one.happening, one.step) for one in self.heard if isinstance(one, Moved) and one.happening in events]
