"""`holdback` through whole cycles: what the old side keeps while the end is watched, how the rest is given, and why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pytest

from reconciler.core.report import Report
from reconciler.core.resources import Document
from reconciler.core.rollouts.records import EvidenceKind
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.rollouts.seen import Word
from reconciler.cycle.status import read_status
from reconciler.reports import rollouts
from tests.building import service_entry
from tests.cycle.test_rollouts import Counted, Rolled, policy, served, vm
from tests.cycle.test_rollouts_subsets import MACHINES, ONLY_PODS, labelled, unit
from tests.worlds import World, mixed, pod

STEPS = [{"exposure": exposure, "hold": "20s"} for exposure in ("50%", "100%")]
COMPARE = {"name": "canary", "compare": {"metric": "errors"}, "interval": "30s"}


def holding(**spec: Any) -> Document:
    """A policy that holds one percent back."""
    return policy(**{"steps": STEPS, "gates": [COMPARE], "holdback": "1%", **spec})


@dataclass
class Failing(Counted):
    """Requests that are counted all the time; those to `bad` fail."""

    bad: str = ""

    def look(self) -> Report:
        served(self, self.metrics, self.bad)
        return super().look()


def moving(**spec: Any) -> Failing:
    """A service whose two VMs are to be replaced by a third one."""
    rolled = Failing(policy=holding(**spec))
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.begin(*mixed(vm(3)))
    return rolled


def notes(rolled: Rolled) -> str:
    """What is said of the newest rollout."""
    (one,) = rolled.look().rollouts
    return "; ".join(rollouts.notes(one))


def old(rolled: Rolled) -> Fraction:
    """The share of those who served before."""
    return sum((share for name, share in rolled.shares().items() if name in ("vm1", "vm2")), Fraction(0))


def after_the_watch(rolled: Rolled) -> None:
    """Look on until the watch is over and the rest is given."""
    for _ in range(40):
        rolled.look()
        if not rolled.world.store.rollouts.standing():
            return


def test_the_old_side_keeps_its_part_until_the_watch_is_over() -> None:
    """A step line of its own; the last part is given at the end, and then stands exactly what Git says."""
    rolled = moving()
    plan = rolled.look().rollouts[0]
    cells = [row.cells for row in rollouts.rows(plan)]
    assert [one[1] for one in cells] == ["50.0 %", "99.0 %", "100.0 %"]
    assert ["watch" in one[-1] for one in cells] == [False, True, False]
    watching = rolled.until(Phase.WATCHING)
    assert (watching.step, watching.passed) == (1, 1)
    for _ in range(8):
        assert float(old(rolled)) == pytest.approx(0.01, abs=0.002)
        rolled.look()
    assert rolled.newest.phase is Phase.WATCHING
    rolled.until(Phase.APPLYING, 2)
    for _ in range(8):
        rolled.look()
    assert rolled.world.store.rollouts.standing() == (), "nothing is watched once more"
    assert rolled.shares() == {"vm3": 1}
    (last,) = rolled.world.store.rollouts.history(1)
    assert last.outcome is Outcome.SUCCEEDED


def test_it_can_be_taken_back_from_the_watch() -> None:
    """By weights, with the requests of all clients back where they were."""
    rolled = moving()
    rolled.until(Phase.WATCHING)
    rolled.say(Word.UNDO)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert rolled.shares() == {"vm1": Fraction(1, 2), "vm2": Fraction(1, 2)}


def test_harm_that_shows_only_in_the_watch_undoes() -> None:
    """The comparing gate still has a stable arm then."""
    rolled = moving(watch="1h")
    rolled.until(Phase.WATCHING)
    for _ in range(6):
        rolled.look()
    rolled.bad = "vm3"
    assert "canary: fail, harm" in rolled.until(Phase.UNDOING).reason
    rolled.until(Phase.IDLE)
    assert rolled.shares() == {"vm1": Fraction(1, 2), "vm2": Fraction(1, 2)}


def test_without_it_the_gate_says_that_it_has_no_stable_arm() -> None:
    """In the plan before anything begins, in the report and the status while it is watched, and in the evidence, once."""
    rolled = Rolled(policy=holding(holdback=None))
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.commit(*mixed(vm(3)))
    planned = rolled.world.run("plan", rolled.looker)
    said = "; ".join(rollouts.notes(planned.rollouts[0]))
    assert "no stable arm for canary once all is given" in said
    assert "`holdback: 1%` keeps one" in said
    rolled.look()
    rolled.until(Phase.WATCHING)
    rolled.look()
    assert "canary: no stable arm: nothing is left to compare with: only threshold gates stay armed" in notes(rolled)
    status = read_status("shop", rolled.world.store, rolled.world.lease(), rolled.world.clock.now())
    assert "canary: no stable arm" in "; ".join(rollouts.notes(status.rollouts[0]))
    for _ in range(4):
        rolled.look()
    kept = rolled.world.store.rollouts.evidence(rolled.newest.id, after=0, limit=1_000)
    verdicts = [one for one in kept if one.kind is EvidenceKind.VERDICT and one.data["reason"] == "no stable arm"]
    assert [one.name for one in verdicts] == ["canary"]


def test_subsets_hold_back_exactly() -> None:
    """Routes need no whole weights: one percent is one percent. What goes with the routes goes after the watch."""
    world = World()
    for number in (1, 2):
        world.cluster.put_pod(replace(pod(number), labels=ONLY_PODS["labels"]))
    rolled = Rolled(world, policy(strategy="subsets", steps=STEPS, holdback="1%"))
    rolled.begin_with(*unit(MACHINES, labelled(1), labelled(2)))
    rolled.begin(*unit(ONLY_PODS))
    rolled.until(Phase.WATCHING)
    assert old(rolled) == Fraction(1, 100)
    after_the_watch(rolled)
    assert rolled.shares() == {"pods": 1}


def test_whole_weights_hold_back_what_they_can() -> None:
    """Two VMs beside two Pods keep half of the requests at the least: the plan says so, and the rest waits for the watch."""
    world = World()
    for number in (1, 2):
        world.cluster.put_pod(replace(pod(number), labels=ONLY_PODS["labels"]))
    rolled = Failing(world, holding())
    rolled.begin_with(*unit(MACHINES, labelled(1), labelled(2)))
    rolled.begin(*unit(ONLY_PODS))
    assert (
        "50% of the way is held back, the nearest to 1% that whole weights can leave: what is left is judged like the last step"
        in notes(rolled)
    )
    rolled.until(Phase.WATCHING)
    assert old(rolled) == Fraction(1, 2)
    assert [step.hold.seconds for step in rolled.newest.way.steps] == [20, 20, 20]
    after_the_watch(rolled)
    assert rolled.shares() == {"pods": 1}


def test_a_group_gives_what_it_held_back_together() -> None:
    """None before the watch of all of them is over, and none waits for another one for ever."""
    rolled = Rolled(policy=policy(steps=STEPS, holdback="1%", group="pair"))
    ledger = service_entry("ledger", hosts=["ledger.internal"], workloadSelector={"labels": {"app": "ledger"}})
    theirs = policy(steps=[*STEPS[:1], {"exposure": "100%", "hold": "4m"}], holdback="1%", group="pair")
    theirs |= {"metadata": {"name": "ledger", "namespace": "shop"}, "spec": {**theirs["spec"], "serviceEntry": "ledger"}}
    of_ledger = {"labels": {"app": "ledger"}}
    rolled.begin_with(*mixed(vm(1)), ledger, vm(4, **of_ledger), theirs)
    rolled.begin(*mixed(vm(2)), ledger, vm(5, **of_ledger), theirs)
    watched, given, apart = set[str](), set[str](), 0
    for _ in range(90):
        rolled.look()
        standing = rolled.world.store.rollouts.standing()
        watched |= {one.unit for one in standing if one.phase is Phase.WATCHING}
        given |= {one.unit for one in standing if one.step == 2}
        apart += len({one.step == 2 for one in standing}) == 2
        assert not given or len(watched) == 2
        if not standing:
            break
    assert standing == ()
    assert given == {"shop/billing", "shop/ledger"}
    assert apart <= 1, "one look is behind the other at most"


def test_who_keeps_a_share_is_who_is_compared_with() -> None:
    """A third VM joins two: they serve as before, and nothing has to be held back for the watch."""
    rolled = Failing(policy=holding())
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    assert not any(step.holdback for step in rolled.newest.way.steps)
    assert "no stable arm" not in notes(rolled)


@pytest.mark.parametrize(
    ("documents", "spec", "why"),
    [
        (mixed(vm(1, locality="eu/a"), vm(2, locality="eu/a")), {}, "endpoints are changed in place"),
        (mixed(vm(3)), {"watch": "0s"}, "nothing is watched"),
    ],
)
def test_where_no_old_side_can_be_kept_the_plan_says_why(documents: list[Document], spec: dict[str, Any], why: str) -> None:
    """And the rollout goes its way as without it."""
    rolled = Rolled(policy=holding(**spec))
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.begin(*documents)
    assert all(not step.holdback for step in rolled.newest.way.steps)
    assert f"no old side is kept for the watch: {why}" in notes(rolled)
