"""A split that Git asks for: reached in steps, and held from then on while Pods scale, crash and come back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from reconciler.core.report import Verdict
from reconciler.core.resources import Controller
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.rollouts.seen import Command, Word
from reconciler.core.rollouts.values import LegKind
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.worlds import World, mixed, pod

HALF, FIFTH = {"vm": 50, "pod": 50}, {"vm": 20, "pod": 80}
TWO = mixed(vm(1), vm(2))


def scale(rolled: Rolled, count: int, ready: int | None = None) -> None:
    """What the HPA and the kubelet do: so many Pods are meant to run, and so many of them are ready."""
    cluster = rolled.world.cluster
    for number in range(1, 60):
        cluster.remove_pod("shop", f"billing-{number}")
    for number in range(1, count + 1):
        cluster.put_pod(replace(pod(number), ready=ready is None or number <= ready))


def machines(rolled: Rolled) -> float:
    """The VMs' share of the requests, by what is live."""
    return float(1 - rolled.shares().get("pods", Fraction(0)))


def weights(rolled: Rolled) -> list[int | None]:
    """The weights of both VMs as they are live."""
    return [rolled.world.spec("WorkloadEntry", name).get("weight") for name in ("vm1", "vm2")]


def born(pods: int, **spec: object) -> Rolled:
    """A service that is new, with a split from the first write on."""
    rolled = Rolled(World(), policy(**spec))
    scale(rolled, pods)
    rolled.commit(*TWO)
    rolled.look()
    return rolled


def test_a_split_counts_from_the_first_write_of_a_new_service_on() -> None:
    """Nobody sends requests to it yet, so that no step is needed."""
    rolled = born(8, split=HALF)
    assert machines(rolled) == 0.5
    assert weights(rolled) == [4, 4]
    assert rolled.look().verdict is Verdict.IN_SYNC


def test_the_weights_of_a_split_follow_the_pods_that_are_meant_to_run() -> None:
    """The HPA goes up: Git's weights never come back, and no request goes elsewhere for long."""
    rolled = born(2, split=HALF)
    for pods in (20, 24, 16):
        scale(rolled, pods)
        rolled.look()
        assert machines(rolled) == pytest.approx(0.5, abs=0.03)
        assert rolled.look().results == ()


def test_what_is_near_enough_is_not_written() -> None:
    """One Pod of 8 more: nobody would notice."""
    rolled = born(8, split=HALF)
    before = weights(rolled)
    scale(rolled, 9)
    report = rolled.look()
    assert report.results == ()
    assert report.verdict is Verdict.IN_SYNC
    assert weights(rolled) == before


def test_pods_that_crash_are_not_made_up_for() -> None:
    """8 of 10 are not ready: the VMs take over by themselves, and who is left gets not a request more by our doing."""
    rolled = born(10, split=HALF)
    before = weights(rolled)
    scale(rolled, 10, ready=2)
    report = rolled.look()
    assert report.results == ()
    assert [note for note in report.notes if "8 of 10 Pods do not serve" in note]
    assert weights(rolled) == before
    scale(rolled, 10)
    assert rolled.look().results == ()
    assert machines(rolled) == 0.5


def test_the_share_gives_way_before_a_pod_gets_too_much() -> None:
    """24 Pods become 14: each gets 1.5 times what it got at most, the VMs the rest. Of 3 each has more already."""
    rolled = born(24, split=HALF)
    assert weights(rolled) == [11, 11]
    scale(rolled, 14)
    notes = rolled.look().notes
    assert [note for note in notes if note.startswith("shop/billing: the VMs get ") and "more than 1.5 times" in note], notes
    assert machines(rolled) == pytest.approx(1 - 14 * 1.5 / 46, abs=0.02)
    before = weights(rolled)
    scale(rolled, 3)
    assert rolled.look().results == ()
    assert weights(rolled) == before
    scale(rolled, 24)
    rolled.look()
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_spill_bounds_what_the_other_side_takes_over() -> None:
    """With 10 % the VMs are weighed down to 60 % where 8 of 10 Pods are lost, as far as these two bear it."""
    free, bound = (born(10, split=HALF, spill=spill, maxLoadPerEndpoint=5) for spill in ("100%", "10%"))
    for rolled in (free, bound):
        scale(rolled, 10, ready=2)
        rolled.look()
    assert machines(free) == pytest.approx(10 / 12)
    assert machines(bound) == pytest.approx(0.6, abs=0.03)


def test_without_pods_weights_are_sized_for_those_to_come() -> None:
    """Somebody else starts them, and they find the split that is wanted."""
    rolled = born(0, split=HALF, expectPods=6)
    assert weights(rolled) == [3, 3]
    scale(rolled, 6)
    assert rolled.look().results == ()
    assert machines(rolled) == 0.5


def test_weights_are_armed_before_the_first_pod() -> None:
    """The service runs on VMs alone, and somebody will start Pods: all that are expected stay within the first step."""
    rolled = born(0)
    rolled.policy = policy(split=HALF, expectPods=8)
    rolled.begin(*TWO)
    armed = rolled.until(Phase.SOAKING, 0)
    for _ in range(5):
        rolled.look()
    assert (rolled.newest.phase, rolled.newest.step) == (Phase.SOAKING, armed.step), rolled.newest.reason
    scale(rolled, 8)
    assert 0.95 <= machines(rolled) < 0.98
    found = {step: float(1 - seen["pods"]) for step, seen in rolled.path()}
    assert found == pytest.approx({0: 0.95, 1: 0.75, 2: 0.5}, abs=0.03)
    rolled.until(Phase.IDLE)
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_armed_weights_stay_while_the_first_pods_start_one_by_one() -> None:
    """All that are expected stay within the first step, so that those who come next find nothing that was made for fewer."""
    rolled = born(0)
    rolled.policy = policy(split=HALF, expectPods=8)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    armed = weights(rolled)
    for pods, ready in ((1, 0), (1, 1), (2, 0), (8, 5)):
        scale(rolled, pods, ready)
        rolled.look()
        assert (rolled.newest.phase, rolled.newest.step, weights(rolled)) == (Phase.SOAKING, 0, armed), rolled.newest.reason
    scale(rolled, 8)
    rolled.until(Phase.SOAKING, 1)
    assert machines(rolled) == pytest.approx(0.75, abs=0.02)


def test_weights_are_sized_for_all_that_a_deployment_starts() -> None:
    """Three of eight are there and pass the first step: when the others come, no weight has to follow."""
    rolled = born(0)
    rolled.world.cluster.put_controller(Controller("Deployment", "shop", "billing", 8, {"app": "billing"}))
    rolled.policy = policy(split=HALF)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, 3)
    rolled.until(Phase.SOAKING, 1)
    before = weights(rolled)
    scale(rolled, 8)
    rolled.look()
    assert weights(rolled) == before
    assert machines(rolled) == pytest.approx(0.75, abs=0.02)


def test_pods_that_came_to_armed_weights_get_next_to_nothing_after_an_undo() -> None:
    """There were none at the start, and somebody else started them: they are not ours to end."""
    rolled = born(0)
    rolled.policy = policy(split=HALF, expectPods=8)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, 8)
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert machines(rolled) >= 0.95


@pytest.mark.parametrize("word", [Word.ABORT, Word.UNDO])
def test_an_undo_gives_vms_their_weights_back_where_the_selector_keeps_pods_out(word: Word) -> None:
    """Nothing is left against which a share were to be held: everything stands as before, in the middle and after the end."""
    rolled = Rolled(World(), policy())
    scale(rolled, 4)
    apart = [{**vm(number), "spec": {**vm(number)["spec"], "weight": 10 * number}} for number in (1, 2)]
    labelled = [{**one, "spec": {**one["spec"], "labels": {"app": "billing", "platform": "vm"}}} for one in apart]
    namespace, entry, *_ = mixed()
    selector = {"labels": {"app": "billing", "platform": "vm"}}
    kept_out = {**entry, "spec": {**entry["spec"], "workloadSelector": selector}}
    rolled.begin_with(namespace, kept_out, *labelled)
    assert (machines(rolled), weights(rolled)) == (1, [10, 20])
    rolled.policy = policy(split=HALF, expectPods=8)
    rolled.begin(namespace, entry, *labelled)
    rolled.until(*((Phase.SOAKING, 1) if word is Word.ABORT else (Phase.IDLE,)))
    assert machines(rolled) < 0.8
    rolled.say(word)
    rolled.look()
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    rolled.look()
    assert (machines(rolled), weights(rolled)) == (1, [10, 20])


def test_a_split_that_changes_alone_is_rolled_out_from_todays_share() -> None:
    """The documents are the same: 50 % become 20 % in the steps of the policy, and stay there when it has ended."""
    rolled = born(40, split=HALF)
    rolled.policy = policy(split=FIFTH)
    rolled.begin(*TWO)
    found = {step: float(1 - seen["pods"]) for step, seen in rolled.path()}
    assert found == pytest.approx({0: 0.47, 1: 0.35, 2: 0.2}, abs=0.02)
    rolled.until(Phase.IDLE)
    assert rolled.newest.outcome is Outcome.SUCCEEDED
    assert rolled.look().verdict is Verdict.IN_SYNC
    scale(rolled, 56)
    rolled.look()
    assert machines(rolled) == pytest.approx(0.2, abs=0.02)


def test_a_service_that_had_no_split_goes_there_from_where_it_is() -> None:
    """Two VMs and two Pods of weight 1 each are at 50 % already, two and eight at 20 %."""
    for pods, steps in ((8, 3), (2, 0)):
        rolled = born(pods)
        assert weights(rolled) == [None, None]
        rolled.policy = policy(split=HALF)
        rolled.begin(*TWO)
        assert len(rolled.newest.way.steps) == steps
        if steps:
            rolled.until(Phase.IDLE)
        assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_a_split_that_is_taken_back_leads_to_the_weights_of_git() -> None:
    """In steps as well; then Git says what is wanted, whatever Pods do."""
    rolled = born(38, split=HALF)
    rolled.policy = policy()
    rolled.begin(*TWO)
    found = {step: float(1 - seen["pods"]) for step, seen in rolled.path()}
    assert found == pytest.approx({0: 0.455, 1: 0.275, 2: 0.05}, abs=0.03)
    rolled.until(Phase.WATCHING)
    assert weights(rolled) == [None, None]


def test_the_start_stays_where_it_was_while_the_hpa_scales_in_mid_rollout() -> None:
    """20, 59 and 15 Pods in the first step, at a tenth of the way from 9 % to 50 %: the share is that of the step."""
    rolled = born(20)
    rolled.policy = policy(split=HALF)
    rolled.begin(*TWO)
    first = rolled.until(Phase.SOAKING, 0)
    step = 1 / 11 + (1 / 2 - 1 / 11) / 10
    assert machines(rolled) == pytest.approx(step, abs=0.02)
    scale(rolled, 59)
    rolled.look()
    assert rolled.newest.step == first.step
    assert machines(rolled) == pytest.approx(step, abs=0.02)
    scale(rolled, 15)
    rolled.look()
    assert rolled.newest.step == first.step
    assert machines(rolled) == pytest.approx(step, abs=0.02)


def test_a_step_says_what_keeps_it_from_its_share() -> None:
    """24 Pods become 14 in the step at 10 %: they would get too much, and the table of steps says so."""
    rolled = born(24, split=HALF)
    rolled.policy = policy(split=FIFTH)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, 14)
    (shown,) = rolled.look().rollouts
    assert [note for note in shown.notes if "more than 1.5 times its load at the step's start" in note]


def test_an_address_changes_in_place_while_the_split_is_held() -> None:
    """On the leg of the endpoints, which moves nothing else: the HPA doubles the Pods in the middle of it."""
    rolled = born(8, split=HALF)
    rolled.begin(*mixed(vm(1, locality="eu/a"), vm(2, locality="eu/a")))
    assert [leg.kind for leg in rolled.newest.way.legs] == [LegKind.ENDPOINTS]
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, 16)
    rolled.look()
    assert rolled.newest.step == 0
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_an_undo_holds_the_share_that_was_there_before() -> None:
    """From 35 % on the way to 20 %, back to 50 %, though twice as many Pods run by now."""
    rolled = born(8, split=HALF)
    rolled.policy = policy(split=FIFTH)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 1)
    scale(rolled, 16)
    rolled.say(Word.ABORT)
    found = rolled.until(Phase.IDLE)
    assert found.outcome is Outcome.UNDONE
    assert found.reason == (
        "all but weights stands as before; weights hold the share that the VMs had then, 50% (live: 50% of shop/billing)"
    )
    rolled.look()
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_a_split_that_was_taken_back_is_tried_again_once_somebody_says_so() -> None:
    """No object of Git differs from what stands: as a new attempt it begins anew all the same, and not before."""
    rolled = born(40, split=HALF)
    rolled.policy = policy(split=FIFTH)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    first = rolled.until(Phase.IDLE)
    rolled.look()
    assert (rolled.newest.id, first.outcome) == (first.id, Outcome.UNDONE)
    rolled.say(Word.RETRY)
    rolled.look()
    rolled.look()
    assert (rolled.newest.attempt, rolled.newest.commit) == (2, first.commit)
    rolled.until(Phase.IDLE)
    assert rolled.newest.outcome is Outcome.SUCCEEDED
    assert machines(rolled) == pytest.approx(0.2, abs=0.02)


def test_a_word_to_a_rollout_of_the_past_lets_nothing_be_written_at_once() -> None:
    """What was taken back comes again in a later commit: it stays refused, unless somebody says to try it again."""
    rolled = Rolled()
    rolled.begin_with(*TWO)
    three = mixed(vm(1), vm(2), vm(3))
    rolled.begin(*three)
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    first = rolled.until(Phase.IDLE)
    rolled.commit(*TWO)
    rolled.look()
    rolled.commit(*three)
    assert rolled.look().verdict is Verdict.REFUSED
    said = Command("past", first.id, Word.PAUSE, "eve", "tired", rolled.world.clock.now())
    rolled.world.store.rollouts.say(said)
    for _ in range(2):
        report = rolled.look()
        assert (report.verdict, report.results) == (Verdict.REFUSED, ())
    assert "vm3" not in rolled.shares()


def test_a_change_that_moves_no_requests_leaves_the_split_where_it_is() -> None:
    """An annotation of the ServiceEntry: the weights in Git, which say the ratio alone, begin no leg of their own."""
    rolled = born(8, split=HALF)
    namespace, entry, *others = TWO
    rolled.begin(namespace, {**entry, "metadata": {**entry["metadata"], "annotations": {"a": "b"}}}, *others)
    assert [leg.kind for leg in rolled.newest.way.legs] == [LegKind.WHOLE]
    rolled.until(Phase.IDLE)
    assert machines(rolled) == 0.5
    scale(rolled, 16)
    rolled.look()
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_a_split_is_no_rollout_under_way() -> None:
    """It is shown nowhere as one, and nothing of it is stored again and again."""
    rolled = born(8, split=HALF)
    turn = rolled.newest.turn
    report = rolled.look()
    assert report.rollouts == ()
    assert rolled.newest.turn == turn


def weighing_ten(pods: int) -> Rolled:
    """A service whose VMs weigh 10 each beside Pods, without a split, on its way to one."""
    rolled = Rolled(World(), policy())
    scale(rolled, pods)
    ten = mixed(*({**vm(number), "spec": {**vm(number)["spec"], "weight": 10}} for number in (1, 2)))
    rolled.begin_with(*ten)
    rolled.policy = policy(split=HALF)
    rolled.begin(*ten)
    return rolled


@pytest.mark.parametrize("word", [Word.ABORT, Word.UNDO])
def test_an_undo_writes_the_starting_weights_where_no_split_was_held(word: Word) -> None:
    """Pods served beside the VMs, and Git's weights ruled: the same share by other weights is not how it was."""
    rolled = weighing_ten(2)
    rolled.until(*((Phase.SOAKING, 1) if word is Word.ABORT else (Phase.IDLE,)))
    assert weights(rolled) != [10, 10]
    rolled.say(word)
    rolled.look()
    assert rolled.until(Phase.IDLE).reason == "everything stands as before"
    assert weights(rolled) == [10, 10]
    scale(rolled, 8)
    rolled.look()
    assert weights(rolled) == [10, 10], "from here on Pods scale as they did before"


def test_an_undo_gives_pods_that_have_come_since_no_more_than_they_had() -> None:
    """Six became twelve on the way: by the weights of the start they would get more than ever, so its share is restored."""
    rolled = weighing_ten(6)
    before = 20 / 26
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, 12)
    rolled.look()
    rolled.say(Word.ABORT)
    assert "the share that the VMs had then, 76.92% (live: 76.92% of shop/billing)" in rolled.until(Phase.IDLE).reason
    rolled.look()
    assert machines(rolled) == pytest.approx(before, abs=0.03)
