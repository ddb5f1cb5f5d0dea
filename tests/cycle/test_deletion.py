"""What is gone from Git: when it is deleted, when only a person may let it go, and what is never deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.core.changes import State
from reconciler.core.plans import PlanSettings
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import Document, Key, Pod
from reconciler.cycle.run import Cycle
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import Override
from tests.building import document, service_entry, workload_entry
from tests.worlds import SELECTOR, Hooked, World, mixed

VM3 = workload_entry("vm3", address="10.0.0.3")
VM4 = workload_entry("vm4", address="10.0.0.4")


@pytest.fixture
def world() -> World:
    """A target with billing on four VMs."""
    world = World()
    world.commit(_four())
    world.run()
    return world


def _four() -> list[Document]:
    return mixed(workload_entry("vm1"), workload_entry("vm2", address="10.0.0.2"), VM3, VM4)


def _names(world: World, kind: str) -> set[str]:
    return {key.name for key in world.cluster.observe().objects if key.kind == kind}


def _deleted(report: Report) -> set[str]:
    return {str(one.key) for one in report.results if one.action == "delete" and one.written is Written.DONE}


def _dropped_vm4(world: World) -> None:
    world.commit(_four()[:-1])


def test_what_left_git_waits_and_then_goes(world: World) -> None:
    """The run says until when; before that nothing is deleted, after it entry and record go, in this order."""
    _dropped_vm4(world)
    first = world.run()
    (until,) = {guard.until for guard in first.guards}
    assert first.verdict is Verdict.CHANGES
    assert until == world.clock.now() + timedelta(minutes=30)
    world.pass_time(minutes=29)
    assert _deleted(world.run()) == set()
    world.pass_time(minutes=2)
    last = world.run()
    assert _deleted(last) == {"WorkloadEntry shop/vm4", "VirtualMachine shop/vm4"}
    assert [one.key.kind for one in last.results] == ["WorkloadEntry", "VirtualMachine"]
    assert Key("WorkloadEntry", "shop", "vm4") not in world.store.inventory()
    assert world.run("diff").verdict is Verdict.IN_SYNC


def test_serve_comes_back_when_the_time_is_up(world: World) -> None:
    """Nothing changed but the time: the pass is no idle one."""
    _dropped_vm4(world)
    server = world.process()
    world.serve(server)
    assert server.nothing_new()
    world.pass_time(minutes=31)
    assert not server.nothing_new()
    world.serve(server)
    assert "vm4" not in _names(world, "WorkloadEntry")


def test_looking_starts_no_timer_and_a_commit_that_wants_it_back_ends_it(world: World) -> None:
    """The time runs from the first run that would have deleted, and from nothing before a return to Git."""
    _dropped_vm4(world)
    world.run("plan")
    world.pass_time(hours=2)
    assert _deleted(world.run()) == set()
    world.pass_time(minutes=20)
    world.commit(_four())
    world.run()
    _dropped_vm4(world)
    world.pass_time(minutes=20)
    assert _deleted(world.run()) == set()


def test_prune_now_names_what_need_not_wait(world: World) -> None:
    """Only what is named goes at once, a VM's record with its WorkloadEntry; the record alone has a name, too."""
    _dropped_vm4(world)
    assert _deleted(world.run(prune_now=frozenset(["WorkloadEntry/shop/vm9"]))) == set()
    report = world.run(prune_now=frozenset(["WorkloadEntry/shop/vm4"]))
    assert _deleted(report) == {"WorkloadEntry shop/vm4", "VirtualMachine shop/vm4"}


def test_more_than_a_third_of_the_endpoints_needs_a_name(world: World) -> None:
    """Two of four VMs at once: held until somebody says so, however long it waits."""
    world.commit(_four()[:-2])
    world.run()
    world.pass_time(hours=1)
    report = world.run()
    assert report.verdict is Verdict.REFUSED
    assert {guard.override for guard in report.guards} == {"endpoints:shop/billing.internal"}
    assert _names(world, "WorkloadEntry") == {"vm1", "vm2", "vm3", "vm4"}
    allowed = world.run(allow=frozenset(["endpoints:shop/billing.internal"]))
    assert {"WorkloadEntry shop/vm3", "WorkloadEntry shop/vm4"} < _deleted(allowed)


def _with(*services: str) -> list[Document]:
    entries = [workload_entry(f"{one}-1", labels={"app": one}, address=f"10.0.1.{n}") for n, one in enumerate(services, 1)]
    return [*_four(), *(service_entry(one, workloadSelector={"labels": {"app": one}}) for one in services), *entries]


def test_a_service_never_goes_on_a_timer(world: World) -> None:
    """Nobody can see its traffic: it is deleted only by name, and the digest binds the name to what was seen."""
    world.commit(_with("ledger"))
    world.run()
    world.commit(_four())
    world.run()
    world.pass_time(days=3)
    report = world.run()
    assert report.verdict is Verdict.REFUSED
    assert report.plan is not None
    assert "delete:ServiceEntry/shop/ledger" in {guard.override for guard in report.guards}
    hurried = world.run(prune_now=frozenset(["ServiceEntry/shop/ledger", "all"]))
    assert _deleted(hurried) == set()
    assert {"ledger-1"} < _names(world, "WorkloadEntry")
    assert "ledger" in _names(world, "ServiceEntry")
    gone = world.run(allow=frozenset(["delete:ServiceEntry/shop/ledger"]), digest=report.plan.digest)
    assert "ServiceEntry shop/ledger" in _deleted(gone)


@pytest.mark.case("D-03")
def test_approve_lets_a_serving_process_go_on_and_is_noticed(world: World) -> None:
    """An override kept in the store for exactly this plan counts in the next pass, which is no idle one; for another, not."""
    world.commit(_with("ledger"))
    server = world.process()
    world.serve(server)
    world.commit(_four())
    world.serve(server)
    world.pass_time(hours=1)
    refused = world.serve(server)
    assert refused.plan is not None
    assert server.nothing_new()
    _approve(world, "f" * 64)
    assert server.nothing_new()
    _approve(world, refused.plan.digest)
    assert not server.nothing_new()
    assert "ServiceEntry shop/ledger" in _deleted(server.run("serve", write=True))


def _approve(world: World, digest: str) -> None:
    world.store.override(Override(digest, "delete:ServiceEntry/shop/ledger", "ada", "old", world.clock.now()))


@pytest.mark.case("D-03")
def test_the_deletion_budget_counts_over_commits(world: World) -> None:
    """Two services an hour ago, two now: the budget of three within 24 hours holds, and is free again later."""
    stay = ("e", "f", "g", "h")
    for left, names in ((("a", "b", "c", "d"), ""), (("c", "d"), "ab"), ((), "cd")):
        world.commit(_with(*left, *stay))
        world.run()
        world.pass_time(hours=1)
        last = world.run(allow=frozenset(f"delete:ServiceEntry/shop/{name}" for name in names))
    assert [guard.override for guard in last.guards] == ["delete-services:2"]
    assert {"c", "d"} < _names(world, "ServiceEntry")
    world.pass_time(hours=24)
    world.run(allow=frozenset(f"delete:ServiceEntry/shop/{name}" for name in "cd"))
    assert _names(world, "ServiceEntry") == {"billing", *stay}


@pytest.mark.case("D-03")
def test_a_commit_that_drops_nearly_everything_is_held_whole(world: World) -> None:
    """A folder went missing: the mass deletion needs a name of its own, whatever else was allowed."""
    world.commit(_with("a", "b", "c"))
    world.run()
    world.commit(_with()[:1])
    world.run()
    world.pass_time(days=1)
    plain = [guard.override for guard in world.run().guards if not guard.override.startswith("delete-objects")]
    report = world.run(allow=frozenset(plain))
    assert _deleted(report) == set()
    assert any(guard.override.startswith("delete-objects:") for guard in report.guards)


NAMED = frozenset(["delete:Namespace/web"])


@pytest.fixture
def left_web(world: World) -> World:
    """The target after a Namespace has left Git, and its time to wait is over."""
    world.commit([*_four(), document("Namespace", "web", "")])
    world.run()
    world.commit(_four())
    world.run()
    world.pass_time(days=30)
    return world


def _is_going(world: World) -> bool:
    return world.cluster.observe().objects[Key("Namespace", "", "web")].deleting


def test_a_namespace_is_never_deleted_by_itself(left_web: World) -> None:
    """Not after days, and not by prune-now: it is reported, with the name to say; nobody is asked what is inside."""
    asked: list[str] = []
    server = left_web.process(cluster=Hooked(left_web.cluster, lambda name, *_: asked.append(name)))
    report = left_web.run(cycle=server, prune_now=frozenset(["Namespace/web", "all"]))
    assert report.verdict is Verdict.REFUSED
    assert [guard.override for guard in report.guards] == [*NAMED]
    assert not _is_going(left_web)
    assert "inside" not in asked


def test_an_empty_namespace_is_deleted_by_name(left_web: World) -> None:
    """The name that was said for a plan which nobody had looked for counts, once the look shows nothing foreign."""
    plan = left_web.run("plan").plan
    assert plan is not None
    report = left_web.run(allow=NAMED, digest=plan.digest)
    assert "Namespace web" in _deleted(report)
    assert _is_going(left_web)


def test_a_namespace_with_anything_foreign_inside_stays(left_web: World) -> None:
    """Whatever is said: the guard names what is there, and that no name helps."""
    left_web.cluster.put_pod(Pod("web", "p1", "10.1.0.1", {}, ready=True))
    report = left_web.run(allow=NAMED)
    (guard,) = report.guards
    assert (report.verdict, guard.override) == (Verdict.REFUSED, "")
    assert guard.message.endswith("everything in it: Pod p1; it can only be deleted by hand")
    assert not _is_going(left_web)


@pytest.mark.parametrize("error", [Rejected("secrets is forbidden", status=403), Unavailable("no answer")])
def test_a_namespace_into_which_nobody_can_look_stays(left_web: World, error: Exception) -> None:
    """One kind that may not be listed, one that did not answer: that is said, and the rest of the plan goes on."""

    def refuse(name: str, *_: object) -> None:
        if name == "inside":
            raise error

    left_web.commit([*_four(), workload_entry("vm5", address="10.0.0.5")])
    server = left_web.process(cluster=Hooked(left_web.cluster, refuse))
    report = left_web.run(cycle=server, allow=NAMED)
    assert f"could not be listed ({error})" in report.guards[0].message
    assert not _is_going(left_web)
    assert left_web.live("WorkloadEntry", "vm5") is not None


def test_a_serving_process_looks_inside_once_the_name_is_given(left_web: World) -> None:
    """An approval counts for the plan that was shown, which the look does not change."""
    server = left_web.process()
    plan = left_web.serve(server).plan
    assert plan is not None
    for name in NAMED:
        left_web.store.override(Override(plan.digest, name, "ada", "unused", left_web.clock.now()))
    assert not server.nothing_new()
    assert "Namespace web" in _deleted(server.run("serve", write=True))


@pytest.mark.case("A-09")
def test_a_namespace_on_its_way_out_is_shown(left_web: World) -> None:
    """What is in it takes its time; nothing is sent again."""
    left_web.run(allow=NAMED)
    report = left_web.run(allow=NAMED)
    assert [(one.key.name, one.state) for one in report.differences] == [("web", State.TERMINATING)]
    assert report.results == ()


@pytest.mark.case("A-08")
def test_an_object_that_was_made_anew_meanwhile_is_not_deleted(world: World) -> None:
    """Between plan and write somebody deletes the entry and creates another one: the uid tells them apart."""

    def recreate(name: str, *arguments: object) -> None:
        if name == "delete" and arguments[0] == Key("WorkloadEntry", "shop", "vm4"):
            world.cluster.remove(Key("WorkloadEntry", "shop", "vm4"))
            world.cluster.create(workload_entry("vm4", address="10.7.7.7"), "kubectl")

    _dropped_vm4(world)
    world.run()
    world.pass_time(hours=1)
    server: Cycle = world.process(cluster=Hooked(world.cluster, recreate))
    report = world.serve(server)
    assert report.verdict is Verdict.FAILED
    assert world.spec("WorkloadEntry", "vm4")["address"] == "10.7.7.7"
    left = world.run("diff")
    assert {one.state for one in left.differences if one.key.kind == "WorkloadEntry"} <= {State.LEFT}
    assert world.spec("WorkloadEntry", "vm4")["address"] == "10.7.7.7"


@pytest.mark.case("A-14")
def test_an_object_that_was_stripped_of_our_mark_stays(world: World) -> None:
    """It was ours; somebody took the mark away: reported, and not deleted."""
    world.edit("WorkloadEntry", "vm4", {"metadata": {"labels": {"mesh-reconciler.io/target": None}}})
    _dropped_vm4(world)
    world.run()
    world.pass_time(hours=1)
    report = world.run()
    assert "vm4" in _names(world, "WorkloadEntry")
    (left,) = [one for one in report.differences if one.key.kind == "WorkloadEntry"]
    assert left.state is State.LEFT


@pytest.mark.case("A-09")
def test_a_finalizer_that_blocks_a_deletion_is_shown(world: World) -> None:
    """The object is on its way out and stays visible with what holds it, until it is gone."""
    world.edit("WorkloadEntry", "vm4", {"metadata": {"finalizers": ["example.com/guard"]}})
    _dropped_vm4(world)
    world.run()
    world.pass_time(hours=1)
    world.run()
    report = world.run()
    (held,) = [one for one in report.differences if one.key.kind == "WorkloadEntry"]
    assert held.state is State.TERMINATING
    assert "example.com/guard" in held.problems[0].message
    assert report.results == ()
    world.edit("WorkloadEntry", "vm4", {"metadata": {"finalizers": None}})
    assert world.run().verdict is Verdict.IN_SYNC


@pytest.mark.case("D-08")
def test_a_renamed_machine_is_there_before_the_old_one_goes(world: World) -> None:
    """The new name is created at once, the old one deleted in its time; the service never has fewer endpoints."""
    renamed = workload_entry("vm4-new", address="10.0.0.4")
    world.commit([*_four()[:-1], renamed])
    report = world.run()
    assert {"vm4", "vm4-new"} <= _names(world, "WorkloadEntry")
    assert _deleted(report) == set()
    world.pass_time(hours=1)
    assert "WorkloadEntry shop/vm4" in _deleted(world.run())


def test_what_is_nowhere_leaves_the_inventory(world: World) -> None:
    """Somebody deleted by hand what Git had dropped: nothing of it is ours any more."""
    _dropped_vm4(world)
    world.cluster.remove(Key("WorkloadEntry", "shop", "vm4"))
    world.run()
    assert Key("WorkloadEntry", "shop", "vm4") not in world.store.inventory()
    assert Key("VirtualMachine", "shop", "vm4") in world.store.inventory()


def test_no_waiting_where_the_operator_says_so() -> None:
    """With prune_after zero a workload goes with the commit that drops it."""
    world = World()
    world.commit(_four())
    settings = PlanSettings(prune_after=timedelta(0))
    server = world.process(plan=settings)
    world.serve(server)
    _dropped_vm4(world)
    assert "WorkloadEntry shop/vm4" in _deleted(world.serve(server))
    assert world.spec("ServiceEntry", "billing")["workloadSelector"] == SELECTOR
