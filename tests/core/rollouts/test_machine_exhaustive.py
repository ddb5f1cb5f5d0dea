"""Every phase against everything that can be seen and said at once: what must never happen does not, whatever comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from itertools import combinations, pairwise, product
from typing import Any

import pytest

from reconciler.core.gates.consequence import Consequence
from reconciler.core.rollouts.actions import Action, Answered, Forgive, Moved, PlanBack, Refuse
from reconciler.core.rollouts.machine import advance
from reconciler.core.rollouts.policy import OnHarm
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Hold, Seen, Word
from reconciler.core.rollouts.table import LEFT, TABLE, Event
from reconciler.core.rollouts.values import Approval, Overrun, Stage
from tests.core.rollouts.play import ASK, DIGEST, EDIT, HARM, HOUR, MINUTE, NOON, PACE, PASS, WAIT, policy, rollout, step

NOW = NOON + HOUR
STEPS = (
    step(10, Stage.PREPARE, Stage.SHIFT, gates=("errors",)),
    step(50, hold=MINUTE, approval=True),
    step(100, Stage.SHIFT, Stage.FINISH),
)
#: What may be seen beside that the stage is written, each by itself; all pairs of these come together below, and all triples of
#: those that decide.
FLAGS: dict[str, dict[str, Any]] = {
    "unwritten": {"written": False},
    "failed": {"failed": ("422",), "written": False},
    "yields": {"yields": "is owned by argocd", "written": False},
    "blocked": {"blocked": "a law", "written": False},
    "edited": {"hand_edits": (EDIT,), "written": False},
    "pass": {"gates": {"errors": PASS}},
    "wait": {"gates": {"errors": WAIT}},
    "no": {"gates": {"errors": ASK}},
    "harm": {"gates": {"errors": HARM}},
    "unhealthy": {"unhealthy": "vm2"},
    "outage": {"outage": "no Pod"},
    "capacity": {"capacity": "2 of 6"},
    "unstarted": {"unstarted": "no Pod", "capacity": "0 of 6", "early": True},
    "retreat": {"retreat": "2 of 9"},
    "no place": {"place": False},
    "hold": {"hold": Hold("shop/billing", NOW + HOUR, "bob", "look")},
    "group": {"group": (rollout(id="r2", phase=Phase.UNDOING, refused=True),)},
    "newer": {"newer": "b" * 40},
    "later": {"later": "r9"},
    "asked": {"asked": True},
    "void": {"void": "14 %"},
    "overrun": {"overrun": Overrun("shop/billing", 20, 8)},
}
DECIDING = ("failed", "blocked", "edited", "pass", "harm", "outage", "hold", "group", "newer")
PAIRS = [chosen for count in (0, 1, 2) for chosen in combinations(FLAGS, count)]
SIGHTS = [
    Seen(**{"written": True, **{name: value for flag in chosen for name, value in FLAGS[flag].items()}})
    for chosen in (*PAIRS, *combinations(DECIDING, 3))
]


def on_the_way(phase: Phase, **parts: Any) -> Iterator[Rollout]:
    """Rollouts in a phase, at every step and stage, with all that was waited for there and without."""
    approval = Approval("ann", "operator", "because", NOW, DIGEST)
    for number, one in enumerate(STEPS):
        for stage in range(len(one.stages)):
            there = {"step": number, "stage": stage, "passed": number - 1, "phase": phase, "started": NOON, **parts}
            begun = rollout(*STEPS, **there)
            time = replace(begun.time, looked=NOW - MINUTE, settled=HOUR)
            soaked = replace(begun, in_force=NOON, time=replace(time, held=HOUR), approvals=(approval,))
            yield from (replace(begun, time=time), soaked)


def all_rollouts() -> Iterator[Rollout]:
    """One rollout of every kind."""
    for on_harm in OnHarm:
        asked = policy(on_harm=on_harm, watch=MINUTE)
        yield rollout(*STEPS, policy=asked)
        yield from on_the_way(Phase.APPLYING, policy=asked)
        yield from (one for one in on_the_way(Phase.SOAKING, policy=asked) if one.is_last_stage)
        yield from (one for one in on_the_way(Phase.WATCHING, policy=asked) if one.is_last_stage and one.is_last_step)
    for cause, left in product(set(Cause) - {Cause.NONE}, LEFT):
        if left is not Phase.UNDOING or cause in (Cause.PERSON, Cause.HOLD):
            asked = policy(on_harm=OnHarm.PAUSE)
            paused = {"cause": cause, "returns_to": left, "refused": left is Phase.UNDOING, "policy": asked}
            yield from list(on_the_way(Phase.PAUSED, **paused))[:4]
    for goal, at_once, replan in product((-1, 0), (True, False), (True, False)):
        back = {"back": rollout(*STEPS).way, "goal": goal, "at_once": at_once, "replan": replan, "refused": True}
        yield from on_the_way(Phase.UNDOING, **back)
        yield next(on_the_way(Phase.HALTED, **back))
    for outcome in (Outcome.SUCCEEDED, Outcome.UNDONE, Outcome.SUPERSEDED):
        for refused in (True, False):
            yield next(on_the_way(Phase.IDLE, outcome=outcome, ended=NOON, refused=refused))


KINDS = list({repr(one): one for one in all_rollouts()}.values())


def commands(*words: Word) -> tuple[Command, ...]:
    """These words, said one after the other."""
    return tuple(Command(str(n), "r1", word, "ann", "", NOW, digest=DIGEST) for n, word in enumerate(words))


def check(before: Rollout, seen: Seen, after: Rollout, actions: Sequence[Action]) -> None:
    """Hold one advance against everything that must be true of it."""
    moves = [one for one in actions if isinstance(one, Moved)]
    check_chain(before, after, moves)
    check_steps(before, seen, after, moves)
    check_end(before, after, moves)
    refusals = sum(isinstance(one, Refuse) for one in actions) - sum(isinstance(one, Forgive) for one in actions)
    assert refusals == after.refused - before.refused
    assert [one.command for one in actions if isinstance(one, Answered)] == list(seen.commands)
    wishes = [one for one in actions if isinstance(one, PlanBack)]
    assert len(wishes) <= (after.phase is Phase.UNDOING and after.replan)
    assert after.way is before.way
    assert after.policy is before.policy
    assert after.origin is before.origin


def check_chain(before: Rollout, after: Rollout, moves: Sequence[Moved]) -> None:
    """The transitions follow each other, each is a line of the table, and they lead to where the rollout is."""
    phases = [before.phase, *(one.target for one in moves)]
    assert [one.source for one in moves] == phases[:-1]
    assert phases[-1] is after.phase
    for one in moves:
        found = TABLE[one.source][one.happening]
        assert one.target in (found if isinstance(found, tuple) else (found,))
        assert one.reason


def check_steps(before: Rollout, seen: Seen, after: Rollout, moves: Sequence[Moved]) -> None:
    """Forward it goes one step at most, only with the record of the one before, and only with all that this one asked for."""
    forward = [one for one in moves if one.happening in (Event.PASSED, Event.FINISHED) and one.source is Phase.SOAKING]
    assert len(forward) <= 1
    if before.phase not in (Phase.UNDOING, Phase.PAUSED) and not after.goes_back and after.back is None:
        assert before.step <= after.step <= before.step + len(forward)
    for one in forward:
        asked = before.way.steps[one.step]
        assert one.step == before.step
        assert seen.written
        assert not any((seen.unhealthy, seen.outage, seen.hold, seen.failed, seen.hand_edits, seen.newer))
        assert all(one is not None and one.consequence is Consequence.GO for one in seen.gates.values())
        assert set(asked.gates) <= seen.gates.keys()
        approved = any(said.word is Word.APPROVE for said in seen.commands)
        assert before.approvals or not asked.approval or approved
        assert approved or not seen.overrun
        assert after.time.held <= HOUR + MINUTE
        assert after.passed == one.step


def check_end(before: Rollout, after: Rollout, moves: Sequence[Moved]) -> None:
    """What has ended stays as it ended, but for a person's undo; the end is told exactly where there is one."""
    assert (after.outcome is not Outcome.NONE) == (after.phase is Phase.IDLE) == (after.ended is not None)
    assert (after.cause is not Cause.NONE) == (after.phase is Phase.PAUSED)
    if before.phase is Phase.IDLE and not any(one.happening is Word.UNDO for one in moves):
        assert replace(after, refused=before.refused, reason=before.reason) == before
    if after.phase is Phase.UNDOING:
        assert after.refused


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_seen_at_once(part: int) -> None:
    """All rollouts against all sights, with no word said."""
    for before in KINDS[part::4]:
        for seen in SIGHTS:
            check(before, seen, *advance(before, seen, NOW, PACE))


@pytest.mark.parametrize("word", list(Word))
def test_whatever_is_seen_when_a_word_is_said(word: Word) -> None:
    """All rollouts against all single sights; the word has one effect, or none and a reason."""
    for before in KINDS:
        for seen in SIGHTS[: 1 + len(FLAGS)]:
            said = replace(seen, commands=commands(word))
            after, actions = advance(before, said, NOW, PACE)
            check(before, said, after, actions)
            answer = next(one for one in actions if isinstance(one, Answered))
            effects = [one for one in actions if isinstance(one, Moved) and one.happening is word]
            assert len(effects) == answer.done
            assert answer.done != bool(answer.why)


def test_any_two_words_at_once() -> None:
    """On every rollout: each is answered, and the second is held against what the first one left."""
    for before in KINDS:
        for words in product(Word, repeat=2):
            said = Seen(written=True, commands=commands(*words))
            after, actions = advance(before, said, NOW, PACE)
            check(before, said, after, actions)
            if words[0] is words[1]:
                assert sum(one.done for one in actions if isinstance(one, Answered)) <= 1


@pytest.mark.case("C-01")
def test_a_kill_before_the_save_changes_no_decision() -> None:
    """The same look at the same stored rollout decides the same; after the save it moves nothing a second time."""
    for before, flag in product(KINDS, FLAGS.values()):
        seen = Seen(**{"written": True, **flag})
        after, actions = advance(before, seen, NOW, PACE)
        assert (after, actions) == advance(before, seen, NOW, PACE)
        if not seen.gates and after.phase is not Phase.UNDOING:
            again, more = advance(after, seen.elsewhere(), NOW, PACE)
            happened = [one.happening for one in more if isinstance(one, Moved)]
            assert happened in ([], [Event.HEALED], [Event.RELEASED]), (before, seen, after, again)


def test_no_time_is_counted_that_was_not_seen() -> None:
    """For any distance between two looks, forward and back."""
    distances = [timedelta(seconds=n) for n in (-90_000, -1, 0, 1, 59, 180, 181, 3_600, 90_000)]
    for before, distance in product(KINDS, distances):
        looked = replace(before, time=replace(before.time, looked=NOW))
        after, _ = advance(looked, Seen(written=True), NOW + distance, PACE)
        seen_pass = distance if timedelta(0) < distance <= PACE.gap else timedelta(0)
        assert after.time.held <= before.time.held + seen_pass


def test_all_kinds_of_rollouts_are_there() -> None:
    """Or the tests above would prove less than they say."""
    assert {one.phase for one in KINDS} == set(Phase)
    assert {one.cause for one in KINDS} == set(Cause)
    assert {one.outcome for one in KINDS} == set(Outcome)
    assert len(KINDS) > 150
    assert {field.name for field in fields(Seen)} - {"commands", "in_force", "population"} == {
        name for flag in FLAGS.values() for name in flag
    }
    assert all(one != other for one, other in pairwise(KINDS))
