"""Weights that are armed before the first Pod, and more Pods than anybody expected: the first step holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.resources import Autoscaler
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Word
from reconciler.reports import logged
from tests.cycle.test_rollouts import Rolled, policy
from tests.cycle.test_rollouts_scaling import DEPLOYMENT, status, waits
from tests.cycle.test_rollouts_split import HALF, TWO, born, machines, scale, weights

HOLDS = (
    "20 Pods come to shop/billing where 8 were expected: the step holds until no more do, "
    "Git expects them (expectPods: 20), or a person approves (plan {plan})"
)


def armed(pods: int = 0, **spec: Any) -> Rolled:
    """A service that runs on VMs alone, with weights armed for eight Pods, of which so many have come."""
    rolled = born(0)
    rolled.policy = policy(split=HALF, **({"expectPods": 8} | spec))
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, pods)
    return rolled


def stays(rolled: Rolled) -> bool:
    """Whether the first step holds, however often somebody looks."""
    for _ in range(8):
        rolled.look()
    return (rolled.newest.phase, rolled.newest.step) == (Phase.SOAKING, 0)


def test_the_plan_says_that_more_pods_would_hold_the_first_step() -> None:
    """Before anything is written."""
    rolled = born(0)
    rolled.policy = policy(split=HALF, expectPods=8)
    rolled.commit(*TWO)
    (plan,) = rolled.process("look:1").run("plan", write=False).rollouts
    assert "if more than 8 Pods come, the first step holds" in plan.notes


def test_more_pods_than_expected_hold_the_step_with_weights_that_keep_them_within_it() -> None:
    """20 come at once: the next look weighs the VMs up, says so in report and log, and goes no step on."""
    rolled = armed(20)
    before = weights(rolled)
    report = rolled.look()
    assert all(now is not None and was is not None and now > was for now, was in zip(weights(rolled), before, strict=True))
    assert machines(rolled) == pytest.approx(0.95, abs=0.005)
    (shown,) = report.rollouts
    said = HOLDS.format(plan=rolled.newest.plan)
    assert shown.waits[-1] == shown.asked == said
    assert any(said in line.text for line in logged.Log().news(report))
    assert stays(rolled)
    assert machines(rolled) == pytest.approx(0.95, abs=0.005)


def test_the_store_alone_tells_of_pods_that_were_not_expected() -> None:
    """What `status` shows."""
    rolled = armed(20)
    rolled.look()
    assert HOLDS.format(plan=rolled.newest.plan) in status(rolled).waits


def test_the_step_passes_once_no_more_pods_run_than_expected() -> None:
    """Somebody has scaled them down."""
    rolled = armed(20)
    assert stays(rolled)
    scale(rolled, 8)
    rolled.until(Phase.SOAKING, 1)
    assert machines(rolled) == pytest.approx(0.75, abs=0.02)


def test_the_step_passes_once_git_expects_as_many() -> None:
    """A commit that changes nothing but `expectPods`: it is the same rollout that goes on."""
    rolled = armed(20)
    assert stays(rolled)
    one = rolled.newest.id
    for expected in (12, 20):
        assert stays(rolled)
        rolled.policy = policy(split=HALF, expectPods=expected)
        rolled.commit(*TWO)
    assert rolled.until(Phase.SOAKING, 1).id == one


def test_a_person_lets_them_come() -> None:
    """And once they serve, weights follow whatever their number is, as always."""
    rolled = armed(20)
    assert stays(rolled)
    rolled.say(Word.APPROVE)
    rolled.until(Phase.SOAKING, 1)
    assert rolled.newest.let == 20
    scale(rolled, 40)
    rolled.until(Phase.SOAKING, 2)
    assert machines(rolled) == pytest.approx(0.5, abs=0.03)


def test_nobody_approves_a_step_that_no_pod_holds() -> None:
    """As many have come as were expected: there is nothing to say yes to."""
    rolled = armed(8)
    rolled.say(Word.APPROVE)
    rolled.look()
    assert (rolled.newest.let, rolled.newest.approvals) == (0, ())


def test_what_brings_the_pods_is_named() -> None:
    """Of an HPA it is the bound, and it holds already when it asks for more than have come."""
    rolled = armed(1)
    rolled.world.cluster.put_controller(replace(DEPLOYMENT, replicas=20))
    assert "until no more do (scale deployment/billing to 8)" in waits(rolled)
    rolled.world.cluster.put_autoscaler(Autoscaler("shop", "billing", "Deployment/billing", 2, 30, 20, 20))
    assert "until no more do (set maxReplicas of hpa/billing to 8)" in waits(rolled)


def test_pods_that_served_from_the_start_hold_nothing() -> None:
    """Four serve, and 20 do a little later: weights follow, as while any step is reached."""
    rolled = born(4)
    rolled.policy = policy(split={"vm": 20, "pod": 80}, expectPods=8)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    scale(rolled, 20)
    rolled.until(Phase.SOAKING, 1)
