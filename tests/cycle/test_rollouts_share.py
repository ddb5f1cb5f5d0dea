"""The observed share of requests through whole cycles: it holds a step that goes farther than planned, and nothing else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from reconciler.adapters.memory_metrics import Traffic
from reconciler.core.istio import WORKLOAD_NAME
from reconciler.core.rollouts.rollout import Phase
from reconciler.history.remembering import moment
from reconciler.reports import moments, rollouts
from tests.cycle.test_rollouts import Counted, Rolled, policy, vm
from tests.worlds import World, mixed, pod

STEPS = [{"exposure": exposure, "hold": "1m"} for exposure in ("10%", "50%", "100%")]


class Measured(Counted):
    """Requests that are counted all the time: the third VM gets `more` than its weight says."""

    more = Fraction(0)

    def look(self) -> Any:
        found = self.shares()
        third = found.get("vm3", Fraction(0)) + self.more
        rest = 1 - third
        others = dict.fromkeys(("vm1", "vm2"), rest / 2)
        for name, share in {**others, "vm3": third}.items():
            self.metrics.serve(Traffic("billing.internal", "shop", name), round(1_000 * share))
        return super().look()

    def told(self) -> str:
        """What a report says of the share."""
        (one,) = self.look().rollouts
        return "; ".join(text for name, text in rollouts.figures(one) if name == "share")


def coming(**spec: Any) -> Measured:
    """A third VM joins two."""
    rolled = Measured(policy=policy(steps=STEPS, **spec))
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    return rolled


def test_a_share_above_the_step_holds_it_until_it_is_no_more() -> None:
    """Clients send the third VM 20 points more than its weight says: the step stays where it is, and nothing is undone."""
    rolled = coming()
    rolled.more = Fraction(20, 100)
    for _ in range(20):
        rolled.look()
    assert (rolled.newest.phase, rolled.newest.step) == (Phase.SOAKING, 0)
    (one,) = rolled.look().rollouts
    assert any("observed share: wait, above the step: 23" in text and "planned 3" in text for text in one.waits)
    rolled.more = Fraction(0)
    rolled.until(Phase.SOAKING, 1)
    for _ in range(4):
        rolled.look()
    assert "go where the step leads, planned 16.67%" in rolled.told()


def test_the_policy_says_how_much_more_is_meant() -> None:
    """A tolerance of 25 points lets it pass."""
    rolled = coming(shareTolerance="25%")
    rolled.more = Fraction(20, 100)
    rolled.until(Phase.SOAKING, 1)


def test_a_moment_of_the_past_knows_what_was_measured() -> None:
    """The look that was kept says it."""
    rolled = coming()
    for _ in range(12):
        rolled.look()
    rows = dict(moments.rows(moment(rolled.world.store, "shop/billing", rolled.world.clock.now())))
    assert "requests to shop/billing go where the step leads" in rows["measured"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [({}, "no Prometheus is known"), ({"observedShare": {"template": "nobody-has"}}, "the operator has no template")],
)
def test_without_a_source_it_is_not_measured_and_holds_nothing(spec: dict[str, Any], why: str) -> None:
    """No Prometheus, or no such template."""
    world = World()
    for number in range(1, 9):
        world.cluster.put_pod(pod(number))
    rolled = (Measured if spec else Rolled)(world, policy(steps=STEPS, split={"vm": 30, "pod": 70}, **spec))
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.policy = policy(steps=STEPS, split={"vm": 70, "pod": 30}, **spec)
    rolled.begin(*mixed(vm(1), vm(2)))
    rolled.until(Phase.SOAKING, 1)
    (one,) = rolled.look().rollouts
    said = "; ".join(text for _, text in rollouts.figures(one))
    assert f"the share of requests is not measured: {why}" in said


@pytest.mark.parametrize(
    ("workload", "says"),
    [
        ("", "gates tell canary (vm2) from stable (vm1) by workload"),
        ("vm1", "gates cannot tell canary from stable: both sides are the workload vm1"),
    ],
)
def test_a_plan_says_whether_its_gates_can_tell_the_arms_apart(workload: str, says: str) -> None:
    """By the workloads that Istio's metrics name, before anything is written."""
    gate = {"name": "canary", "compare": {"metric": "errors"}}
    rolled = Rolled(policy=policy(steps=[{"exposure": one, "gates": ["canary"]} for one in ("50%", "100%")], gates=[gate]))
    rolled.begin_with(*mixed(vm(1)))
    new = vm(2)
    new["metadata"]["labels"] = {WORKLOAD_NAME: workload} if workload else {}
    rolled.commit(*mixed(new))
    (one,) = rolled.world.run("plan", rolled.looker).rollouts
    (told,) = [text for name, text in rollouts.figures(one) if name == "arms"]
    assert told.startswith(f"shop/billing: {says}")
