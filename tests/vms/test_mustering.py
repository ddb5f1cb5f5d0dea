"""VMs as people see and move them: who is in, who is out, why, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.adapters.memory_metrics import MemoryMetrics, Traffic
from reconciler.core.health.brakes import Brake
from reconciler.core.health.drains import Stage
from reconciler.core.health.rollcall import Row
from reconciler.core.health.states import State
from reconciler.core.plans import PlanSettings
from reconciler.core.resources import Document
from reconciler.cycle.observing import Observer
from reconciler.errors import Fenced, InvalidInput
from reconciler.vms.mustering import Muster
from tests.building import workload_entry
from tests.vms.scene import VM1, VM2, Office, page, report, settled
from tests.worlds import TARGET, World, mixed

VM4 = workload_entry("vm4", address="10.0.0.4")


@pytest.fixture
def world() -> World:
    """Two VMs behind billing, both well, and one whose health does not count."""
    world = World()
    world.commit(mixed(VM1, VM2, workload_entry("vm3", address="10.0.0.3", labels={"app": "other"}, serviceAccount="other")))
    world.run()
    for name in ("vm1", "vm2"):
        report(world, name, "healthy")
    settled(world)
    return world


def muster(world: World, *joined: Document) -> Muster:
    """A look at it, with an operator's token."""
    office = Office(world, list(joined))
    return Muster(Observer(world.cluster, world.registry), office, PlanSettings(target=TARGET), Brake(), world.clock)


def rows(world: World, *joined: Document) -> dict[str, Row]:
    """All VMs by name."""
    return {one.name: one for one in muster(world, *joined).rows()}


def test_rows_say_that_the_record_is_doubted(world: World) -> None:
    """Until a person has ended that."""
    world.registry.serve(recovering=True)
    assert {one.why[-1].partition(":")[0] for one in rows(world).values()} == {"the registry's record may be an older one"}
    world.registry.serve(recovering=False)
    assert rows(world)["vm1"].why == ()


def test_a_row_says_how_a_vm_is_and_where(world: World) -> None:
    """Seen and lease are the server's, in and out are Istio's."""
    report(world, "vm2", "unhealthy")
    settled(world)
    found = rows(world, page("vm1"))
    assert [(one.name, one.health, one.mesh, one.why) for one in found.values()] == [
        ("vm1", "healthy", "in", ()),
        ("vm2", "unhealthy", "out", ("its probe fails",)),
        ("vm3", "unknown", "in", ("its health does not count",)),
    ]
    assert (found["vm1"].document["leaseEnds"], found["vm1"].agent) == ("2026-03-01T12:00:30+00:00", "a1")
    assert found["vm2"].document["lastSeen"] == world.clock.now().isoformat()


def test_the_last_one_is_not_drained_unless_a_person_insists(world: World) -> None:
    """Refused before anything is noted; another one can be drained, and comes back."""
    report(world, "vm2", "unhealthy")
    settled(world)
    with pytest.raises(Fenced, match="would be left without an endpoint"):
        muster(world).drain("shop", "vm1")
    assert "draining" not in world.live("VirtualMachine", "vm1").document["status"]  # type: ignore[union-attr]
    muster(world).drain("shop", "vm1", even_last=True)
    settled(world)
    world.pass_time(seconds=16)
    settled(world)
    held = rows(world)["vm1"]
    assert (held.mesh, "bring another one back first" in held.why[0]) == ("in", True)
    report(world, "vm2", "healthy")
    settled(world)
    world.pass_time(seconds=16)
    settled(world)
    assert (rows(world)["vm1"].mesh, rows(world)["vm2"].mesh) == ("out", "in")
    muster(world).undrain("shop", "vm1")
    settled(world)
    assert rows(world)["vm1"].mesh == "in"


def test_a_drain_waits_for_the_last_requests(world: World) -> None:
    """Weight and endpoint list first, then none counted for a while; where nobody counts, its time goes by."""
    metrics = MemoryMetrics(world.clock)
    counted, blind = replace(muster(world), metrics=metrics), muster(world)
    to_vm1 = Traffic("billing.internal", "shop", "vm1")
    metrics.serve(to_vm1, 10)
    world.pass_time(seconds=60)
    assert counted.drain("shop", "vm1") == "vm2 then gets 2 times as many requests to billing.internal as before"
    assert stages(counted, blind) == [Stage.LOWERING, Stage.LOWERING]
    settled(world)
    world.pass_time(seconds=16)
    assert stages(counted, blind) == [Stage.LEAVING, Stage.LEAVING]
    settled(world)
    metrics.serve(to_vm1, 3)
    world.pass_time(seconds=1)
    assert stages(counted, blind) == [Stage.ENDING, Stage.ENDING]
    (found, text), (_, unmeasured) = counted.parting("shop", "vm1"), blind.parting("shop", "vm1")
    assert found
    assert (found.seen.requests, "3 requests in the last 30 s" in text) == (3, True)
    assert "not measured" in unmeasured
    assert (rows(world)["vm1"].mesh, rows(world)["vm1"].why) == ("out", (unmeasured,))
    world.pass_time(seconds=31)
    assert stages(counted, blind) == [Stage.DRAINED, Stage.ENDING]
    world.pass_time(minutes=10)
    assert stages(counted, blind) == [Stage.DRAINED, Stage.DRAINED]
    counted.undrain("shop", "vm1")
    assert stages(counted, blind) == [None, None]


def stages(*musters: Muster) -> list[Stage | None]:
    """How far vm1 is, as each sees it."""
    found = [one.parting("shop", "vm1")[0] for one in musters]
    return [one.stage if one else None for one in found]


def test_a_vm_whose_health_does_not_count_leaves_by_its_labels(world: World) -> None:
    """It is out of the list as well, and the last one of it is held as well."""
    world.commit(mixed(VM1, VM2, VM4))
    settled(world)
    report(world, "vm4", "healthy")
    muster(world).drain("shop", "vm4")
    settled(world)
    world.pass_time(seconds=16)
    settled(world)
    assert (rows(world)["vm4"].mesh, "label app: Git billing, wanted now none, live none" in rows(world)["vm4"].why[0]) == (
        "out",
        True,
    )
    for name in ("vm1", "vm2"):
        report(world, name, "unhealthy")
    muster(world).undrain("shop", "vm4")
    settled(world)
    with pytest.raises(Fenced, match="would be left without an endpoint"):
        muster(world).drain("shop", "vm4")


def test_what_is_not_there_is_not_drained(world: World) -> None:
    """Nor does anybody drain without a token."""
    with pytest.raises(InvalidInput, match="no WorkloadEntry shop/vm9"):
        muster(world).drain("shop", "vm9")
    with pytest.raises(InvalidInput, match="operator's token"):
        Muster(Observer(world.cluster, world.registry), None, PlanSettings(), Brake(), world.clock).undrain("shop", "vm1")


@pytest.mark.case("V-10")
def test_where_git_registry_and_vm_disagree_the_state_has_a_name(world: World) -> None:
    """Another address, another identity, a VM that Git does not know, and one of which a copy is about."""
    report(world, "vm1", "healthy", address="10.0.0.77")
    found = rows(world, page("vm2", agentState="locked"), page("vm3", serviceAccount="billing"), page("vm4", claimed=False))
    assert {name: one.states for name, one in found.items()} == {
        "vm1": (State.ADDRESS_CHANGED,),
        "vm2": (State.CREDENTIAL_COPIED,),
        "vm3": (State.OTHER_IDENTITY,),
        "vm4": (State.UNCLAIMED,),
    }
    assert muster(world).accept("shop", "vm1")["spec"] == {"address": "10.0.0.77"}
    with pytest.raises(InvalidInput):
        muster(world).accept("shop", "vm2")


def test_what_the_server_holds_is_said(world: World) -> None:
    """A brake over those that are silent, a VM that flaps, an agent that lost its rights."""
    found = rows(world, page("vm1", heldBy=["all"]), page("vm2", flapping=True, agentState="locked"))
    assert found["vm1"].why == ("silent, and held by the brake of all",)
    assert found["vm2"].why[:2] == ("flaps, and is held out for a while", "its agent is locked")
    assert found["vm2"].why[2].startswith("two machines have used its credential")
