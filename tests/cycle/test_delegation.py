"""VMs of which Git leaves the address to the VM registry, in a cycle."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.health.codes import Code
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document
from reconciler.core.rollouts.policies import RolloutLimits
from tests.cycle.test_rollouts import policy
from tests.vms.scene import VM2, VM3, checked, drain, report, settled
from tests.worlds import World, mixed

VM1 = checked("vm1", "10.0.0.1", address="registry, 10.0.0.0/24, fd00::/8")
GIT = mixed(VM1, VM2, VM3)


@pytest.fixture
def world() -> World:
    """Three VMs that are well, of which one may be anywhere in 10.0.0.0/24, and a server of ours that has verified that."""
    world = World()
    world.registry.serve(recovering=False)
    world.commit(GIT)
    world.run()
    for entry in (VM1, VM2, VM3):
        report(world, entry["metadata"]["name"], "healthy")
    settled(world)
    return world


def entry(world: World) -> Document:
    """The entry of the VM as it is."""
    live = world.live("WorkloadEntry", "vm1")
    assert live is not None
    return live.document


def moved(world: World, address: str, health: str = "healthy") -> str:
    """Where the entry is after the VM has said from an address how it is."""
    report(world, "vm1", health, address)
    settled(world)
    return str(entry(world)["spec"]["address"])


def told(one: Report) -> list[str]:
    """What a report says of such addresses."""
    return [problem.message for problem in one.problems if problem.code is Code.DELEGATED]


def test_a_vm_that_was_rebuilt_elsewhere_goes_on_there(world: World) -> None:
    """Within its networks, once it is well; every report says so, and nothing is left to do. Then it is rebuilt at home."""
    assert told(world.run("plan")) == []
    assert moved(world, "10.0.0.77") == "10.0.0.77"
    last = world.run("plan")
    assert last.verdict is Verdict.IN_SYNC
    assert told(last)[0].startswith("is at 10.0.0.77, as the VM registry says; Git says 10.0.0.1, ")
    conditions = entry(world)["status"]["conditions"]
    assert [one["status"] for one in conditions if one["type"] == "Healthy"] == ["True"]
    assert moved(world, "10.0.0.1") == "10.0.0.1"
    assert told(world.run("plan")) == []


@pytest.mark.parametrize(
    ("address", "health"),
    [("10.0.1.7", "healthy"), ("10.0.0.78", "unhealthy"), ("10.0.0.78", "unknown"), ("10.0.0.2", "healthy")],
)
def test_an_address_that_does_not_count_moves_nothing(world: World, address: str, health: str) -> None:
    """One outside, one where the VM is not well, one that another VM has: the entry stays where it was last."""
    assert moved(world, "10.0.0.77") == "10.0.0.77"
    assert moved(world, address, health) == "10.0.0.77"


def test_nothing_moves_by_a_record_that_is_doubted_or_that_nobody_has_verified(world: World) -> None:
    """A restored backup may know an older address. Who is drained stays where he is, too."""
    assert moved(world, "10.0.0.77") == "10.0.0.77"
    world.registry.serve(recovering=True)
    assert moved(world, "10.0.0.78") == "10.0.0.77"
    world.registry.serve(recovering=False)
    drain(world, "vm1")
    settled(world)
    assert entry(world)["spec"]["address"] == "10.0.0.77"
    bare = World()
    bare.commit(GIT)
    bare.run()
    assert moved(bare, "10.0.0.77") == "10.0.0.1"


def test_git_takes_the_address_back(world: World) -> None:
    """Without the annotation it is where Git says, as any other."""
    assert moved(world, "10.0.0.77") == "10.0.0.77"
    world.commit(mixed(checked("vm1", "10.0.0.1"), VM2, VM3))
    settled(world)
    assert entry(world)["spec"]["address"] == "10.0.0.1"


def test_a_move_is_rolled_out_by_nobody_and_held_back_by_no_rollout(world: World) -> None:
    """It is no change of Git's: not under a policy, and not while a rollout of the service is under way."""
    careful: dict[str, Any] = {"rollouts": RolloutLimits(careful=True)}
    world.commit([*GIT, policy()])
    settled(world, **careful)
    report(world, "vm1", "healthy", "10.0.0.77")
    settled(world, **careful)
    assert (entry(world)["spec"]["address"], world.store.rollouts.standing()) == ("10.0.0.77", ())
    heavier = [{**one, "spec": {**one["spec"], "weight": 5}} for one in (VM1, VM2, VM3)]
    world.commit([*mixed(*heavier), policy()])
    settled(world, **careful)
    (rollout,) = world.store.rollouts.standing()
    report(world, "vm1", "healthy", "10.0.0.78")
    settled(world, **careful)
    assert entry(world)["spec"]["address"] == "10.0.0.78"
    assert [one.id for one in world.store.rollouts.standing()] == [rollout.id]
