"""VMs that join groups, in a cycle: from the join to a WorkloadEntry that no commit holds, and to its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest

from reconciler.core.changes import Action, Cause
from reconciler.core.groups.codes import Code
from reconciler.core.groups.joins import Gone
from reconciler.core.groups.judging import Standing
from reconciler.core.groups.marks import JOINED_ANNOTATION
from reconciler.core.health.brakes import Brake
from reconciler.core.istio import HEALTH_CHECKED, WorkloadEntry
from reconciler.core.plans import PlanSettings
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Pace
from reconciler.cycle.run import Cycle
from reconciler.cycle.status import read_status
from tests.building import workload_entry
from tests.joining import auto_group, go, join, key_of
from tests.vms.scene import drain, settled
from tests.worlds import TARGET, World, mixed

NAME = "web-10-0-0-7"
#: Deletions do not wait here, and health may take anybody out.
FREE = Brake(count=100, percent=100, window=timedelta(0))
QUICK: dict[str, Any] = {"plan": PlanSettings(prune_after=timedelta(0)), "brake": FREE}
GIT = mixed(workload_entry("vm1"), workload_entry("vm2", address="10.0.0.2"))


@pytest.fixture
def world() -> World:
    """A service with two VMs of Git, and a group that VMs may join."""
    world = World()
    world.commit([*GIT, auto_group()])
    world.run()
    world.registry.serve(recovering=False)
    return world


def member(one: Report, name: str = NAME) -> tuple[Standing, str]:
    """Where a member stands, and why."""
    return next((found.standing, found.why) for found in one.members if found.key.name == name)


def changes(one: Report, action: Action) -> list[tuple[Key, Cause]]:
    """The objects that are to be made, changed or deleted, and why."""
    found = (change for difference in one.differences for change in difference.changes)
    return [(change.key, change.cause) for change in found if change.action is action]


def entry(world: World, name: str = NAME) -> Document:
    """A WorkloadEntry that must be there."""
    live = world.live("WorkloadEntry", name)
    assert live is not None
    return live.document


def settle(world: World) -> Report:
    """Run until nothing is left to do, without waiting for timers of deletions."""
    return settled(world, **QUICK)


def in_use(world: World, name: str = NAME) -> bool:
    """Whether a VM gets requests."""
    return WorkloadEntry.of(entry(world, name)).in_use


def test_a_vm_joins_its_group_and_leaves_it(world: World) -> None:
    """Its entry is the template's with address and locality of the join; it goes out by its condition, then it is deleted."""
    key = join(world, "10.0.0.7", locality="eu-1/a")
    planned = world.run("plan")
    assert member(planned) == (Standing.IN, "")
    assert changes(planned, Action.CREATE) == [(Key("WorkloadEntry", "shop", NAME), Cause.JOIN)]
    settle(world)
    found = entry(world)
    labels, annotations = found["metadata"]["labels"], found["metadata"]["annotations"]
    assert labels["app"] == "billing"
    assert annotations["mesh-reconciler.io/group"] == "web"
    assert annotations[JOINED_ANNOTATION] == "2026-03-01T12:00:00Z"
    assert annotations[HEALTH_CHECKED] == "true"
    assert found["spec"] == {"address": "10.0.0.7", "locality": "eu-1/a", "serviceAccount": "web", "ports": {"http": 8080}}
    assert world.spec("VirtualMachine", NAME)["probe"] == {"tcpSocket": {"port": 8080}}
    assert world.run("plan").verdict is Verdict.IN_SYNC

    go(world, key, Gone.LEFT)
    assert member(world.run("plan")) == (Standing.LEAVING, "has left, and leaves load balancing first")
    settle(world)
    assert world.live("WorkloadEntry", NAME) is None
    assert world.live("VirtualMachine", NAME) is None
    assert world.run("plan").verdict is Verdict.IN_SYNC


@pytest.mark.case("V-12")
def test_a_revoked_vm_goes_as_one_that_leaves(world: World) -> None:
    """Its drain takes it out at once, and keeps neither its entry nor its record."""
    key = join(world, "10.0.0.7")
    settle(world)
    go(world, key, Gone.LEFT)
    drain(world, NAME, health="unhealthy")
    world.run("serve", world.process("one:1", **QUICK))
    assert not in_use(world)
    settle(world)
    assert (world.live("WorkloadEntry", NAME), world.live("VirtualMachine", NAME)) == (None, None)


def test_a_lost_vm_leaves_load_balancing_at_once_and_retires_later(world: World) -> None:
    """Its entry stays for `retireAfter`, in which it may come back; what time alone changes is looked at in time."""
    key = join(world, "10.0.0.7")
    settle(world)
    go(world, key, Gone.LOST)
    serving = world.process("one:1", **QUICK)
    assert member(world.run("serve", serving)) == (Standing.LEAVING, "is lost, and retires at 2026-03-01 13:00:00Z")
    assert not in_use(world)
    assert serving.due_in(10**6) <= timedelta(hours=1).total_seconds()
    world.pass_time(minutes=59)
    settle(world)
    assert not in_use(world)
    join(world, "10.0.0.7", at=world.clock.now())
    settle(world)
    assert in_use(world)
    go(world, key, Gone.LOST)
    settle(world)
    world.pass_time(minutes=61)
    assert member(world.run("plan")) == (Standing.GONE, "is lost for so long that it retires")
    settle(world)
    assert world.live("WorkloadEntry", NAME) is None


def test_deletions_wait_and_name_the_group(world: World) -> None:
    """As all deletions do; an operator may name the entry not to wait."""
    key = join(world, "10.0.0.7")
    settle(world)
    go(world, key, Gone.LEFT)
    held = settled(world, brake=FREE)
    assert [guard.message for guard in held.guards] == [
        f"gone from its group, and deleted only after a while: WorkloadEntry/shop/{NAME} (at once with --prune-now)"
    ]
    assert changes(held, Action.DELETE)[0][1] is Cause.JOIN
    world.pass_time(minutes=31)
    world.run()
    assert world.live("WorkloadEntry", NAME) is None


def test_a_rebuilt_vm_enters_by_its_epoch(world: World) -> None:
    """The same entry says when the VM joined last, and where it is now; nothing is rolled out for that."""
    key = join(world, "10.0.0.7")
    settle(world)
    before = world.live("WorkloadEntry", NAME)
    assert before
    world.pass_time(minutes=5)
    join(world, "10.0.0.8", key=key, epoch=2, at=world.clock.now())
    planned = world.run("plan", world.process("careful:1"))
    assert (changes(planned, Action.UPDATE)[0], planned.rollouts) == ((before.key, Cause.JOIN), ())
    settle(world)
    after = world.live("WorkloadEntry", NAME)
    assert after
    assert after.uid == before.uid
    assert after.document["spec"]["address"] == "10.0.0.8"
    assert after.annotations[JOINED_ANNOTATION] == "2026-03-01T12:05:00Z"


def test_what_the_template_says_comes_from_the_commit(world: World) -> None:
    """Another template is a change of Git's, which is rolled out; what a VM says beyond its grant does not count."""
    join(world, "10.0.0.7", locality="eu-1/a", network="mine")
    settle(world)
    world.commit([*GIT, auto_group(template={"weight": 5, "network": "vpc-1"})])
    planned = world.run("plan")
    by_git = {key.kind for key, cause in changes(planned, Action.UPDATE) if cause is Cause.GIT}
    assert by_git >= {"WorkloadEntry", "WorkloadGroup"}
    overruled = [one.message for one in planned.problems if one.code == Code.OVERRULED]
    assert overruled == ["what it says of its network does not count"]
    settle(world)
    assert world.spec("WorkloadEntry", NAME) == {
        "address": "10.0.0.7",
        "locality": "eu-1/a",
        "network": "vpc-1",
        "serviceAccount": "web",
        "ports": {"http": 8080},
        "weight": 5,
    }


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"address": "10.0.9.7"}, "its address 10.0.9.7 is in none of the networks that the group allows: 10.0.0.0/24"),
        ({"service_account": "root"}, "it joined as service account root, the group says web"),
        ({"address": "10.0.0.1"}, "its address 10.0.0.1 is that of WorkloadEntry shop/vm1"),
        ({"group": "other"}, "Git has no WorkloadGroup shop/other that lets VMs join"),
    ],
)
@pytest.mark.case("V-09")
def test_a_vm_that_may_not_join_gets_no_entry(world: World, said: dict[str, str], why: str) -> None:
    """And the report says why."""
    join(world, said.pop("address", "10.0.0.7"), key=key_of("10.0.0.7"), **said)
    settle(world)
    planned = world.run("plan")
    assert member(planned) == (Standing.REFUSED, why)
    assert [one.message for one in planned.problems if one.code == Code.REFUSED] == [why]
    assert world.live("WorkloadEntry", NAME) is None


def test_a_vm_waits_until_it_is_well(world: World) -> None:
    """Its record has the group's probe by then, and the rest of the unit goes on without it."""
    key = join(world, "10.0.0.7", health="unknown")
    settle(world)
    assert member(world.run("plan")) == (Standing.WAITING, f"waiting for VM shop/{NAME}: it has not been seen to be well")
    assert world.spec("VirtualMachine", NAME)["probe"] == {"tcpSocket": {"port": 8080}}
    world.registry.report(key, {"health": "healthy", "address": "10.0.0.7"})
    settle(world)
    assert in_use(world)


def test_git_wins_a_name(world: World) -> None:
    """An entry that Git writes under the name of a member is Git's from then on; who joined under it is named."""
    join(world, "10.0.0.7")
    settle(world)
    world.commit([*GIT, auto_group(), workload_entry(NAME, address="10.0.0.9")])
    settle(world)
    assert world.spec("WorkloadEntry", NAME)["address"] == "10.0.0.9"
    assert JOINED_ANNOTATION not in entry(world)["metadata"].get("annotations", {})
    stands = (Standing.REFUSED, "Git has a WorkloadEntry of this name, which counts alone")
    assert member(world.run("plan")) == stands
    assert world.run("plan").verdict is Verdict.IN_SYNC


def test_what_istiod_registered_is_left_alone(world: World) -> None:
    """Neither is its entry touched, nor its address written again."""
    name = "web-10.0.0.7"
    theirs = workload_entry(name, address="10.0.0.7")
    theirs["metadata"]["annotations"] = {"istio.io/autoRegistrationGroup": "web"}
    world.cluster.create(theirs, "pilot-discovery")
    before = world.live("WorkloadEntry", name)
    join(world, "10.0.0.7")
    settle(world)
    assert member(world.run("plan")) == (Standing.REFUSED, f"its address 10.0.0.7 is that of WorkloadEntry shop/{name}")
    assert world.live("WorkloadEntry", name) == before
    assert world.live("WorkloadEntry", NAME) is None


def test_while_the_registry_recovers_nothing_of_a_group_changes(world: World) -> None:
    """A restored backup knows VMs as gone that live: no entry is made, retired or deleted by it until a person ends that."""
    key = join(world, "10.0.0.7")
    settle(world)
    world.registry.serve(recovering=True)
    go(world, key, Gone.LEFT, ago=timedelta(days=1))
    join(world, "10.0.0.8")
    last = settle(world)
    assert member(last)[0] is Standing.HELD
    assert member(last, "web-10-0-0-8")[0] is Standing.WAITING
    assert any(problem.message.startswith("the VM registry recovers: ") for problem in last.problems)
    assert in_use(world)
    assert world.live("WorkloadEntry", "web-10-0-0-8") is None
    assert world.live("VirtualMachine", NAME) is not None
    world.commit(GIT)
    settle(world)
    assert in_use(world)
    world.registry.serve(recovering=False)
    world.commit([*GIT, auto_group()])
    settle(world)
    assert world.live("WorkloadEntry", NAME) is None
    assert in_use(world, "web-10-0-0-8")


def test_a_registry_that_knows_nothing_takes_no_entry_away(world: World) -> None:
    """It may have been lost: absence is no command."""
    key = join(world, "10.0.0.7")
    settle(world)
    record = world.registry.get(key)
    assert record
    world.registry.delete(key, uid=record.uid, resource_version=record.resource_version)
    settle(world)
    assert member(world.run("plan"))[0] is Standing.HELD
    assert in_use(world)


def test_to_delete_a_group_is_to_delete_its_entries(world: World) -> None:
    """The budget of endpoints counts them, and holds them until a person lets them go."""
    for number in (7, 8, 9):
        join(world, f"10.0.0.{number}")
    settle(world)
    world.commit(GIT)
    held = settle(world)
    assert [guard.override for guard in held.guards] == ["endpoints:shop/billing.internal"]
    assert in_use(world)
    assert {cause for key, cause in changes(held, Action.DELETE)} == {Cause.GIT}
    world.run("apply", allow=frozenset({"endpoints:shop/billing.internal"}), cycle=world.process("two:1", **QUICK))
    assert world.live("WorkloadEntry", NAME) is None
    assert world.live("WorkloadGroup", "web") is None


def test_the_brake_of_health_holds_members_as_it_holds_all(world: World) -> None:
    """Who may not leave load balancing yet is not deleted either."""
    keys = [join(world, f"10.0.0.{number}") for number in range(10, 20)]
    settle(world)
    for key in keys:
        go(world, key, Gone.LEFT)
    policy = {"plan": PlanSettings(prune_after=timedelta(0)), "brake": Brake(count=2, percent=30)}
    settled(world, **policy)
    assert sum(in_use(world, key.name) for key in keys) == 8
    world.pass_time(minutes=11)
    settled(world, **policy)
    left = [key.name for key in keys if world.live("WorkloadEntry", key.name)]
    assert len(left) == 8
    assert sum(in_use(world, name) for name in left) == 6


def test_an_approval_outlives_a_join(world: World) -> None:
    """VMs that come and go are not what a person has reviewed."""
    world.commit([*GIT, auto_group(), workload_entry("vm3", address="10.0.0.3")])
    process = world.process("one:1", require_join=False)
    before = world.run("plan", process)
    join(world, "10.0.0.7")
    after = world.run("plan", process)
    assert (Key("WorkloadEntry", "shop", "vm3"), Cause.GIT) in changes(after, Action.CREATE)
    assert (Key("WorkloadEntry", "shop", NAME), Cause.JOIN) in changes(after, Action.CREATE)
    assert before.plan
    assert after.plan
    assert before.plan.digest == after.plan.digest


def test_a_member_at_an_address_that_the_group_does_not_allow_is_held(world: World) -> None:
    """Its entry keeps the address that it had, and gets no requests there: its reports come from somewhere else."""
    key = join(world, "10.0.0.7")
    settle(world)
    join(world, "10.0.9.7", key=key)
    last = settle(world)
    assert member(last)[0] is Standing.HELD
    assert world.spec("WorkloadEntry", NAME)["address"] == "10.0.0.7"
    assert not in_use(world)


def test_what_becomes_of_a_member_is_in_the_history(world: World) -> None:
    """Also where nothing is written for it, so that the status tells it; the same is not told twice."""
    process = world.process("one:1")
    world.run("apply", process)
    join(world, "10.0.9.7")
    world.run("apply", process)
    before = len(world.store.history(100))
    assert read_status(TARGET, world.store, world.lease(), world.clock.now()).rows()[-1][0] == "from a group"
    world.run("apply", process)
    assert len(world.store.history(100)) == before


class TestWhileAnotherVmRollsOut:
    """Members come and go in the middle of a rollout of their service."""

    careful: ClassVar[dict[str, Any]] = {
        "rollouts": RolloutLimits(careful=True),
        "pace": Pace(settle=timedelta(0)),
        "require_join": False,
        **QUICK,
    }

    @pytest.fixture
    def serving(self, world: World) -> Cycle:
        """A process that moves requests to a third VM of Git's, step by step."""
        join(world, "10.0.0.7")
        join(world, "10.0.0.8")
        settle(world)
        process = world.process("serve:1", **self.careful)
        world.commit([*GIT, auto_group(), workload_entry("vm3", address="10.0.0.3")])
        world.serve(process)
        (rollout,) = world.store.rollouts.standing()
        assert rollout.phase is not Phase.IDLE
        return process

    def look(self, world: World, process: Cycle, times: int = 1, **after: float) -> None:
        """Look so often, with time in between."""
        for _ in range(times):
            world.pass_time(**(after or {"seconds": 10}))
            world.serve(process)

    def test_it_goes_on_as_the_one_that_it_was(self, world: World, serving: Cycle) -> None:
        """One comes, one goes, one moves: none begins another rollout or is held back by this one."""
        before = world.store.rollouts.standing()[0].id
        join(world, "10.0.0.9")
        go(world, key_of("10.0.0.7"), Gone.LEFT)
        join(world, "10.0.0.18", key=key_of("10.0.0.8"), epoch=2)
        self.look(world, serving, 3)
        assert [one.id for one in world.store.rollouts.standing()] == [before]
        assert in_use(world, "web-10-0-0-9")
        assert world.spec("WorkloadEntry", "web-10-0-0-8")["address"] == "10.0.0.18"
        assert world.live("WorkloadEntry", NAME) is None
        self.look(world, serving, 60, minutes=10)
        assert world.store.rollouts.standing() == ()
        assert {name for name in ("web-10-0-0-8", "web-10-0-0-9") if in_use(world, name)} == {"web-10-0-0-8", "web-10-0-0-9"}
        assert world.run("plan").verdict is Verdict.IN_SYNC
