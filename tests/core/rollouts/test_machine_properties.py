"""Rollouts under whatever may befall them, in any order: trouble, hands, words said twice, jumps of the clock, kills.

The model beside them keeps its own record of what it did to the mesh and of the time that it really looked.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.core.rollouts.actions import Action, Answered, Forgive, Moved, PlanBack, Refuse
from reconciler.core.rollouts.codec import from_json, to_json
from reconciler.core.rollouts.machine import advance, set_out_on
from reconciler.core.rollouts.policy import OnHarm
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Hold, Seen, Word
from reconciler.core.rollouts.table import Event
from reconciler.core.rollouts.values import Stage, Way
from tests.core.rollouts.play import DAY, DIGEST, EDIT, HARM, HOUR, NO_TIME, NOON, PACE, PASS, WAIT, policy, rollout, step, way

STEPS = (
    step(10, Stage.PREPARE, Stage.SHIFT, hold=timedelta(minutes=2), gates=("errors",)),
    step(50, approval=True),
    step(100, Stage.SHIFT, Stage.FINISH, hold=timedelta(minutes=1)),
)
BACK = (step(50), step(100, Stage.SHIFT, Stage.FINISH))
TROUBLE: dict[str, Any] = {
    "unhealthy": "vm2 is unhealthy",
    "outage": "no Pod is ready",
    "capacity": "2 of 6 VMs",
    "retreat": "2 of 9 Pods",
    "newer": "b" * 40,
    "place": False,
    "hold": Hold("shop/billing", NOON + DAY, "bob", "look"),
    "hand_edits": (EDIT,),
    "void": "14 %",
    "blocked": "a law",
}
Stand = tuple[Way, int, int]


class Rolling(RuleBasedStateMachine):
    """One rollout, its unit, and the people around it."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: Rollout = rollout(*STEPS)
        self.now = NOON
        self.mesh: Stand | None = None
        self.refuses = False
        self.verdict = PASS
        self.trouble: dict[str, Any] = {}
        self.queue: list[Command] = []
        self.all_said: list[Command] = []
        self.answered: list[str] = []
        self.wish: PlanBack | None = None
        self.records: set[int] = set()
        self.held_at_most = NO_TIME
        self.looked_in_force = False
        self.refused = 0

    @initialize(on_harm=st.sampled_from(OnHarm), watch=st.sampled_from([0, 90]), gradual=st.booleans())
    def begin(self, on_harm: OnHarm, watch: int, *, gradual: bool) -> None:
        """Of any policy."""
        self.stored = rollout(*STEPS, policy=policy(on_harm=on_harm, watch=timedelta(seconds=watch), gradual=gradual))

    @property
    def stands_at(self) -> Stand:
        """What is wanted now."""
        return self.stored.on, self.stored.step, self.stored.stage

    def seen(self) -> Seen:
        """What a look finds."""
        writes = self.mesh == self.stands_at and "hand_edits" not in self.trouble
        failed = ("422",) if self.refuses and not writes else ()
        gates = {"errors": self.verdict}
        return Seen(written=writes, failed=failed, gates=gates, commands=tuple(self.queue), **self.trouble)

    def look(self, after: timedelta) -> None:
        """Look, save, and act."""
        before, seen = self.stored, self.seen()
        self.now += after
        rolled, actions = advance(before, seen, self.now, PACE)
        in_force = seen.written and before.phase in (Phase.SOAKING, Phase.WATCHING, Phase.UNDOING)
        if in_force and self.looked_in_force and NO_TIME < after <= PACE.gap:
            self.held_at_most += after
        self.looked_in_force = seen.written
        self.save(before, rolled, actions)
        self.queue.clear()

    def save(self, before: Rollout, rolled: Rollout, actions: tuple[Action, ...]) -> None:
        """Keep what is kept in one transaction, holding it against what was there."""
        for one in actions:
            match one:
                case Moved(happening=Event.PASSED | Event.FINISHED, source=Phase.SOAKING):
                    self.records.add(one.step)
                    assert self.held_at_most >= before.current.hold
                    assert before.approvals or not before.current.approval or self.queue
                case Moved(happening=Event.RETURNED | Event.FELL_BACK) if before.back and before.started and not before.replan:
                    assert self.mesh == (before.on, before.step, before.stage)
                    assert before.is_last_stage
                    assert before.is_last_step
                case Answered():
                    self.answered.append(one.command.id)
                case PlanBack():
                    self.wish = one
                case Refuse():
                    self.refused += 1
                case Forgive():
                    self.refused -= 1
        moved = (before.step, before.stage, before.on) != (rolled.step, rolled.stage, rolled.on)
        if moved or rolled.in_force != before.in_force:
            self.held_at_most, self.looked_in_force = NO_TIME, self.looked_in_force and not moved
        self.stored = from_json(json.loads(json.dumps(to_json(rolled))))
        assert self.stored == rolled

    @rule(seconds=st.sampled_from([1, 5, 15, 30, 60, 120, 180]))
    def time_passes(self, seconds: int) -> None:
        """And somebody looks."""
        self.look(timedelta(seconds=seconds))

    @rule(hours=st.sampled_from([-48, -1, 1, 48]))
    def the_clock_jumps(self, hours: int) -> None:
        """Or nobody looked for so long."""
        self.look(hours * HOUR)

    @rule()
    def the_cycle_writes(self) -> None:
        """As far as the rollout lets it, and the stores take it."""
        if not (self.stored.hands_off or self.refuses or "hold" in self.trouble or "blocked" in self.trouble):
            self.mesh = self.stands_at

    @rule(what=st.sampled_from(sorted(TROUBLE)), on=st.booleans())
    def trouble_comes_and_goes(self, what: str, *, on: bool) -> None:
        """Of every kind, several at once."""
        if on:
            self.trouble[what] = TROUBLE[what]
        else:
            self.trouble.pop(what, None)

    @rule(refuses=st.booleans())
    def stores_refuse(self, *, refuses: bool) -> None:
        """What is written from now on, or no more."""
        self.refuses = refuses

    @rule(verdict=st.sampled_from([PASS, PASS, WAIT, HARM]))
    def the_gate_says(self, verdict: Any) -> None:
        """Something else."""
        self.verdict = verdict

    @rule(word=st.sampled_from(Word), digest=st.sampled_from([DIGEST, "e" * 64]))
    def somebody_says(self, word: Word, digest: str) -> None:
        """A word, which waits for the next look."""
        said = Command(f"c{len(self.all_said)}", "r1", word, "ann", "", self.now, digest=digest)
        self.all_said.append(said)
        self.queue.append(said)

    @precondition(lambda self: self.queue)
    @rule()
    def it_is_delivered_twice(self) -> None:
        """The same command, with the same id."""
        self.queue.append(self.queue[-1])

    @precondition(lambda self: self.queue)
    @rule()
    def it_is_killed_before_the_save(self) -> None:
        """The next process looks at the same stored rollout and decides the same."""
        seen = self.seen()
        assert advance(self.stored, seen, self.now, PACE) == advance(self.stored, seen, self.now, PACE)

    @precondition(lambda self: self.wish and self.stored.replan and self.stored.phase is Phase.UNDOING)
    @rule(steps=st.sampled_from([BACK, BACK[:1], (), None]))
    def a_way_back_is_found(self, steps: Any) -> None:
        """Or there is none, or nothing to be done."""
        found = None if steps is None else replace(way(), steps=steps)
        rolled, actions = set_out_on(self.stored, found, self.now)
        self.wish = None
        self.save(self.stored, rolled, actions)

    @invariant()
    def no_step_began_before_the_record_of_the_one_before(self) -> None:
        """I3."""
        if self.stored.back is None and not self.stored.replan:
            assert set(range(self.stored.step)) <= self.records

    @invariant()
    def no_time_is_held_that_nobody_saw(self) -> None:
        """Or that the step was not in force."""
        if self.stored.phase in (Phase.SOAKING, Phase.UNDOING):
            assert self.stored.time.held <= self.held_at_most

    @invariant()
    def each_command_is_answered_once(self) -> None:
        """Whatever was delivered how often."""
        assert len(set(self.answered)) == len(self.answered)
        assert set(self.answered) | {one.id for one in self.queue} == {one.id for one in self.all_said}

    @invariant()
    def content_is_refused_exactly_while_the_rollout_says_so(self) -> None:
        """No refusal is lost, and none is told twice."""
        assert self.refused == self.stored.refused

    @invariant()
    def it_stands_somewhere(self) -> None:
        """On a stage of a step of a way that it has."""
        if self.stored.on.steps:
            assert 0 <= self.stored.stage < len(self.stored.current.stages)

    def teardown(self) -> None:
        """I5: once it is quiet, a person's resume or retry lets it end, and nothing is left half way."""
        self.trouble.clear()
        self.refuses, self.verdict = False, PASS
        for _ in range(60):
            if self.stored.phase is Phase.IDLE:
                break
            match self.stored.phase:
                case Phase.PAUSED:
                    self.somebody_says(Word.RETRY, DIGEST)
                    self.somebody_says(Word.RESUME, DIGEST)
                case Phase.HALTED:
                    self.somebody_says(Word.RETRY, DIGEST)
                case Phase.SOAKING:
                    self.somebody_says(Word.APPROVE, DIGEST)
            self.the_cycle_writes()
            self.look(timedelta(seconds=60))
            if self.stored.replan:
                self.a_way_back_is_found(BACK)
        assert self.stored.phase is Phase.IDLE, (self.stored.phase, self.stored.reason)
        if self.stored.outcome is Outcome.SUCCEEDED:
            assert self.stored.is_last_stage
            assert self.stored.is_last_step


Rolling.TestCase.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
TestRolling = Rolling.TestCase
