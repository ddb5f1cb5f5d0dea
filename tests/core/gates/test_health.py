"""Endpoint health as a gate."""

from dataclasses import replace

import pytest

from reconciler.core.gates.judging import judge
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.scene import Target
from reconciler.core.gates.spec import Gate, Health
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from reconciler.core.resources import Key
from tests.core.gates.scenes import MINUTE, scene

GATE = Gate("health", Health(), failures=2)
VM, POD = Key("WorkloadEntry", "shop", "vm-1"), Key("Pod", "shop", "billing-1")


def seen(*moments: tuple[Target, ...], gate: Gate = GATE) -> Verdict:
    """Return the verdict after looks at these targets."""
    memory, verdict = Memory(), None
    for number, targets in enumerate(moments, start=1):
        verdict, memory = judge(gate, scene(number * MINUTE, targets=targets), Memory.of(memory.to_json()), {})
    assert verdict is not None
    return verdict


def test_all_healthy_passes() -> None:
    """VMs and Pods alike; where nobody knows a VM's health, the answer says so."""
    assert seen((Target(VM, healthy=True), Target(POD, healthy=True))) == Verdict.passing("2 endpoints healthy")
    unknown = seen((Target(VM, healthy=None), Target(POD, healthy=True)))
    assert unknown == Verdict.passing("1 endpoints healthy, health unknown: WorkloadEntry shop/vm-1")


def test_of_an_older_record_nothing_is_concluded() -> None:
    """Neither that a VM is well nor that it fell ill; of Pods the cluster tells."""
    vms = (Target(VM, healthy=False),)
    verdict, _ = judge(GATE, replace(scene(MINUTE, targets=vms), doubted=True), Memory(kept={"healthy": [str(VM)]}), {})
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, Reason.STALE)
    pods = (Target(POD, healthy=True),)
    verdict, _ = judge(GATE, replace(scene(MINUTE, targets=pods), doubted=True), Memory(), {})
    assert verdict.answer is Answer.PASS


@pytest.mark.case("C-08")
def test_no_endpoint_at_all_never_passes() -> None:
    """There is nothing that could be healthy, which does not pass vacuously: who has yet to come is waited for."""
    verdict = seen((), ())
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, Reason.NOT_READY)
    there = (Target(VM, healthy=True),)
    assert seen(there, ()).answer is Answer.WAIT
    verdict = seen(there, (), ())
    assert (verdict.answer, verdict.reason) == (Answer.FAIL, Reason.VANISHED)


@pytest.mark.case("C-08")
def test_endpoints_that_vanish_fail_the_step() -> None:
    """One that is gone does not leave the others to pass alone."""
    there, gone = (
        (Target(VM, healthy=True), Target(POD, healthy=True)),
        (Target(VM, healthy=None, present=False), Target(POD, healthy=True)),
    )
    assert seen(there, gone).answer is Answer.WAIT
    verdict = seen(there, gone, gone)
    assert (verdict.answer, verdict.reason) == (Answer.FAIL, Reason.VANISHED)
    assert verdict.says == "gone: WorkloadEntry shop/vm-1, 2 bad looks in a row; 2 of 3 looks were bad"


@pytest.mark.case("C-08")
def test_canaries_that_were_healthy_and_fall_ill_are_harm() -> None:
    """All canary VMs down: the step fails."""
    well, down = (Target(VM, healthy=True),), (Target(VM, healthy=False),)
    assert seen(well, down).reason is Reason.INCONCLUSIVE
    verdict = seen(well, down, down)
    assert (verdict.answer, verdict.reason) == (Answer.FAIL, Reason.HARM)
    assert "WorkloadEntry shop/vm-1" in verdict.says


def test_what_was_never_healthy_is_waited_for() -> None:
    """A Pod that starts receives nothing: no harm, however long it takes."""
    starting = (Target(POD, healthy=False),)
    verdict = seen(*[starting] * 10)
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, Reason.NOT_READY)


def test_one_bad_look_between_good_ones_is_no_harm() -> None:
    """Flapping is damped, and shown."""
    well, down = (Target(VM, healthy=True),), (Target(VM, healthy=False),)
    assert seen(well, down, well, down, well) == Verdict.passing("1 endpoints healthy; 2 of 5 looks were bad")


def test_many_names_are_cut() -> None:
    """A report is no list of a hundred names."""
    targets = tuple(Target(Key("Pod", "shop", f"p{n}"), healthy=False) for n in range(100))
    assert seen(targets).says == "not healthy yet: Pod shop/p0, Pod shop/p1, Pod shop/p2 and 97 more"
