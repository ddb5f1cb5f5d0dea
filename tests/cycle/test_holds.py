"""A hold keeps all hands off a service, whether it rolls or not; when it is over, what was done by hand is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.core.report import Verdict
from reconciler.core.resources import Key
from reconciler.core.rollouts.seen import Hold
from reconciler.rollouts.holding import only
from tests.building import service_entry, workload_entry
from tests.worlds import World, mixed

HOUR = timedelta(hours=1)
VMS = [workload_entry(f"vm{number}", address=f"10.0.0.{number}", weight=2) for number in (1, 2)]


def held(world: World, length: timedelta = HOUR) -> None:
    """Hold the service for so long."""
    world.store.rollouts.hold(Hold("shop/billing", world.clock.now() + length, "eve", "INC-7"))


def standing() -> World:
    """A service that stands as Git says, and is held from now on."""
    world = World()
    world.commit(mixed(*VMS))
    assert world.run().verdict is Verdict.APPLIED
    held(world)
    return world


def weigh(world: World) -> None:
    """What a person does by hand meanwhile."""
    world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 7}}, "kubectl-edit")


def test_nothing_of_a_held_service_is_written_though_none_of_it_rolls() -> None:
    """Neither is drift put back nor a commit carried out; the report says who holds it."""
    world = standing()
    cycle = world.process("serve:1")
    world.cluster.remove(Key("WorkloadEntry", "shop", "vm1"))
    world.commit(mixed(*VMS, workload_entry("vm3", address="10.0.0.3")))
    report = world.serve(cycle)
    assert (report.results, report.verdict) == ((), Verdict.CHANGES)
    assert "shop/billing is held by eve until 2026-03-01 13:00 UTC: INC-7; nothing of it is written" in report.notes
    assert (world.live("WorkloadEntry", "vm1"), world.live("WorkloadEntry", "vm3")) == (None, None)


@pytest.mark.parametrize("end", ["said", "time"])
def test_the_look_that_writes_again_tells_what_was_done_by_hand(end: str) -> None:
    """Whether somebody ended the hold or its time ran out: once, beside the writes; what nobody touched is not told."""
    world = standing()
    cycle = world.process("serve:1")
    world.serve(cycle)
    weigh(world)
    world.cluster.remove(Key("WorkloadEntry", "shop", "vm2"))
    assert world.serve(cycle).results == ()
    if end == "said":
        assert world.store.rollouts.unhold("shop/billing")
    else:
        assert cycle.due_in(7200) == 3600
        world.pass_time(hours=1)
    assert not cycle.nothing_new()
    report = world.serve(cycle)
    told = [note for note in report.notes if "the hold of shop/billing" in note]
    weight = "spec.weight  Git 2, last written 2, cluster 7, by kubectl-edit"
    assert told == [
        "the hold of shop/billing is over: this is not as it is wanted now",
        f"after the hold of shop/billing: co-owned WorkloadEntry shop/vm1  {weight}",
        "after the hold of shop/billing: create WorkloadEntry shop/vm2",
    ]
    assert [one.key.name for one in report.results] == ["vm2"]
    assert not [note for note in world.serve(cycle).notes if "the hold of" in note]


def test_a_hold_that_left_nothing_behind_says_so() -> None:
    """Nobody has changed anything."""
    world = standing()
    cycle = world.process("serve:1")
    world.serve(cycle)
    world.store.rollouts.unhold("shop/billing")
    assert "the hold of shop/billing is over: all of it is as it is wanted now" in world.serve(cycle).notes


def test_before_a_hold_ends_a_person_sees_what_differs_in_its_unit_alone() -> None:
    """Of another service that differs nothing is shown; the field stands there with whoever changed it."""
    world = World()
    other = service_entry("ledger", hosts=["ledger.store.internal"], endpoints=[{"address": "10.0.1.1"}])
    world.commit([*mixed(*VMS), other])
    world.run()
    held(world)
    weigh(world)
    world.edit("ServiceEntry", "ledger", {"spec": {"resolution": "DNS"}})
    cycle = world.process("hold:1")
    report = cycle.run("diff", write=False)
    assert {one.key.name for one in report.differences} == {"vm1", "ledger"}
    (shown,) = only(report, "shop/billing", cycle.units()).differences
    assert [(one.path, one.cluster, one.managers) for one in shown.fields] == [("spec.weight", 7, ("kubectl-edit",))]
