"""Rollouts as dialogues: what a look or a word leads to, one promise a test."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.gates.consequence import Consequence, consequence
from reconciler.core.gates.spec import Gate, Health
from reconciler.core.gates.verdict import Reason, Verdict
from reconciler.core.rollouts.actions import Call, Forgive, Moved, PlanBack
from reconciler.core.rollouts.machine import advance, set_out_on
from reconciler.core.rollouts.outlook import outlook
from reconciler.core.rollouts.policy import OnHarm
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase
from reconciler.core.rollouts.seen import Hold, Judged, Pace, Seen, Word
from reconciler.core.rollouts.table import Event
from reconciler.core.rollouts.values import Overrun, RolloutStep, Stage
from reconciler.core.rollouts.waits import For, since, stored, waits
from tests.core.rollouts.play import (
    ASK,
    DAY,
    EDIT,
    HARM,
    HOUR,
    MINUTE,
    NO_TIME,
    NOON,
    PACE,
    PASS,
    SECOND,
    WAIT,
    Play,
    policy,
    rollout,
    said,
    step,
)

GATED: dict[str, Any] = {"gates": ("errors",)}
HOLD = Hold("shop/billing", NOON + HOUR, "bob", "we look into it")


def soaking(*steps: RolloutStep, **parts: Any) -> Play:
    """A rollout of two steps, or of these, in its first step."""
    return Play(rollout(*steps, **parts)).begun()


def at_the_end(**parts: Any) -> Play:
    """A rollout that has succeeded."""
    play = soaking(**parts).look(SECOND).settle().look(SECOND)
    assert play.rollout.outcome is Outcome.SUCCEEDED
    return play


def test_the_whole_way_of_a_rollout_without_any_trouble() -> None:
    """Stage by stage, step by step; each step passes once, and its end is told."""
    play = Play(rollout(policy=policy(watch=MINUTE))).is_at(Phase.WAITING)
    play.look().is_at(Phase.APPLYING, 0, 0)
    play.look(SECOND, written=False).is_at(Phase.APPLYING, 0, 0)
    play.settle().is_at(Phase.APPLYING, 0, 1)
    play.settle().is_at(Phase.SOAKING, 0, 1)
    play.look(SECOND).is_at(Phase.APPLYING, 1, 0)
    play.settle().is_at(Phase.WATCHING, 1)
    play.look(30 * SECOND).is_at(Phase.WATCHING)
    play.look(30 * SECOND).is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.SUCCEEDED
    assert play.rollout.ended == play.now
    assert not play.rollout.stands
    assert play.moves(Event.PASSED, Event.FINISHED) == [(Event.PASSED, 0), (Event.FINISHED, 1)]
    assert play.calls == []


def test_a_stage_is_in_force_only_after_the_settle_time() -> None:
    """Written and read back is not yet known to every proxy; a break in between begins the time anew."""
    play = Play(rollout()).look().look(SECOND).look(14 * SECOND).is_at(Phase.APPLYING, 0, 0)
    play.look(SECOND, written=False).look(SECOND).look(14 * SECOND).is_at(Phase.APPLYING, 0, 0)
    play.look(SECOND).is_at(Phase.APPLYING, 0, 1)


def test_an_endpoint_dump_decides_instead_of_the_settle_time() -> None:
    """Both ways: sooner where all proxies have it, later where one has not."""
    play = Play(rollout()).look().look(SECOND, in_force=True).is_at(Phase.APPLYING, 0, 1)
    play.look(SECOND, in_force=False).look(MINUTE, in_force=False).is_at(Phase.APPLYING, 0, 1)


def test_all_gates_of_one_look_must_pass_and_none_may_be_silent() -> None:
    """A gate that was not asked is a gate that waits; so is one that the step does not name but that counts."""
    play = soaking(step(10, **GATED), step(100))
    play.look(MINUTE).is_at(Phase.SOAKING)
    play.look(MINUTE, gates={"errors": WAIT}).is_at(Phase.SOAKING)
    play.look(MINUTE, gates={"errors": PASS, "health": WAIT}).is_at(Phase.SOAKING)
    play.look(MINUTE, gates={"errors": PASS, "health": PASS}).is_at(Phase.APPLYING, 1)


def test_a_verdict_on_the_step_before_passes_no_step() -> None:
    """In the look that finds the step in force, gates have not seen it yet."""
    play = Play(rollout(step(10, **GATED), step(100))).look().look(SECOND)
    play.look(15 * SECOND, gates={"errors": PASS}).is_at(Phase.SOAKING)
    play.look(SECOND, gates={"errors": PASS}).is_at(Phase.APPLYING, 1)


def test_the_hold_counts_only_what_was_in_force_and_well() -> None:
    """Neither time before it, nor with ill endpoints, nor while a write was being put back."""
    play = soaking(step(10, hold=5 * MINUTE), step(100))
    play.watch(4 * MINUTE).is_at(Phase.SOAKING)
    play.watch(3 * MINUTE, unhealthy="vm2 is unhealthy").is_at(Phase.SOAKING)
    play.watch(2 * MINUTE, written=False).look(SECOND).is_at(Phase.SOAKING)
    assert play.rollout.time.held == 4 * MINUTE
    play.look(15 * SECOND).look(59 * SECOND).is_at(Phase.SOAKING)
    play.look(SECOND).is_at(Phase.APPLYING, 1)


def test_a_hold_begins_when_the_step_is_in_force_also_where_a_dump_says_so() -> None:
    """Time in which a write was away does not count once it is back, however soon all proxies have it."""
    play = soaking(step(10, hold=5 * MINUTE), step(100)).watch(MINUTE, in_force=True)
    play.look(2 * MINUTE, written=False, in_force=False).look(2 * MINUTE, in_force=True)
    assert play.rollout.time.held == MINUTE


def test_cover_is_a_hold_that_only_the_longer_one_ends() -> None:
    """A step that is to see a night stays for it."""
    play = soaking(step(10, hold=MINUTE, cover=4 * HOUR), step(100))
    play.watch(4 * HOUR - SECOND).is_at(Phase.SOAKING)
    play.look(SECOND).is_at(Phase.APPLYING, 1)


@pytest.mark.case("C-13")
def test_a_hold_that_nobody_saw_begins_anew() -> None:
    """The service was down for longer than the hold: not one minute of it counts, nor does what was held before."""
    play = soaking(step(10, hold=10 * MINUTE), step(100)).watch(9 * MINUTE)
    play.look(HOUR).is_at(Phase.SOAKING)
    assert play.rollout.time.held == NO_TIME
    assert "begins anew" in play.rollout.reason
    play.watch(10 * MINUTE - SECOND).is_at(Phase.SOAKING)
    play.look(SECOND).is_at(Phase.APPLYING, 1)


@pytest.mark.case("C-13")
def test_a_short_absence_is_only_not_counted() -> None:
    """What was held before it stands."""
    play = soaking(step(10, hold=10 * MINUTE), step(100)).watch(9 * MINUTE)
    play.look(5 * MINUTE).is_at(Phase.SOAKING)
    assert play.rollout.time.held == 9 * MINUTE


@pytest.mark.case("K-01", "K-04")
@pytest.mark.parametrize("jump", [DAY, -DAY, HOUR, -HOUR, SECOND, -SECOND], ids=str)
def test_a_jump_of_the_clock_neither_skips_nor_prolongs_a_hold_for_ever(jump: timedelta) -> None:
    """A day forward, a day back, an hour of summer time that somebody set by hand, a leap second."""
    play = soaking(step(10, hold=30 * MINUTE), step(100)).watch(10 * MINUTE)
    play.look(jump).is_at(Phase.SOAKING)
    held = play.rollout.time.held
    assert held <= 10 * MINUTE + SECOND
    play.watch(30 * MINUTE - held - SECOND).is_at(Phase.SOAKING)
    play.look(SECOND).is_at(Phase.APPLYING, 1)


@pytest.mark.case("K-01")
def test_a_jump_of_the_clock_shortens_no_settle_time() -> None:
    """Neither within a process nor across a restart: the stored look is all there is."""
    play = Play(rollout()).look().look(SECOND).look(DAY).is_at(Phase.APPLYING, 0, 0)
    play.look(-DAY).is_at(Phase.APPLYING, 0, 0)
    play.look(15 * SECOND).is_at(Phase.APPLYING, 0, 1)


def test_harm_undoes_and_the_content_is_refused() -> None:
    """The way back is planned from where it stands, walked in its own steps, and the origin stands in the end."""
    play = soaking(step(10, **GATED), step(100)).look(SECOND, gates={"errors": HARM}).is_at(Phase.UNDOING, 0)
    assert PlanBack(-1, at_once=False) in play.last
    assert play.refusals == 1
    play.way_back(step(50), step(100, Stage.SHIFT, Stage.FINISH)).is_at(Phase.UNDOING, 0, 0)
    play.settle().is_at(Phase.UNDOING, 1, 0).settle().is_at(Phase.UNDOING, 1, 1).settle().is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.UNDONE
    assert play.rollout.stands
    assert play.refusals == 1


def test_an_undo_that_is_not_gradual_says_so() -> None:
    """By policy or by an abort."""
    play = soaking(policy=policy(gradual=False)).look(SECOND, gates={"errors": HARM})
    assert PlanBack(-1, at_once=True) in play.last
    assert PlanBack(-1, at_once=True) in soaking().say(Word.ABORT).last
    assert PlanBack(-1, at_once=False) in soaking().say(Word.UNDO).last


def test_harm_may_lead_back_to_the_last_step_that_passed() -> None:
    """There it pauses; a resume soaks that step anew, and only then goes on."""
    steps = step(10, Stage.PREPARE, Stage.SHIFT, hold=SECOND), step(50, hold=SECOND), step(100)
    play = soaking(*steps, policy=policy(on_harm=OnHarm.BACK)).look(SECOND).settle().is_at(Phase.SOAKING, 1)
    play.look(SECOND, gates={"errors": HARM})
    assert PlanBack(0, at_once=False) in play.last
    play.way_back(step(100)).settle().is_at(Phase.PAUSED, 0, 1)
    assert (play.rollout.cause, play.rollout.back, play.rollout.outcome) == (Cause.HARM, None, Outcome.NONE)
    play.look(MINUTE).say(Word.RESUME).is_at(Phase.SOAKING, 0, 1)
    assert any(isinstance(one, Forgive) for one in play.last)
    play.settle().look(SECOND).is_at(Phase.APPLYING, 1)


def test_harm_in_the_first_step_has_no_step_to_fall_back_to() -> None:
    """So it leads to the origin."""
    play = soaking(policy=policy(on_harm=OnHarm.BACK)).look(SECOND, gates={"errors": HARM})
    assert PlanBack(-1, at_once=False) in play.last


def test_harm_may_only_pause() -> None:
    """A person is called once; after a resume the evidence is gathered anew, and harm may pause again."""
    play = soaking(step(10, **GATED), step(100), policy=policy(on_harm=OnHarm.PAUSE))
    play.look(SECOND, gates={"errors": HARM}).look(SECOND, gates={"errors": HARM}).is_at(Phase.PAUSED)
    assert len(play.calls) == 1
    play.rollout = replace(play.rollout, gate_state={"errors": {"bad": 7}})
    play.say(Word.RESUME, gates={"errors": HARM}).is_at(Phase.SOAKING)
    assert play.rollout.gate_state == {}
    assert play.rollout.in_force == play.now
    play.look(SECOND, gates={"errors": HARM}).is_at(Phase.PAUSED)
    assert play.refusals == 2


@pytest.mark.parametrize("cause", ["person", "approval", "undecided"])
def test_gates_stay_armed_while_a_person_is_awaited(cause: str) -> None:
    """Whoever paused it, and while an approval is missing."""
    play = soaking(step(10, approval=cause == "approval", **GATED), step(100))
    if cause == "person":
        play.say(Word.PAUSE).is_at(Phase.PAUSED)
    if cause == "undecided":
        play.look(SECOND, gates={"errors": ASK}).is_at(Phase.PAUSED)
    play.look(HOUR, gates={"errors": HARM}).is_at(Phase.UNDOING)


def test_gates_stay_armed_after_the_last_step() -> None:
    """For as long as the policy watches; what harms then is undone like everything else."""
    play = soaking(policy=policy(watch=HOUR)).look(SECOND).settle().is_at(Phase.WATCHING)
    play.watch(30 * MINUTE, gates={"errors": WAIT}).is_at(Phase.WATCHING)
    play.look(SECOND, gates={"errors": HARM}).is_at(Phase.UNDOING)


def test_a_watch_does_not_count_time_in_which_its_gates_are_blind() -> None:
    """Too few requests to compare are no reason to stay, no data at all is; in the end a person is asked."""
    play = soaking(policy=policy(watch=10 * MINUTE)).look(SECOND).settle()
    play.watch(9 * MINUTE, gates={"errors": said(Consequence.STAY, Reason.FEW)})
    play.watch(HOUR, gates={"errors": said(Consequence.STAY, Reason.NO_DATA)}).is_at(Phase.WATCHING)
    assert play.rollout.time.held == 9 * MINUTE
    play.look(MINUTE, gates={"errors": ASK}).is_at(Phase.PAUSED)
    assert play.rollout.cause is Cause.UNDECIDED
    play.say(Word.RESUME).is_at(Phase.WATCHING)


@pytest.mark.case("C-03")
@pytest.mark.parametrize("reason", [Reason.NO_DATA, Reason.STALE, Reason.PROVIDER_ERROR, Reason.INCONCLUSIVE, Reason.FEW])
@pytest.mark.parametrize("jump", [NO_TIME, DAY, -DAY], ids=str)
def test_what_a_gate_cannot_say_never_passes_and_never_undoes(reason: Reason, jump: timedelta) -> None:
    """It waits, and at the gate's own deadline a person is called; a jump of the clock makes nothing late."""
    play = soaking(step(10, hold=10 * MINUTE, **GATED), step(100)).look(jump)
    gate, verdict = Gate("errors", Health(), deadline=20 * MINUTE), Verdict.waiting(reason, "so it is")
    looks = 0
    while play.rollout.phase is Phase.SOAKING:
        now = play.now + MINUTE
        play.look(MINUTE, gates={"errors": Judged(verdict, consequence(gate, verdict, since(play.rollout, now), now))})
        looks += 1
    play.is_at(Phase.PAUSED)
    assert looks == 31
    assert reason in play.rollout.reason
    assert play.refusals == 0
    assert len(play.calls) == 1


def test_a_gate_that_nobody_asks_is_told_of() -> None:
    """So is one that the step names and the policy does not have any more."""
    play = soaking(step(10, **GATED), step(100)).watch(HOUR).is_at(Phase.SOAKING).look(MINUTE).is_at(Phase.PAUSED)
    assert "errors has not been asked" in play.calls[0]


def test_a_gate_may_ask_for_a_person_at_once() -> None:
    """A no without harm stops the step, and nothing is undone."""
    play = soaking(step(10, **GATED), step(100)).look(SECOND, gates={"errors": ASK})
    assert (play.rollout.phase, play.rollout.cause) == (Phase.PAUSED, Cause.UNDECIDED)


def test_patience_does_not_wear_out_while_a_person_or_the_hour_is_awaited() -> None:
    """Approvals take their time, and so do nights, holds, capacity and the others of the group."""
    play = soaking(step(10, approval=True, **GATED), step(100))
    closed = {"errors": PASS, "hours": said(Consequence.STAY, Reason.CLOSED)}
    play.watch(DAY, 2 * MINUTE, gates=closed, capacity="2 of 6 Pods")
    play.is_at(Phase.SOAKING)


@pytest.mark.parametrize(
    ("keeps", "seen"),
    [
        ("write 1 of 2 would empty billing", {"written": False, "blocked": "write 1 of 2 would empty billing"}),
        ("not all of it is written yet", {"written": False}),
        ("istiod has other endpoints", {"in_force": False}),
        ("is owned by argocd", {"written": False, "yields": "spec.network is owned by argocd"}),
    ],
)
def test_a_stage_that_is_never_in_force_calls_a_person(keeps: str, seen: dict[str, Any]) -> None:
    """A guard holds it, its writes do not show, the proxies do not get it, or it is somebody else's: for patience, not longer.

    A resume has patience anew, and the stage goes on once nothing keeps it.
    """
    play = Play(rollout()).look().is_at(Phase.APPLYING, 0)
    play.watch(HOUR, **seen).is_at(Phase.APPLYING, 0)
    play.watch(2 * MINUTE, **seen).is_at(Phase.PAUSED)
    assert (play.rollout.cause, play.refusals) == (Cause.UNDECIDED, 0)
    assert len(play.calls) == 1
    assert keeps in play.calls[0]
    play.say(Word.RESUME, **seen).watch(HOUR - MINUTE, **seen).is_at(Phase.APPLYING, 0)
    play.settle().settle().is_at(Phase.SOAKING, 0)


def test_what_is_given_time_to_reach_the_proxies_wears_out_no_patience() -> None:
    """An operator who gives them longer than that has said so."""
    play = Play(rollout(), pace=Pace(settle=3 * HOUR)).look()
    play.watch(2 * HOUR).is_at(Phase.APPLYING, 0, 0).watch(2 * HOUR).is_at(Phase.APPLYING, 0, 1)
    play.watch(8 * HOUR).is_at(Phase.IDLE)
    assert play.calls == []


@pytest.mark.case("C-08")
def test_endpoints_that_vanish_pass_no_step() -> None:
    """The rollout pauses, goes on by itself when they are back, and then the hold begins anew."""
    play = soaking(step(10, hold=10 * MINUTE), step(100)).watch(9 * MINUTE)
    play.look(SECOND, outage="no Pod of billing is ready").is_at(Phase.PAUSED)
    play.watch(HOUR, outage="no Pod of billing is ready").is_at(Phase.PAUSED)
    play.look(SECOND).is_at(Phase.SOAKING)
    play.settle().watch(9 * MINUTE).is_at(Phase.SOAKING)
    play.watch(MINUTE).is_at(Phase.APPLYING, 1)


@pytest.mark.case("C-08")
def test_ill_endpoints_pass_no_step_and_a_person_is_called_in_the_end() -> None:
    """The hold stands still meanwhile."""
    play = soaking().watch(HOUR, unhealthy="vm2 is unhealthy").is_at(Phase.SOAKING)
    play.look(MINUTE, unhealthy="vm2 is unhealthy").is_at(Phase.PAUSED)
    assert "vm2 is unhealthy" in play.calls[0]


def test_a_step_waits_for_capacity_and_so_does_an_undo() -> None:
    """The side that would get the traffic is looked at first; only an abort does not wait."""
    short: dict[str, Any] = {"capacity": "2 of 6 VMs are healthy", "retreat": "2 of 9 Pods are ready"}
    play = soaking().watch(HOUR, **short).is_at(Phase.SOAKING).say(Word.UNDO, **short).is_at(Phase.UNDOING)
    assert not any(isinstance(one, PlanBack) for one in play.last)
    play.look(SECOND)
    play.way_back(step(50), step(100)).settle(**short).is_at(Phase.UNDOING, 0)
    play.say(Word.ABORT, **short)
    assert PlanBack(-1, at_once=True) in play.last


def test_an_undo_does_not_wait_for_the_side_that_it_leaves() -> None:
    """What the next step forward would need is nothing to it."""
    play = soaking().say(Word.UNDO, capacity="2 of 6 Pods").is_at(Phase.UNDOING)
    assert PlanBack(-1, at_once=False) in play.last


def test_an_undo_that_cannot_go_on_calls_a_person() -> None:
    """It does not stand still in silence."""
    play = soaking().say(Word.UNDO).way_back(step(50), step(100)).watch(HOUR + 2 * MINUTE, written=False).is_at(Phase.HALTED)
    assert "not all of it is written" in play.calls[0]


@pytest.mark.parametrize("is_on_its_way", [False, True])
def test_an_undo_that_lacks_capacity_calls_a_person_and_goes_on_by_itself(is_on_its_way: bool) -> None:  # noqa: FBT001
    """Each time that patience is out; whoever brings it about at night need not say so here."""
    short: dict[str, Any] = {"capacity": "2 of 6 VMs are healthy", "retreat": "2 of 6 VMs are healthy"}
    play = soaking().say(Word.UNDO, **({} if is_on_its_way else short))
    if is_on_its_way:
        play.way_back(step(50), step(100))
    play.watch(HOUR, **short).is_at(Phase.UNDOING)
    assert play.calls == []
    play.watch(2 * MINUTE, **short).is_at(Phase.UNDOING)
    assert len(play.calls) == 1
    assert play.calls[0] == play.rollout.reason
    assert play.calls[0].endswith("goes on once that is there: 2 of 6 VMs are healthy")
    play.watch(2 * HOUR, **short).is_at(Phase.UNDOING)
    assert len(play.calls) == 2
    if is_on_its_way:
        play.look(MINUTE).is_at(Phase.UNDOING, 1)
    else:
        play.look(MINUTE).way_back(step(100)).is_at(Phase.UNDOING, 0)


def test_a_step_that_lacks_capacity_for_too_long_calls_a_person() -> None:
    """Before it begins as well as between two steps: it pauses with what is to be set, and a resume has patience anew."""
    short: dict[str, Any] = {"capacity": "set minReplicas of hpa/billing to 6"}
    for play, phase in ((Play(rollout()), Phase.WAITING), (soaking(), Phase.SOAKING)):
        play.look(**short).watch(HOUR, **short).is_at(phase).watch(2 * MINUTE, **short).is_at(Phase.PAUSED)
        assert play.rollout.cause is Cause.UNDECIDED
        assert len(play.calls) == 1
        assert play.calls[0].endswith("set minReplicas of hpa/billing to 6")
        play.say(Word.RESUME, **short).watch(HOUR - MINUTE, **short).is_at(phase)


def test_capacity_is_lacked_only_once_nothing_else_is_waited_for() -> None:
    """What the hold, the hour or a person keeps anyway, nobody has to be woken for."""
    soaking(step(10, hold=DAY), step(100)).watch(DAY - HOUR, 2 * MINUTE, capacity="2 of 6").is_at(Phase.SOAKING)


@pytest.mark.parametrize("seen", [{"unstarted": "no Pod runs yet"}, {"capacity": "0 Pods are ready", "early": True}])
def test_pods_that_nobody_has_started_yet_are_awaited_for_as_long_as_it_takes(seen: dict[str, Any]) -> None:
    """Git said so before anybody starts them: that is how it begins."""
    play = soaking(step(10, hold=SECOND), step(100)).watch(DAY, 2 * MINUTE, **seen).is_at(Phase.SOAKING)
    assert play.calls == []
    play.settle().is_at(Phase.APPLYING, 1)


def test_no_gate_is_late_as_long_as_nobody_has_started_pods() -> None:
    """It has nothing to tell of, and its deadline counts from when it has: without a hold, too."""
    play = soaking(step(10, **GATED), step(100)).watch(DAY, 2 * MINUTE, gates={"errors": WAIT}, unstarted="no Pod runs yet")
    assert since(play.rollout, play.now) == play.now
    play.watch(HOUR, gates={"errors": WAIT})
    assert since(play.rollout, play.now) == play.now - HOUR


def test_the_others_of_a_group_are_awaited_with_their_own_patience() -> None:
    """A person is called for the one that does not go on, and the barrier says why that is; one word is enough then."""
    reason = "waited for 1:01:00: 2 of 6 Pods"
    other = rollout(id="r2", unit="shop/ledger", phase=Phase.PAUSED, cause=Cause.UNDECIDED, reason=reason)
    play = soaking(step(10, hold=SECOND), step(100)).watch(DAY, 2 * MINUTE, group=(other,)).is_at(Phase.SOAKING)
    (wait,) = waits(play.rollout, Seen(written=True, group=(other,)), PACE)
    assert wait.text == f"shop/ledger of the same group has not passed this step: it is paused: {reason}"
    assert play.calls == []


@pytest.mark.case("C-10")
def test_a_refused_write_stops_the_step_and_only_a_new_attempt_tries_it_again() -> None:
    """Nothing is written meanwhile, a resume is not enough, and a retry is a record of its own."""
    play = Play(rollout()).look().look(SECOND, written=False, failed=("422 on ServiceEntry shop/billing",))
    play.is_at(Phase.PAUSED)
    assert play.rollout.hands_off
    assert (play.refusals, len(play.calls)) == (1, 1)
    play.look(HOUR, written=False, failed=("422",)).say(Word.RESUME, written=False).is_at(Phase.PAUSED)
    assert "retry" in play.why_not
    play.say(Word.RETRY, written=False).is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.SUPERSEDED
    assert play.rollout.stands
    assert any(isinstance(one, Forgive) for one in play.last)


@pytest.mark.case("C-10")
def test_what_was_undone_is_let_in_again_once_by_a_retry() -> None:
    """The record of the first attempt stays as it ended."""
    play = soaking().say(Word.UNDO).way_back().is_at(Phase.IDLE)
    ended = play.rollout.ended
    play.look(HOUR).say(Word.RETRY).say(Word.RETRY)
    assert play.answers[-2:] == [(Word.RETRY, True), (Word.RETRY, False)]
    assert sum(isinstance(one, Forgive) for one in play.heard) == 1
    assert (play.rollout.phase, play.rollout.outcome, play.rollout.ended) == (Phase.IDLE, Outcome.UNDONE, ended)


@pytest.mark.case("C-07")
def test_an_undo_that_a_store_refuses_is_a_state_of_its_own_and_safe_to_retry() -> None:
    """Nothing is sent meanwhile; a retry plans anew from where it stands, as often as it takes."""
    play = soaking().say(Word.UNDO).way_back(step(50), step(100)).settle().is_at(Phase.UNDOING, 1)
    for _ in range(3):
        play.look(SECOND, written=False, failed=("403",)).is_at(Phase.HALTED, 1)
        assert play.rollout.hands_off
        play.look(HOUR, written=False, failed=("403",)).is_at(Phase.HALTED)
        play.say(Word.RETRY, written=False, failed=("403",)).is_at(Phase.UNDOING, 1)
        play.way_back(step(50), step(100)).is_at(Phase.UNDOING, 0).settle()
    assert len(play.calls) == 3
    play.settle().is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.UNDONE
    assert play.refusals == 1


@pytest.mark.case("C-07")
def test_where_no_way_leads_back_a_person_is_called() -> None:
    """Say so instead of standing still."""
    play = soaking().say(Word.UNDO)
    play.rollout, actions = set_out_on(play.rollout, None, play.now)
    assert play.rollout.phase is Phase.HALTED
    assert any(isinstance(one, Call) for one in actions)


def test_a_halted_rollout_gives_way_only_to_a_person_who_says_so() -> None:
    """Not to any newer commit by itself: the last word on this unit was harm."""
    play = soaking().say(Word.UNDO).way_back(step(100)).look(SECOND, failed=("403",), newer="b" * 40).is_at(Phase.HALTED)
    play.say(Word.RESUME).is_at(Phase.HALTED)
    play.look(HOUR, newer="b" * 40).is_at(Phase.HALTED)
    play.say(Word.RESUME, newer="b" * 40).is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.SUPERSEDED


def test_undo_long_after_success() -> None:
    """One that nothing came after; in the end the content is refused, or Git would bring it back at once."""
    play = at_the_end().look(30 * DAY)
    assert play.refusals == 0
    play.say(Word.UNDO, later="r2").is_at(Phase.IDLE)
    assert "r2" in play.why_not
    play.say(Word.UNDO).is_at(Phase.UNDOING, 1)
    assert play.rollout.stands
    play.way_back(step(100)).settle().is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.UNDONE
    assert play.refusals == 1


def test_an_undo_before_the_first_step_ends_at_once() -> None:
    """Nothing has to be written for it, and Git's content does not begin again."""
    play = Play(rollout()).look(place=False).say(Word.ABORT, place=False).is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.UNDONE
    assert play.refusals == 1


@pytest.mark.case("C-05")
def test_a_newer_revision_takes_over_between_steps() -> None:
    """No step stays half done; a hold is such a moment, and so is a step that cannot be written at all."""
    newer: dict[str, Any] = {"newer": "b" * 40}
    play = Play(rollout(step(10, Stage.PREPARE, Stage.SHIFT, hold=HOUR), step(100))).look()
    play.settle(**newer).is_at(Phase.APPLYING, 0, 1).settle(**newer).is_at(Phase.IDLE)
    assert play.rollout.outcome is Outcome.SUPERSEDED
    assert play.rollout.stands
    assert [one.source for one in play.last if isinstance(one, Moved)] == [Phase.APPLYING, Phase.SOAKING]
    blocked = Play(rollout()).look().look(SECOND, written=False, blocked="it would empty billing", **newer)
    assert blocked.rollout.outcome is Outcome.SUPERSEDED
    waiting = Play(rollout()).look(place=False, **newer)
    assert waiting.rollout.outcome is Outcome.SUPERSEDED


@pytest.mark.case("C-05")
def test_a_newer_revision_ends_no_pause_that_a_person_asked_for() -> None:
    """It may be the cure for a failure, though, and waits for an undo."""
    newer: dict[str, Any] = {"newer": "b" * 40}
    play = soaking().say(Word.PAUSE).look(HOUR, **newer).is_at(Phase.PAUSED).say(Word.RESUME, **newer)
    assert play.rollout.outcome is Outcome.SUPERSEDED
    failed = Play(rollout()).look().look(SECOND, written=False, failed=("422",)).look(SECOND, written=False, **newer)
    assert failed.rollout.outcome is Outcome.SUPERSEDED
    undone = soaking().say(Word.UNDO, **newer).is_at(Phase.UNDOING)
    undone.look(SECOND, **newer).way_back(step(100)).settle(**newer)
    assert undone.rollout.outcome is Outcome.UNDONE


@pytest.mark.case("C-11")
def test_a_rollout_keeps_the_steps_that_it_began_with() -> None:
    """Its way and its policy are part of it; nothing that is seen changes them."""
    play = soaking(step(10, hold=MINUTE), step(100))
    before = (play.rollout.way, play.rollout.policy)
    play.watch(2 * MINUTE, newer="").settle().look(SECOND).is_at(Phase.IDLE)
    assert (play.rollout.way, play.rollout.policy) == before


@pytest.mark.case("C-14")
def test_a_hand_that_lowers_the_exposure_pauses_and_is_not_disturbed() -> None:
    """Until a person lets the rollout go on, over it: then it is written over, and the next such edit pauses again."""
    edited: dict[str, Any] = {"written": False, "hand_edits": (EDIT,)}
    play = soaking(step(10, hold=HOUR), step(100)).look(SECOND, **edited).is_at(Phase.PAUSED)
    assert play.rollout.hands_off
    assert "kubectl-edit" in play.calls[0]
    play.look(DAY, **edited, gates={"errors": HARM}).is_at(Phase.PAUSED)
    play.say(Word.RESUME, **edited).look(SECOND, **edited).is_at(Phase.SOAKING)
    play.look(SECOND).look(SECOND, **edited).is_at(Phase.PAUSED)


@pytest.mark.case("C-14")
def test_a_hand_that_raises_the_exposure_only_stops_the_hold_until_it_is_put_back() -> None:
    """The step is not in force meanwhile."""
    raised: dict[str, Any] = {"written": False, "hand_edits": (replace(EDIT, lowers=False),)}
    play = soaking(step(10, hold=MINUTE), step(100)).watch(30 * MINUTE, **raised).is_at(Phase.SOAKING)
    assert play.rollout.time.held == NO_TIME


@pytest.mark.case("C-14")
def test_a_hand_edit_in_a_pause_is_kept_as_well() -> None:
    """What a person paused is not written over either."""
    play = soaking().say(Word.PAUSE).look(SECOND, written=False, hand_edits=(EDIT,)).is_at(Phase.PAUSED)
    assert (play.rollout.cause, play.rollout.hands_off) == (Cause.EDITED, True)


def test_an_operators_hold_stops_everything_and_ends_by_itself() -> None:
    """Harm does not act either, since nothing may be written; the phase goes on where it was."""
    play = soaking(step(10, hold=HOUR), step(100)).look(SECOND, hold=HOLD).is_at(Phase.PAUSED)
    assert play.rollout.hands_off
    assert "bob" in play.rollout.reason
    assert play.calls == []
    play.look(MINUTE, hold=HOLD, gates={"errors": HARM}).say(Word.RESUME, hold=HOLD).is_at(Phase.PAUSED)
    play.look(MINUTE).is_at(Phase.SOAKING)
    back = play.say(Word.UNDO, hold=HOLD).is_at(Phase.PAUSED)
    back.look(HOUR, hold=HOLD).look(SECOND).is_at(Phase.UNDOING)
    assert any(isinstance(one, PlanBack) for one in back.last)


def test_a_pause_outlasts_the_hold_that_it_was_said_in() -> None:
    """And is the same pause afterwards."""
    play = soaking().look(SECOND, hold=HOLD).say(Word.PAUSE, hold=HOLD).look(HOUR).is_at(Phase.PAUSED)
    play.say(Word.RESUME).is_at(Phase.SOAKING)


@pytest.mark.case("C-06")
@pytest.mark.parametrize("word", list(Word))
def test_a_word_said_twice_has_one_effect(word: Word) -> None:
    """At once, or one after the other; the second answer says why not."""
    starts = {
        Word.APPROVE: soaking(step(10, approval=True, hold=HOUR), step(100)),
        Word.RESUME: soaking().say(Word.PAUSE),
        Word.RETRY: soaking().say(Word.UNDO).way_back(),
    }
    for at_once in (True, False):
        play = replace(starts.get(word) or soaking(step(10, hold=HOUR), step(100)), heard=[])
        first, second = play.command(word), play.command(word)
        if at_once:
            play.look(SECOND, first, second)
        else:
            play.look(SECOND, first).look(SECOND, second)
        assert play.answers == [(word, True), (word, False)]
        assert len(play.moves(word)) == 1
        assert play.why_not


@pytest.mark.case("C-06")
def test_the_same_command_delivered_twice_is_one_command() -> None:
    """Its id says so."""
    play = soaking()
    said = play.command(Word.PAUSE)
    assert play.look(SECOND, said, said).answers == [(Word.PAUSE, True)]


@pytest.mark.case("C-06")
def test_words_that_arrive_together_are_taken_in_their_order() -> None:
    """Each finds what the one before left."""
    play = soaking(step(10, approval=True, hold=HOUR), step(100))
    said = [play.command(word) for word in (Word.PAUSE, Word.RESUME, Word.ABORT, Word.UNDO, Word.APPROVE, Word.RETRY)]
    play.look(SECOND, *reversed(said)).is_at(Phase.UNDOING)
    done = [Word.PAUSE, Word.RESUME, Word.ABORT]
    assert play.answers == [(word, word in done) for word in (*done, Word.UNDO, Word.APPROVE, Word.RETRY)]


@pytest.mark.case("C-06")
@pytest.mark.parametrize("word", [word for word in Word if word is not Word.UNDO])
def test_after_the_end_words_change_nothing(word: Word) -> None:
    """But for undo, which has its own promise."""
    play = at_the_end()
    before = play.rollout
    play.say(word)
    assert play.rollout == before
    assert play.answers == [(word, False)]


def test_an_approval_is_bound_to_the_plan_and_counts_for_one_step() -> None:
    """Another plan's does not count, a step that asks for none takes none, and the next step asks again."""
    play = soaking(step(10, approval=True), step(50, approval=True), step(100))
    play.say(Word.APPROVE, digest="e" * 64).is_at(Phase.SOAKING, 0)
    assert "look at it again" in play.why_not
    play.say(Word.APPROVE).settle().is_at(Phase.SOAKING, 1)
    assert play.rollout.approvals == ()
    play.say(Word.APPROVE).is_at(Phase.APPLYING, 2).say(Word.APPROVE)
    assert "no approval" in play.why_not


def test_an_approval_may_be_given_ahead_and_in_a_pause() -> None:
    """It waits for the step that it is for."""
    play = Play(rollout(step(10, approval=True), step(100))).look().say(Word.APPROVE, written=False)
    play.say(Word.PAUSE).say(Word.APPROVE, by="bob").say(Word.RESUME)
    assert [one.by for one in play.rollout.approvals] == ["ann", "bob"]
    play.settle().look(SECOND).is_at(Phase.APPLYING, 1)


def test_an_approval_gate_may_ask_the_same_person_again() -> None:
    """What has expired is given anew, and counts for one person still."""
    asks: dict[str, Any] = {"gates": {"people": said(Consequence.STAY, Reason.APPROVAL)}}
    play = soaking().say(Word.APPROVE, **asks).say(Word.APPROVE, **asks)
    assert play.answers == [(Word.APPROVE, True), (Word.APPROVE, True)]
    assert len(play.rollout.approvals) == 1


def test_an_approval_is_void_once_something_else_would_happen() -> None:
    """The reason is kept, and a person has to look again."""
    play = soaking(step(10, approval=True, hold=HOUR), step(100)).say(Word.APPROVE)
    play.look(SECOND, void="one VM less: 14 % instead of 10 %")
    assert play.rollout.approvals == ()
    assert "14 %" in play.rollout.reason


def test_new_pods_of_another_version_restart_hold_and_evidence() -> None:
    """What the old ones have shown says nothing of them."""
    play = soaking(step(10, hold=10 * MINUTE, **GATED), step(100), population="v1").watch(9 * MINUTE, population="v1")
    play.rollout = replace(play.rollout, gate_state={"errors": {"good": 3}})
    play.look(MINUTE, population="v2", gates={"errors": PASS}).is_at(Phase.SOAKING)
    assert (play.rollout.gate_state, play.rollout.in_force) == ({}, play.now)
    play.watch(10 * MINUTE, population="v2", gates={"errors": PASS}).is_at(Phase.APPLYING, 1)


def test_with_no_settle_time_and_nothing_to_wait_for_a_step_takes_two_looks() -> None:
    """One to begin, one to find it written."""
    play = Play(rollout(step(100)), pace=Pace(settle=NO_TIME)).look(written=False).look(SECOND)
    assert play.rollout.outcome is Outcome.SUCCEEDED


def test_a_rollout_that_has_ended_is_not_touched_by_looks() -> None:
    """Not even its times: nothing has to be saved."""
    ended = at_the_end().rollout
    assert advance(ended, Seen(written=True, outage="x", failed=("y",), hold=HOLD), NOON + DAY) == (ended, ())


def test_what_a_person_is_asked_names_the_plan_to_approve() -> None:
    """By the digits that `approve --digest` takes, wherever it is shown."""
    asks = rollout(step(10, approval=True), step(100), phase=Phase.SOAKING, started=NOON)
    assert outlook(asks, stored(asks)).asked == f"a person must approve what comes next (plan {asks.digest[:12]})"
    assert outlook(replace(asks, phase=Phase.PAUSED, cause=Cause.HOLD)).cause is Cause.HOLD


def test_a_person_lets_so_many_pods_come_to_armed_weights_and_no_more() -> None:
    """20 are approved by plan, as a step that asks for it is; five more hold it again. Whoever said yes may say so again."""
    many, more = (Overrun("shop/billing", pods, 8) for pods in (20, 25))
    play = Play(rollout(step(10, hold=HOUR), step(100))).begun()
    play.look(SECOND, overrun=many).say(Word.APPROVE, overrun=many)
    assert play.rollout.let == 20
    play.watch(2 * HOUR, overrun=more).is_at(Phase.SOAKING, 0)
    assert [one.what for one in waits(play.rollout, Seen(written=True, overrun=more), PACE)] == [For.PODS]
    play.say(Word.APPROVE, overrun=more).is_at(Phase.APPLYING, 1)


def test_nobody_approves_pods_that_were_expected() -> None:
    """The step asks for no approval, and as many were let come already."""
    many = Overrun("shop/billing", 20, 8)
    play = Play(rollout(step(10, hold=HOUR), step(100))).begun().say(Word.APPROVE)
    assert "asks for no approval" in play.why_not
    play.say(Word.APPROVE, overrun=many).say(Word.APPROVE, by="bob", overrun=many)
    assert play.answers == [(Word.APPROVE, False), (Word.APPROVE, True), (Word.APPROVE, False)]
