"""WorkloadEntries of Git that wait for their VM, where the registry's server can tell that it has joined."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.changes import State
from reconciler.core.health.codes import Code
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.cycle.status import read_status
from reconciler.reports import layout
from tests.building import workload_entry
from tests.vms.scene import report
from tests.worlds import TARGET, World, inline, mixed

VM1, VM2, VM3 = (workload_entry(f"vm{number}", address=f"10.0.0.{number}") for number in (1, 2, 3))


@pytest.fixture
def world() -> World:
    """A target whose registry a server of ours keeps."""
    world = World()
    world.registry.serve(recovering=False)
    return world


def waiting(one: Report) -> dict[str, str]:
    """The entries that wait, and what their VMs lack."""
    found = (each for each in one.differences if each.state is State.WAITING)
    return {each.key.name: each.problems[0].message.partition(": ")[2].partition(";")[0] for each in found}


def entries(world: World) -> set[str]:
    """The WorkloadEntries that are there."""
    return {key.name for key in world.cluster.observe().objects if key.kind == "WorkloadEntry"}


def without_registry(entry: Document, **annotations: str) -> Document:
    """An entry for which no agent reports."""
    said = {f"mesh-reconciler.io/{name}": text for name, text in annotations.items()}
    return {**entry, "metadata": {**entry["metadata"], "annotations": said}}


def test_an_entry_is_made_once_its_vm_is_there_and_well(world: World) -> None:
    """The rest of its unit goes on without it, its record first of all: with that the VM can join."""
    world.commit(mixed(VM1, VM2))
    first = world.run()
    assert (first.verdict, waiting(first)) == (Verdict.CHANGES, {"vm1": "it has not joined", "vm2": "it has not joined"})
    assert first.objects - len(first.left) == 4
    assert [unit.title for unit in layout.units(first)][-1] == "waiting for VMs, all else goes on without them"
    assert world.live("ServiceEntry", "billing")
    assert world.live("VirtualMachine", "vm1")
    assert entries(world) == set()
    told = [text for name, text in read_status(TARGET, world.store, world.lease(), world.clock.now()).rows() if name == "VM"]
    assert told[0].startswith("WorkloadEntry shop/vm1: waiting for VM shop/vm1: it has not joined; ")

    report(world, "vm1", "healthy")
    report(world, "vm2", "unknown")
    second = world.run()
    assert waiting(second) == {"vm2": "it has not said how it is"}
    assert entries(world) == {"vm1"}
    report(world, "vm2", "healthy", "10.0.0.9")
    assert waiting(world.run()) == {"vm2": "its reports come from 10.0.0.9"}
    report(world, "vm2", "healthy")
    assert world.run().verdict is Verdict.APPLIED
    assert entries(world) == {"vm1", "vm2"}
    assert world.run("plan").verdict is Verdict.IN_SYNC


@pytest.mark.parametrize(("served", "require_join", "waits"), [(False, None, 0), (False, True, 2), (True, False, 0)])
def test_who_waits(*, served: bool, require_join: bool | None, waits: int) -> None:
    """Without a server nobody could join, so that nothing waits unless the operator says so; nor where he says not to."""
    world = World()
    if served:
        world.registry.serve(recovering=False)
    world.commit(mixed(VM1, VM2))
    process = world.process(require_join=require_join)
    assert len(waiting(world.run("apply", process))) == waits
    assert len(entries(world)) == 2 - waits


def test_what_is_there_stays_and_goes_on(world: World) -> None:
    """Only the making of an entry waits: what was made before the server came is written and kept as ever."""
    process = world.process(require_join=False)
    world.commit(mixed(VM1, VM2))
    world.run("apply", process)
    process.authority.release()
    report(world, "vm2", "unhealthy")
    world.commit(mixed({**VM1, "spec": {**VM1["spec"], "ports": {"http": 8080}}}, VM2))
    assert world.run().verdict is Verdict.APPLIED
    assert world.spec("WorkloadEntry", "vm1")["ports"] == {"http": 8080}


def test_what_serves_under_another_name_waits_for_nobody(world: World) -> None:
    """A list of endpoints becomes WorkloadEntries at the same addresses; the service keeps all of them."""
    process = world.process(require_join=False)
    world.commit(inline("10.0.0.1", "10.0.0.2"))
    world.run("apply", process)
    process.authority.release()
    world.commit(mixed(VM1, VM2, VM3))
    for _ in range(3):
        last = world.run()
    assert waiting(last) == {"vm3": "it has not joined"}
    assert entries(world) == {"vm1", "vm2"}
    assert world.spec("ServiceEntry", "billing")["workloadSelector"]
    world.commit(mixed(VM1, workload_entry("renamed", address="10.0.0.2")))
    assert waiting(world.run()) == {}
    assert "renamed" in entries(world)


@pytest.mark.parametrize("said", [{"registry": "none"}, {"health": "assumed"}, {"health": "istiod"}])
def test_for_whom_no_agent_speaks_nothing_waits(world: World, said: dict[str, str]) -> None:
    """Nobody would ever join there."""
    world.commit(mixed(without_registry(VM1, **said), VM2))
    assert waiting(world.run()) == {"vm2": "it has not joined"}
    assert entries(world) == {"vm1"}


def test_a_vm_that_comes_later_is_a_change_of_its_own(world: World) -> None:
    """What a commit says of others is rolled out and ends without it; then it enters, as carefully as any change."""
    careful: dict[str, Any] = {"rollouts": RolloutLimits(careful=True)}
    world.commit(mixed(VM1, VM2))
    for name in ("vm1", "vm2"):
        world.run()
        report(world, name, "healthy")
    world.run()
    world.commit(mixed(VM1, VM2, VM3))
    planned = world.run("plan", world.process("two:1", **careful))
    assert (waiting(planned), planned.rollouts) == ({"vm3": "it has not joined"}, ())
    assert [str(one.code) for each in planned.differences for one in each.problems] == [str(Code.AWAITED)]
    world.run()
    report(world, "vm3", "healthy")
    planned = world.run("plan", world.process("three:1", **careful))
    assert [one.unit for one in planned.rollouts] == ["shop/billing"]
    assert Key("WorkloadEntry", "shop", "vm3") in {key for step in planned.rollouts[0].steps for key in step.objects}
