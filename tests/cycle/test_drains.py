"""A VM that a person takes out of service, in cycles: weight, then out of the endpoint list, and back at any moment."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from reconciler.core.changes import Cause
from reconciler.core.health.codes import Code
from reconciler.core.health.conditions import Condition
from reconciler.core.istio import HEALTH_CHECKED, ServiceEntry, WorkloadEntry
from reconciler.core.plans import GuardCode
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document
from reconciler.core.rollouts.rollout import Outcome, Phase
from reconciler.core.wanted import DRAINED_ANNOTATION
from reconciler.cycle.status import read_status
from tests.building import document, workload_entry
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.vms.scene import checked, drain, report
from tests.worlds import TARGET, World, mixed, pod


def weighed(entry: Document, weight: int) -> Document:
    """The entry with a weight."""
    return {**entry, "spec": {**entry["spec"], "weight": weight}}


PLAIN = [weighed(workload_entry(f"vm{n}", address=f"10.0.0.{n}"), 5) for n in (1, 2, 3)]
COUNTED = [weighed(checked(f"vm{n}", f"10.0.0.{n}"), 5) for n in (1, 2, 3)]


def stage(*entries: Document) -> World:
    """These VMs behind billing, all well, with all that Git wants of them."""
    world = World()
    world.commit(mixed(*entries))
    world.run()
    for entry in entries:
        report(world, entry["metadata"]["name"], "healthy")
    for _ in range(3):
        world.run()
    return world


@pytest.fixture(params=["condition", "labels"])
def world(request: pytest.FixtureRequest) -> World:
    """Three VMs of weight 5, whose health counts, or does not."""
    return stage(*(COUNTED if request.param == "condition" else PLAIN))


def listed(world: World) -> dict[str, int]:
    """The VMs in billing's endpoint list, each with its weight."""
    service = world.live("ServiceEntry", "billing")
    assert service is not None
    found = [world.live("WorkloadEntry", f"vm{n}") for n in (1, 2, 3)]
    entries = [WorkloadEntry.of(one.document) for one in found if one]
    picking = ServiceEntry.of(service.document)
    return {one.key.name: one.endpoint.weight for one in entries if one.in_use and picking.picks(one.endpoint)}


def told(one: Report) -> list[str]:
    """What a report says of drains."""
    return [problem.message for problem in one.problems if problem.code == Code.DRAINED]


def later(world: World, **duration: float) -> Report:
    """A look some time later."""
    world.pass_time(**duration)
    return world.run()


def test_weight_comes_first_and_then_the_vm_is_out(world: World) -> None:
    """With a while between, in which the weight gets to all clients; nothing is deleted, and later looks have nothing to do."""
    before = {n: world.live("WorkloadEntry", f"vm{n}").document for n in (1, 2, 3)}  # type: ignore[union-attr]
    drain(world, "vm2")
    assert world.run("plan").verdict is Verdict.CHANGES
    world.run()
    assert listed(world) == {"vm1": 5, "vm2": 1, "vm3": 5}
    assert later(world, seconds=10).results == ()
    assert listed(world) == {"vm1": 5, "vm2": 1, "vm3": 5}
    later(world, seconds=6)
    assert listed(world) == {"vm1": 5, "vm3": 5}
    assert later(world, seconds=60).verdict is Verdict.IN_SYNC
    assert later(world, hours=3).verdict is Verdict.IN_SYNC
    assert listed(world) == {"vm1": 5, "vm3": 5}
    report(world, "vm2", "healthy")
    world.run()
    world.run()
    assert listed(world) == {"vm1": 5, "vm2": 5, "vm3": 5}
    assert world.run().verdict is Verdict.IN_SYNC
    for n in (1, 2, 3):
        after = world.live("WorkloadEntry", f"vm{n}")
        assert after is not None
        assert (after.document["spec"], after.labels) == (before[n]["spec"], before[n]["metadata"]["labels"])
        assert DRAINED_ANNOTATION not in after.annotations


@pytest.mark.case("V-12")
def test_a_revoked_vm_is_out_at_once(world: World) -> None:
    """Nobody answers for it any more, so no weight is lowered first, whether or not its health counts."""
    drain(world, "vm2", health="unhealthy")
    world.run()
    assert listed(world) == {"vm1": 5, "vm3": 5}


@pytest.mark.case("S-04")
def test_a_doubted_record_begins_and_ends_no_drain(world: World) -> None:
    """It may be older than a drain, or than its end. Reports say that nothing is concluded from it; then it counts again."""
    drain(world, "vm2")
    world.run()
    later(world, seconds=16)
    world.registry.serve(recovering=True)
    report(world, "vm2", "healthy")
    drain(world, "vm1")
    for _ in range(3):
        last = later(world, seconds=60)
        assert listed(world) == {"vm1": 5, "vm3": 5}
        assert [problem.code for problem in last.problems if problem.code == Code.DOUBTED] == [Code.DOUBTED]
    assert [text.split(", its")[0] for text in told(last)] == ["out of load balancing, drained by a person"]
    world.registry.serve(recovering=False)
    for _ in range(3):
        last = later(world, seconds=16)
    assert listed(world) == {"vm2": 5, "vm3": 5}
    assert not [problem for problem in last.problems if problem.code == Code.DOUBTED]


def test_how_a_vm_leaves_depends_on_whether_its_health_counts() -> None:
    """By its condition, with its labels; or without the labels, with no condition of ours."""
    counted, plain = stage(*COUNTED), stage(*PLAIN)
    for one in (counted, plain):
        drain(one, "vm1")
        one.run()
        later(one, seconds=16)
    by_condition, by_labels = (one.live("WorkloadEntry", "vm1") for one in (counted, plain))
    assert by_condition is not None
    assert by_labels is not None
    found = Condition.of(by_condition.document)
    assert found is not None
    assert (found.healthy, by_condition.document["spec"]["labels"]["app"]) == (False, "billing")
    assert (Condition.of(by_labels.document), HEALTH_CHECKED in by_labels.annotations) == (None, False)
    assert "labels" not in by_labels.document["spec"]


def test_a_drain_is_the_cause_of_its_writes_and_makes_no_other_plan(world: World) -> None:
    """What was approved of a commit stays approved while VMs are drained; what Git changes of such a VM is Git's."""
    world.commit([*mixed(*(COUNTED if _counts(world) else PLAIN)), document("Namespace", "other", "")])
    approved = digest_of(world.run("plan"))
    drain(world, "vm2")
    plan = world.run("plan")
    assert digest_of(plan) == approved
    assert {str(one.key): {change.cause for change in one.changes} for one in plan.differences} == {
        "Namespace other": {Cause.GIT},
        "WorkloadEntry shop/vm2": {Cause.DRAIN},
    }
    world.run()
    rows = read_status(TARGET, world.store, world.lease(), world.clock.now()).rows()
    assert [text for name, text in rows if name == "VM" and "drained by ann until" in text]


def digest_of(one: Report) -> str:
    """What an approval would be bound to."""
    assert one.plan
    return one.plan.digest


@pytest.mark.parametrize("seconds", [0, 5, 16, 60, 3600])
def test_a_drain_is_undone_at_any_moment(world: World, seconds: int) -> None:
    """Whatever stage it has come to, weight, labels and condition are Git's again."""
    drain(world, "vm1")
    world.run()
    later(world, seconds=seconds)
    report(world, "vm1", "healthy")
    for _ in range(3):
        last = world.run()
    assert (last.verdict, listed(world)) == (Verdict.IN_SYNC, {"vm1": 5, "vm2": 5, "vm3": 5})


def test_what_is_wanted_now_is_said_and_is_no_drift(world: World) -> None:
    """Git's value, the one that is wanted, whose word that is and until when, the live one, and the share that remains."""
    drain(world, "vm2")
    (first,) = told(world.run("diff"))
    assert "drained by ann until 2026-03-01 12:10:00Z, its weight goes down first" in first
    assert "weight: Git 5, wanted now 1, live 5; 9.091% of the requests to billing.internal:80 remain" in first
    world.run()
    looked = world.run("diff")
    assert (looked.verdict, looked.differences) == (Verdict.IN_SYNC, ())
    assert "weight: Git 5, wanted now 1, live 1" in told(looked)[0]
    later(world, seconds=16)
    out = world.run("diff")
    assert (out.verdict, out.differences) == (Verdict.IN_SYNC, ())
    assert "out of load balancing, drained by ann until" in told(out)[0]
    assert not [one for one in out.problems if one.code == Code.OTHER_LABELS]
    later(world, minutes=10)
    assert "until" not in told(world.run("diff"))[0]
    report(world, "vm2", "healthy")
    assert told(world.run("diff")) == []


def test_the_last_endpoint_stays_until_it_is_named(world: World) -> None:
    """Its weight goes down, it stays in the list, and the guard says the name by which it goes."""
    for name in ("vm1", "vm3"):
        drain(world, name)
    world.run()
    later(world, seconds=16)
    assert listed(world) == {"vm2": 5}
    drain(world, "vm2")
    world.run()
    held = later(world, seconds=16)
    assert (held.verdict, listed(world)) == (Verdict.REFUSED, {"vm2": 1})
    (guard,) = [one for unit in held.plan.units for one in unit.guards] if held.plan else []
    assert (guard.code, "would be left without an endpoint" in guard.message) == (GuardCode.LAST_ENDPOINT, True)
    world.run(allow=frozenset({guard.override}))
    assert listed(world) == {}
    report(world, "vm1", "healthy")
    world.run()
    world.run()
    assert listed(world) == {"vm1": 5}


def test_an_ill_vm_leaves_at_once(world: World) -> None:
    """Nobody waits for its weight to get around."""
    drain(world, "vm2")
    world.registry.report(
        world.live("VirtualMachine", "vm2").key,  # type: ignore[union-attr]
        {"health": "unhealthy", "address": "10.0.0.2", "draining": True, "drain": _long(world)},
    )
    world.run()
    assert set(listed(world)) == {"vm1", "vm3"}


def _long(world: World) -> dict[str, str]:
    now = world.clock.now()
    return {"by": "ann", "since": now.isoformat(), "until": (now + timedelta(hours=1)).isoformat()}


def test_a_commit_while_a_vm_is_drained_reaches_it_and_begins_no_rollout_of_the_drain(world: World) -> None:
    """The new port gets there, weight and labels stay as the drain wants them, and come back as Git says them by then."""
    drain(world, "vm2")
    world.run()
    later(world, seconds=16)
    entries = COUNTED if _counts(world) else PLAIN
    moved = [{**one, "spec": {**one["spec"], "ports": {"http": 8081}}} for one in entries]
    world.commit(mixed(*moved))
    world.run()
    assert set(listed(world)) == {"vm1", "vm3"}
    assert world.spec("WorkloadEntry", "vm2")["ports"] == {"http": 8081}
    report(world, "vm2", "healthy")
    for _ in range(3):
        last = world.run()
    assert (last.verdict, last.rollouts, listed(world)) == (Verdict.IN_SYNC, (), {"vm1": 5, "vm2": 5, "vm3": 5})


def _counts(world: World) -> bool:
    live = world.live("WorkloadEntry", "vm1")
    return live is not None and HEALTH_CHECKED in live.annotations


def served(weight: int = 1, **spec: object) -> Rolled:
    """Three VMs and twelve Pods behind billing, without health that counts, and nothing under way."""
    rolled = Rolled(World(), policy(**spec))
    for number in range(1, 13):
        rolled.world.cluster.put_pod(pod(number))
    rolled.begin_with(*mixed(*(vm(n, weight=weight) for n in (1, 2, 3))))
    for n in (1, 2, 3):
        report(rolled.world, f"vm{n}", "healthy")
    rolled.look()
    return rolled


def of_pods(rolled: Rolled) -> Fraction:
    """The Pods' share of the requests, by what is live."""
    return rolled.shares()["pods"]


HALF = {"vm": 50, "pod": 50}


def test_a_split_is_held_while_a_vm_is_drained() -> None:
    """Its weight is a constant of the arithmetic: the others take over what it gave up, until it is back."""
    rolled = served(split=HALF)
    assert (listed(rolled.world), of_pods(rolled)) == ({"vm1": 4, "vm2": 4, "vm3": 4}, Fraction(1, 2))
    drain(rolled.world, "vm1")
    rolled.look()
    assert listed(rolled.world)["vm1"] == 1
    assert abs(of_pods(rolled) - Fraction(1, 2)) <= Fraction(3, 100)
    for _ in range(3):
        rolled.look()
    assert "vm1" not in listed(rolled.world)
    assert abs(of_pods(rolled) - Fraction(1, 2)) <= Fraction(3, 100)
    assert rolled.look().verdict is Verdict.IN_SYNC
    report(rolled.world, "vm1", "healthy")
    for _ in range(3):
        rolled.look()
    assert listed(rolled.world) == {"vm1": 4, "vm2": 4, "vm3": 4}
    assert rolled.look().verdict is Verdict.IN_SYNC


def test_neither_a_drain_nor_its_end_is_rolled_out() -> None:
    """Weight and labels come back in one look, however careful the policy is with what Git changes."""
    rolled = served(weight=5)
    drain(rolled.world, "vm1")
    for _ in range(4):
        rolled.look()
    assert listed(rolled.world) == {"vm2": 5, "vm3": 5}
    report(rolled.world, "vm1", "healthy")
    back = rolled.look()
    assert (back.rollouts, listed(rolled.world)) == ((), {"vm1": 5, "vm2": 5, "vm3": 5})
    assert rolled.world.store.rollouts.history(10) == []


def test_a_rollout_under_way_goes_on_while_a_vm_is_drained() -> None:
    """No step exposes more than it may, and the rollout ends where Git wants it; the drain outlasts it."""
    rolled = served(split=HALF)
    rolled.policy = policy(split={"vm": 20, "pod": 80})
    rolled.begin(*mixed(*(vm(n, weight=1) for n in (1, 2, 3))))
    rolled.until(Phase.SOAKING)
    drain(rolled.world, "vm1")
    for _ in range(60):
        rolled.look()
        one = rolled.newest
        bound = Fraction(1, 2) + Fraction(3, 10) * one.on.steps[one.step].exposure if one.on.steps else Fraction(4, 5)
        assert of_pods(rolled) <= bound + Fraction(1, 10)
        if one.phase is Phase.IDLE:
            break
    assert (rolled.newest.outcome, "vm1" in listed(rolled.world)) == (Outcome.SUCCEEDED, False)
    assert abs(of_pods(rolled) - Fraction(4, 5)) <= Fraction(1, 20)


def test_a_rollout_says_that_it_waits_for_a_vm_that_the_law_keeps_in() -> None:
    """One write has both in it, the labels that go and what Git changes; once another VM serves again it goes on to its end."""
    rolled = Rolled(World(), policy())
    rolled.begin_with(*mixed(vm(1, weight=5), vm(2, weight=5)))
    for n in (1, 2):
        report(rolled.world, f"vm{n}", "healthy")
    rolled.look()
    for n in (1, 2):
        drain(rolled.world, f"vm{n}")
    for _ in range(3):
        rolled.look()
    rolled.begin(*mixed(*(vm(n, weight=5, ports={"http": 8081}) for n in (1, 2))))
    for _ in range(3):
        waits = [text for one in rolled.look().rollouts for text in one.waits]
    assert ["would be left without an endpoint" in one for one in waits] == [True]
    assert set(listed(rolled.world)) == {"vm1", "vm2"}
    report(rolled.world, "vm2", "healthy")
    rolled.until_settled()
    assert [rolled.world.spec("WorkloadEntry", f"vm{n}")["ports"] for n in (1, 2)] == [{"http": 8081}] * 2
    assert set(listed(rolled.world)) == {"vm2"}
