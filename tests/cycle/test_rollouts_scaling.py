"""Rollouts whose Pods an HPA scales: what weights are armed for, what a step needs, and what keeps the way back open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.records import Health
from reconciler.core.resources import Autoscaler, Controller, Key
from reconciler.core.rollouts.outlook import Outlook
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.rollouts.seen import Word
from reconciler.cycle.status import read_status
from reconciler.reports.rollouts import gone, notes, title
from reconciler.reports.shares import abreast, left_alone
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.cycle.test_rollouts_split import HALF, born, machines, scale, weights
from tests.cycle.test_rollouts_subsets import MACHINES, ONLY_PODS, Routed, unit
from tests.cycle.test_rollouts_subsets import TWO as LABELLED
from tests.worlds import SELECTOR, World, inline, mixed

TWO = mixed(vm(1), vm(2))
DEPLOYMENT = Controller("Deployment", "shop", "billing", 0, {"app": "billing"})


def autoscaled(rolled: Rolled, pods: int, bounds: tuple[int, int] = (2, 20), ready: int | None = None) -> None:
    """The HPA asks for so many Pods, the Deployment keeps as many, and so many of them are ready (all, if nobody says)."""
    cluster = rolled.world.cluster
    cluster.put_autoscaler(Autoscaler("shop", "billing", "Deployment/billing", *bounds, pods, pods))
    cluster.put_controller(replace(DEPLOYMENT, replicas=pods))
    scale(rolled, pods, ready)


def waits(rolled: Rolled) -> str:
    """What the newest rollout waits for, by the next look."""
    return "; ".join(text for one in rolled.look().rollouts for text in one.waits)


@pytest.mark.parametrize("hpa", [True, False])
def test_weights_are_armed_for_all_pods_that_may_be_started(hpa: bool) -> None:  # noqa: FBT001 - two cases
    """The policy says nothing: as many as the HPA may run, else as many as the Deployment is told to."""
    rolled = born(0)
    if hpa:
        rolled.world.cluster.put_autoscaler(Autoscaler("shop", "billing", "Deployment/billing", 2, 8))
    rolled.world.cluster.put_controller(replace(DEPLOYMENT, replicas=2 if hpa else 8))
    rolled.policy = policy(split=HALF)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    (shown,) = rolled.look().rollouts
    assert shown.notes[-1] == "no Pod runs yet: weights are sized for the 8 that may come, until then the VMs get all"
    scale(rolled, 8)
    assert 0.95 <= machines(rolled) < 0.98
    rolled.until(Phase.IDLE)
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_pods_that_have_no_share_arm_nothing() -> None:
    """Without a split the VMs get all, and no weight is raised for Pods that may come."""
    rolled = Rolled(World())
    rolled.world.cluster.put_autoscaler(Autoscaler("shop", "billing", "Deployment/billing", 2, 8))
    rolled.world.cluster.put_controller(DEPLOYMENT)
    rolled.begin_with(*TWO)
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.WATCHING)
    assert weights(rolled) == [None, None]


def test_a_step_waits_until_a_person_lets_the_hpa_run_enough_pods() -> None:
    """One Pod would get nine tenths of what two VMs got. The HPA acts on load, which is not there yet: it has to be told."""
    rolled = Rolled(World())
    autoscaled(rolled, 1, (1, 4))
    rolled.commit(*inline("10.0.0.1", "10.0.0.2"))
    rolled.look()
    rolled.policy = policy(split={"vm": 10, "pod": 90})
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 1)
    for _ in range(5):
        text = waits(rolled)
    assert text.endswith("each: 2 are needed; set minReplicas of hpa/billing to 2")
    rolled.world.cluster.put_autoscaler(Autoscaler("shop", "billing", "Deployment/billing", 2, 4, 1, 1))
    assert waits(rolled).endswith("2 are needed; hpa/billing asks for 2 already")
    autoscaled(rolled, 2, (2, 4))
    rolled.until(Phase.WATCHING)


def moving_to_vms(**spec: Any) -> Rolled:
    """A service whose requests go to 20 Pods, 4 % to each, and that Git now wants to go to two VMs."""
    rolled = Rolled(World(), policy(split={"vm": 20, "pod": 80}, **spec))
    autoscaled(rolled, 20)
    rolled.begin_with(*TWO)
    rolled.policy = policy(split={"vm": 90, "pod": 10}, **spec)
    rolled.begin(*TWO)
    return rolled


def test_an_hpa_that_has_shrunk_the_old_side_holds_the_step() -> None:
    """20 Pods got 80 %, and an undo would give that to the six that are left. Raised in time, it goes on."""
    rolled = moving_to_vms()
    rolled.until(Phase.SOAKING, 1)
    autoscaled(rolled, 6)
    for _ in range(5):
        text = waits(rolled)
    assert rolled.newest.step == 1
    assert text == (
        "hpa/billing has shrunk the old side of shop/billing to 6 Pods, and an undo needs 14; "
        "set minReplicas of hpa/billing to 14"
    )
    autoscaled(rolled, 14, (14, 20))
    rolled.until(Phase.WATCHING)


def test_pods_that_crashed_do_not_hold_the_step_that_leads_away_from_them() -> None:
    """16 of 20 are lost, all are meant to run: the VMs are where requests are well."""
    rolled = moving_to_vms()
    rolled.until(Phase.SOAKING, 1)
    autoscaled(rolled, 20, ready=4)
    rolled.until(Phase.WATCHING)


def test_an_undo_waits_for_the_pods_that_it_goes_back_to() -> None:
    """Long after the end the HPA runs one, too few for even the first step back: it says what to set, for all of the way."""
    rolled = moving_to_vms(watch="1m")
    rolled.until(Phase.WATCHING)
    autoscaled(rolled, 1)
    (watched,) = rolled.look().rollouts
    assert [text for text in notes(watched) if text.startswith("an undo would wait: 1 ready Pod would get all of ")]
    rolled.until(Phase.IDLE)
    rolled.say(Word.UNDO)
    rolled.look()
    text = waits(rolled)
    assert (rolled.newest.phase, rolled.newest.back) == (Phase.UNDOING, None)
    assert "1 ready Pod would get all of 8.732% of the requests to shop/billing, more than 6% (1.5 times" in text
    assert text.endswith("each: 2 are needed, 14 further on; set minReplicas of hpa/billing to 14")
    autoscaled(rolled, 4)
    rolled.look()
    assert rolled.newest.back is not None
    for _ in range(8):
        text = waits(rolled)
    assert text.endswith("are needed, 14 further on; set minReplicas of hpa/billing to 14")
    autoscaled(rolled, 20)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE


def test_what_few_pods_bear_at_night_they_are_trusted_with() -> None:
    """7 of 20 Pods are left since requests are few, and each step of an undo gives them little more. Not so after a crash."""
    rolled = moving_to_vms()
    rolled.until(Phase.SOAKING, 0)
    autoscaled(rolled, 7)
    rolled.look()
    rolled.look()
    rolled.say(Word.UNDO)
    rolled.look()
    assert rolled.newest.back is not None
    autoscaled(rolled, 7, ready=3)
    for _ in range(12):
        text = waits(rolled)
    assert "3 ready Pods would get all of 65% of the requests to shop/billing, more than 6% (" in text
    autoscaled(rolled, 7)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE


def test_an_undo_waits_for_the_vms_that_it_goes_back_to() -> None:
    """Requests have moved to Pods, and then the VMs fell ill: they would get requests again."""
    rolled = born(4, split={"vm": 90, "pod": 10})
    rolled.policy = policy(split={"vm": 40, "pod": 60}, watch="1m")
    rolled.begin(*TWO)
    rolled.until(Phase.IDLE)
    for name in ("vm1", "vm2"):
        rolled.world.registry.report(Key("VirtualMachine", "shop", name), {"health": Health.UNHEALTHY})
    rolled.say(Word.UNDO)
    rolled.look()
    assert waits(rolled).endswith("no VM of shop/billing is healthy")
    assert rolled.newest.back is None
    for name in ("vm1", "vm2"):
        rolled.world.registry.report(Key("VirtualMachine", "shop", name), {"health": Health.HEALTHY})
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE


def test_what_may_not_be_read_is_not_known_and_said() -> None:
    """The HPA is hidden: the advice is what the Deployment tells, with the remark that it may not be all."""
    rolled = Rolled(World())
    autoscaled(rolled, 1, (1, 4))
    rolled.world.cluster.hide("HorizontalPodAutoscaler")
    rolled.commit(*inline("10.0.0.1", "10.0.0.2"))
    rolled.look()
    rolled.policy = policy(split={"vm": 10, "pod": 90})
    rolled.commit(*TWO)
    unknown = "what scales these Pods is not all known: HorizontalPodAutoscaler cannot be read"
    (plan,) = rolled.process("look:1").run("plan", write=False).rollouts
    assert unknown in plan.notes
    assert plan.steps[2].lacks.endswith(f"each: 2 are needed; scale deployment/billing to 2; {unknown}")
    assert left_alone(plan) == ()


def test_an_abort_does_not_wait() -> None:
    """A person who says so goes back whatever Pods there are."""
    rolled = moving_to_vms()
    rolled.until(Phase.SOAKING, 1)
    autoscaled(rolled, 2)
    rolled.look()
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE


def status(rolled: Rolled) -> Outlook:
    """The newest rollout as `status` shows it, which asks the state store alone."""
    world = rolled.world
    return read_status("test", world.store, world.lease(), world.clock.now()).rollouts[-1]


def shares(rolled: Rolled) -> tuple[float | None, ...]:
    """The VMs' share as planned, written and observed, by the last look."""
    found = status(rolled).figures
    assert found is not None
    (one,) = found.shares
    return tuple(None if share is None else round(float(share), 2) for share in (one.planned, one.written, one.observed))


def test_planned_written_and_observed_shares_stand_side_by_side() -> None:
    """Observed is nothing before the proxies are known to have it, and then what the endpoints that serve make of it."""
    rolled = moving_to_vms()
    assert shares(rolled) == (0.27, 0.2, None)
    rolled.look()
    assert shares(rolled) == (0.27, 0.26, None)
    rolled.until(Phase.SOAKING, 0)
    assert shares(rolled) == (0.27, 0.26, 0.26)
    autoscaled(rolled, 20, ready=4)
    rolled.look()
    assert shares(rolled) == (0.27, 0.26, 0.64)
    autoscaled(rolled, 20)
    rolled.world.registry.report(Key("VirtualMachine", "shop", "vm1"), {"health": Health.UNHEALTHY, "address": "10.0.0.1"})
    rolled.look()
    assert shares(rolled) == (0.27, 0.26, 0.13)
    rolled.say(Word.ABORT)
    rolled.until(Phase.IDLE)
    assert status(rolled).figures is None, "they are of a look of long ago"


def test_a_service_that_nobody_divides_has_no_shares_to_show() -> None:
    """All of it goes to VMs before and after."""
    rolled = Rolled(World())
    rolled.begin_with(*TWO)
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    found = status(rolled).figures
    assert found is not None
    assert found.shares == ()


def alone(rolled: Rolled) -> dict[int, float]:
    """The exposure of each step with the reconciler stopped and the HPA at its maximum; `status` has the current one."""
    (plan,) = rolled.process("look:0").run("plan", write=False).rollouts
    found, kept = plan.figures, status(rolled).figures
    assert found is not None
    assert kept is not None
    assert kept.left_alone == found.left_alone[:1]
    assert {(one.scaler, one.pods) for one in found.left_alone} <= {("hpa/billing", 20)}
    return {one.step: round(float(one.exposure), 2) for one in found.left_alone}


def test_what_nobody_weighs_anew_goes_farther_as_the_hpa_grows() -> None:
    """Weights for 4 Pods, and 20 may run: a tenth of the way becomes three quarters. At the maximum it stays."""
    rolled = born(4, split={"vm": 90, "pod": 10})
    autoscaled(rolled, 4)
    rolled.policy = policy(split={"vm": 40, "pod": 60})
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    assert alone(rolled) == {0: 0.71, 1: 1.23, 2: 1.54}
    autoscaled(rolled, 20)
    rolled.look()
    rolled.look()
    assert alone(rolled) == pytest.approx({0: 0.1, 1: 0.5, 2: 1.0}, abs=0.06)


def test_status_says_what_keeps_a_rollout() -> None:
    """Also that a person has to set something at the HPA, without asking the cluster."""
    rolled = moving_to_vms()
    rolled.until(Phase.SOAKING, 1)
    autoscaled(rolled, 6)
    for _ in range(5):
        rolled.look()
    assert [text for text in status(rolled).waits if text.endswith("set minReplicas of hpa/billing to 14")]
    rolled.say(Word.ABORT)
    rolled.until(Phase.IDLE)
    assert status(rolled).waits == ()


def test_a_plan_speaks_of_what_would_be() -> None:
    """Nothing of it has begun: no step runs, nothing was due, and nothing is waited for."""
    rolled = Rolled(World())
    autoscaled(rolled, 4)
    rolled.begin_with(*TWO)
    rolled.policy = policy(split={"vm": 10, "pod": 90})
    rolled.commit(*TWO)
    (plan,) = rolled.process("look:1").run("plan", write=False).rollouts
    assert (title(plan), gone(plan), plan.reason, plan.waits) == ("would begin step 1 of 3", "0 %", "", ())
    assert abreast(plan) == ()
    assert left_alone(plan)
    rolled.look()
    (served,) = rolled.look().rollouts
    assert title(served) == "applying, step 1 of 3"
    rolled.until(Phase.SOAKING, 0)
    (plan,) = rolled.process("look:2").run("plan", write=False).rollouts
    assert (title(plan), plan.reason) == ("soaking, step 1 of 3", "the step is in force")
    rolled.world.pass_time(seconds=30)
    (plan,) = rolled.process("look:3").run("plan", write=False).rollouts
    assert (title(plan), gone(plan)) == ("would begin step 2 of 3", "10 %")


def test_each_step_names_what_moves_with_it() -> None:
    """Git changes one VM's weight; its neighbour is weighed down with it at first, and gets back at the end what Git says."""
    rolled = Rolled(World())
    rolled.begin_with(*mixed(vm(1), vm(2), vm(3)))
    rolled.commit(*mixed(vm(1), vm(2), vm(3), vm(4)))
    (plan,) = rolled.process("look:1").run("plan", write=False).rollouts
    named = [sorted(key.name for key in step.objects if key.kind == "WorkloadEntry") for step in plan.steps]
    assert named == [["vm1", "vm2", "vm3", "vm4"], ["vm1", "vm2", "vm3", "vm4"], ["vm1", "vm2", "vm3", "vm4"]]


def test_what_routes_give_is_exact_however_many_pods_run() -> None:
    """Strategy subsets: the shares stand side by side as they are planned, and nothing would become of them alone."""
    rolled = Routed()
    rolled.world.cluster.put_controller(replace(DEPLOYMENT, labels=ONLY_PODS["labels"]))
    rolled.world.cluster.put_autoscaler(Autoscaler("shop", "billing", "Deployment/billing", 2, 20, 2, 2))
    rolled.commit(*unit(MACHINES, *LABELLED))
    rolled.look()
    rolled.policy = policy(strategy="subsets", split={"vm": 30, "pod": 70})
    rolled.commit(*unit(SELECTOR, *LABELLED))
    rolled.look()
    rolled.until(Phase.SOAKING, 3)
    assert shares(rolled) == (0.65, 0.65, 0.65)
    assert alone(rolled) == {}
