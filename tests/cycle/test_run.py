"""One cycle from end to end in memory: what is read, decided, written and said, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.changes import Cause, State
from reconciler.core.plans import Mode
from reconciler.core.report import Verdict, Written
from reconciler.core.resources import Key
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import ClusterState
from tests.building import document, service_entry, workload_entry
from tests.worlds import SHOP, Hooked, World, mixed

WRITES = {"apply", "delete", "set_owners", "dry_run", "put"}


@pytest.fixture
def world() -> World:
    """A target that holds nothing, and a commit that asks for the service billing on two VMs."""
    world = World()
    world.commit(mixed())
    return world


def _calls(of: list[str]) -> Callable[..., None]:
    return lambda name, *_: of.append(name)


def test_a_push_becomes_what_both_stores_hold(world: World) -> None:
    """Diff and plan say what is due, apply does it, and then there is nothing to do."""
    assert world.run("diff").verdict.exit_code == 2
    assert world.run("plan").verdict.exit_code == 2
    applied = world.run()
    assert (applied.verdict, applied.verdict.exit_code) == (Verdict.APPLIED, 0)
    assert world.spec("WorkloadEntry", "vm2")["address"] == world.spec("VirtualMachine", "vm2")["address"] == "10.0.0.2"
    assert world.spec("ServiceEntry", "billing")["workloadSelector"] == {"labels": {"app": "billing"}}
    again = world.run("diff")
    assert (again.verdict, again.differences) == (Verdict.IN_SYNC, ())
    assert again.objects == 6


def test_looking_writes_nothing_anywhere(world: World) -> None:
    """Diff and plan leave cluster, registry, lease and all timers alone."""
    world.run()
    world.edit("WorkloadEntry", "vm1", {"metadata": {"labels": {"mesh-reconciler.io/target": None}}})
    world.commit([SHOP, *mixed(workload_entry("vm1", weight=7))[1:]])
    before, lease = world.cluster.observe(), world.leases.held["test"]
    calls: list[str] = []
    process = world.process(registry=Hooked(world.registry, _calls(calls)))
    for command in ("diff", "plan"):
        world.run(command, process)
    assert not WRITES & set(calls)
    assert world.cluster.observe() is before
    assert world.leases.held["test"] == lease
    assert world.store.first_seen([Key("WorkloadEntry", "shop", "vm2")], world.clock.now(), keep=False) == {
        Key("WorkloadEntry", "shop", "vm2"): world.clock.now()
    }


def test_observe_runs_the_whole_cycle_and_sends_no_write(world: World) -> None:
    """Not even a dry-run, nor a lease; the report says what would have been written."""
    calls: list[str] = []
    world.run()
    world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 9}})
    world.commit(mixed(workload_entry("vm1", weight=5), workload_entry("vm2")))
    hooked = Hooked(world.cluster, _calls(calls))
    before = dict(world.leases.held)
    process = world.process(cluster=hooked, mode=Mode.OBSERVE)
    for command in ("apply", "serve"):
        report = world.run(command, process)
        assert report.verdict is Verdict.CHANGES
        assert {one.key.name for one in report.differences} == {"vm1", "vm2"}
    assert not WRITES & set(calls)
    assert world.leases.held == before


def test_a_pass_in_which_nothing_changed_asks_nobody_but_git(world: World) -> None:
    """Same commit, same stores: nothing is new, and no cycle need run."""
    process = world.process()
    world.serve(process)
    world.serve(process)
    assert process.nothing_new()
    process.poll_due()
    assert process.nothing_new()
    world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 9}})
    assert not process.nothing_new()


def test_a_commit_that_arrives_while_a_cycle_runs_is_seen_by_the_next(world: World) -> None:
    """Git is asked to be asked again in the middle of a cycle: what it says then is news."""
    process = world.process()
    world.serve(process)

    def push(name: str, *_: Any) -> None:
        if name == "accepted":
            world.commit(mixed(workload_entry("vm1")))
            slow.poll_due()

    slow = world.process(store=Hooked(world.store, push))
    world.serve(slow)
    assert not slow.nothing_new()


def test_drift_is_put_back_and_named(world: World) -> None:
    """A hand edit is corrected, with cause drift; the report names who made it."""
    process = world.process()
    world.serve(process)
    world.edit("WorkloadEntry", "vm1", {"spec": {"labels": {"app": "shipping"}}})
    world.cluster.remove(Key("WorkloadEntry", "shop", "vm2"))
    report = world.serve(process)
    assert {(one.key.name, one.cause, one.written) for one in report.results} == {
        ("vm2", Cause.DRIFT, Written.DONE),
    }
    (edited,) = [one for one in report.differences if one.key.name == "vm1"]
    assert edited.state is State.CO_OWNED
    assert edited.fields[0].managers == ("kubectl-edit",)
    taken = world.run(adoption=_adopt("WorkloadEntry/shop/vm1"), cycle=process)
    assert taken.verdict is Verdict.APPLIED
    assert world.spec("WorkloadEntry", "vm1")["labels"] == {"app": "billing"}


def _adopt(*texts: str) -> Any:
    from reconciler.core.adoption import Adoption

    return Adoption.parse(texts)


@pytest.mark.case("A-04", "D-04")
def test_a_cluster_that_cannot_be_read_changes_nothing(world: World) -> None:
    """An unreachable cluster ends the cycle as unavailable; nothing is written, deleted or concluded, and it recovers."""
    world.run()
    world.commit([SHOP])
    down = True

    def outage(name: str, *_: Any) -> None:
        if down and name == "observe":
            raise Unavailable("connection refused")

    process = world.process(cluster=Hooked(world.cluster, outage))
    for _ in range(5):
        report = world.serve(process)
        assert (report.verdict, report.plan) == (Verdict.UNAVAILABLE, None)
        assert "connection refused" in report.reason
        assert not process.nothing_new()
    down = False
    assert world.serve(process).verdict is not Verdict.UNAVAILABLE


def test_an_unreachable_registry_stops_the_cluster_side_too(world: World) -> None:
    """One observation spans both stores, or there is none."""

    def outage(name: str, *_: Any) -> None:
        if name == "observe":
            raise Unavailable("the database is gone")

    report = world.run(cycle=world.process(registry=Hooked(world.registry, outage)))
    assert report.verdict is Verdict.UNAVAILABLE
    assert world.cluster.observe().objects == {}


class Partly:
    """A cluster of which some is not told."""

    def __init__(self, world: World, *, unread: str = "", unserved: str = "") -> None:
        self.cluster = world.cluster
        self.unread, self.unserved = frozenset([unread] if unread else []), frozenset([unserved] if unserved else [])

    def observe(self) -> ClusterState:
        state = self.cluster.observe()
        told = {
            key: live
            for key, live in state.objects.items()
            if key.namespace not in self.unread and key.kind not in self.unserved
        }
        return replace(state, objects=told, unread=self.unread, unserved=self.unserved)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cluster, name)


@pytest.mark.case("A-06")
def test_a_namespace_that_may_not_be_read_is_left_alone_and_others_go_on(world: World) -> None:
    """Its objects are neither compared nor written nor pruned; the report names each; the rest is done."""
    world.run()
    other = [document("Namespace", "web", ""), document("ServiceAccount", "web", "web")]
    world.commit([*mixed(workload_entry("vm1", weight=3)), *other])
    process = world.process(cluster=Partly(world, unread="shop"))
    report = world.serve(process)
    assert world.live("ServiceAccount", "web", "web") is not None
    assert world.spec("WorkloadEntry", "vm1").get("weight") is None
    assert world.live("WorkloadEntry", "vm2") is not None
    unreadable = {one.key.namespace for one in report.differences if one.state is State.UNREADABLE}
    assert unreadable == {"shop"}
    assert Key("WorkloadEntry", "shop", "vm2") in world.store.inventory()


@pytest.mark.case("D-12")
def test_a_missing_crd_is_said_and_never_means_absent(world: World) -> None:
    """The kind's objects are shown as unreadable, nothing recreates or deletes them, and the inventory keeps them."""
    world.run()
    world.commit([*mixed()[:2], document("ServiceAccount", "late")])
    report = world.serve(world.process(cluster=Partly(world, unserved="WorkloadEntry")))
    assert not any(one.key.kind == "WorkloadEntry" for one in report.results)
    assert world.live("ServiceAccount", "late") is not None
    assert Key("WorkloadEntry", "shop", "vm2") in world.store.inventory()


@pytest.mark.case("D-06")
def test_an_absent_or_terminating_namespace_concerns_its_own_objects_only(world: World) -> None:
    """Objects for a namespace that is not there, or is going, are held with the reason; all others are written."""
    world.run()
    world.cluster.create(document("Namespace", "going", ""), "kubectl")
    world.cluster.remove(Key("Namespace", "", "going"))
    lost = [document("ServiceAccount", "a", namespace) for namespace in ("absent", "going")]
    world.commit([*mixed(), *lost, document("ServiceAccount", "fine")])
    report = world.run()
    assert report.verdict is Verdict.REFUSED
    assert {guard.message for guard in report.guards} == {
        "the namespace absent does not exist and is not in Git",
        "the namespace going is being deleted",
    }
    assert world.live("ServiceAccount", "fine") is not None


@pytest.mark.case("D-05", "A-01")
def test_what_moved_since_it_was_read_is_not_overwritten(world: World) -> None:
    """The write carries what it was decided on; the conflict is reported, and the next cycle decides anew."""
    world.run()
    world.commit(mixed(workload_entry("vm1", weight=3), workload_entry("vm2", address="10.0.0.2")))
    raced: list[str] = []

    def race(name: str, *_: Any) -> None:
        if name == "apply" and not raced:
            raced.append(name)
            world.edit("WorkloadEntry", "vm1", {"metadata": {"labels": {"team": "red"}}})

    process = world.process(cluster=Hooked(world.cluster, race))
    report = world.serve(process)
    (lost,) = [one for one in report.results if one.written is not Written.DONE]
    assert (lost.key.name, lost.written, report.verdict) == ("vm1", Written.FAILED, Verdict.FAILED)
    assert "modified" in lost.message
    assert world.serve(process).verdict is Verdict.APPLIED
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 3


@pytest.mark.case("A-10")
def test_a_run_that_failed_half_way_is_finished_by_the_next_one_and_counted_once(world: World) -> None:
    """What was done stays recorded, what was not is tried again, and nothing else is touched."""
    refusing = True

    def refuse(name: str, *arguments: Any) -> None:
        if refusing and name == "apply" and arguments[0]["metadata"]["name"] == "vm2":
            raise Rejected("admission webhook said no", status=403)

    process = world.process(cluster=Hooked(world.cluster, refuse))
    report = world.serve(process)
    assert report.verdict is Verdict.FAILED
    assert world.live("WorkloadEntry", "vm1") is not None
    assert world.live("ServiceEntry", "billing") is None
    assert any("admission webhook said no" in one.message for one in report.results)
    assert Key("WorkloadEntry", "shop", "vm1") in world.store.written()
    refusing = False
    assert {one.key.name for one in world.serve(process).results} == {"vm2", "billing"}
    assert world.serve(process).verdict is Verdict.IN_SYNC


@pytest.mark.case("D-09")
def test_a_plan_that_was_reviewed_is_carried_out_or_nothing_is(world: World) -> None:
    """A digest binds a run to what was seen: with a newer commit, or another live state, it is refused."""
    reviewed = world.run("plan").plan
    assert reviewed is not None
    world.commit(mixed(workload_entry("vm1"), workload_entry("vm2"), workload_entry("vm3", address="10.0.0.3")))
    report = world.run(digest=reviewed.digest)
    assert (report.verdict.exit_code, report.results) == (3, ())
    assert "another one by now" in report.reason
    now = world.run("plan").plan
    assert now is not None
    assert world.run(digest=now.digest).verdict is Verdict.APPLIED


def test_the_history_tells_what_was_done_and_not_that_nothing_was(world: World) -> None:
    """Runs that wrote or found something new are kept, with their report; a pass like the last one is not."""
    process = world.process()
    for _ in range(4):
        world.serve(process)
    applied, in_sync = world.store.history()[::-1]
    assert (applied.outcome, applied.written, in_sync.outcome) == ("applied", 6, "in-sync")
    assert applied.report["verdict"] == "applied"


def test_what_is_older_than_the_history_goes_with_every_run(world: World) -> None:
    """Runs and journal alike, whoever runs and however short; what is in force stays."""
    world.commit(mixed())
    world.run()
    world.pass_time(days=8)
    world.commit(mixed(workload_entry("vm1", weight=5), workload_entry("vm2", address="10.0.0.2")))
    world.run(cycle=world.process("short:1", keep_history=timedelta(days=7)))
    assert [one.written for one in world.store.history()] == [1]
    assert [one.key.name for one in world.store._journal.values()] == ["vm1"]
    assert len(world.store.written()) == 6


def test_a_history_that_cannot_be_written_undoes_nothing(world: World) -> None:
    """The disk fills up after the last write: the run is reported as it went."""

    def full(name: str, *_: Any) -> None:
        if name == "record":
            raise Unavailable("no space left on device")

    report = world.run(cycle=world.process(store=Hooked(world.store, full)))
    assert report.verdict is Verdict.APPLIED


def test_without_crds_the_report_says_so(world: World) -> None:
    """Nobody should think that a commit was held against CRDs which nobody had."""
    assert "no CRDs are at hand" in world.run("diff").notes[0]


def test_pods_that_join_need_no_write_and_show_in_the_next_plan(world: World) -> None:
    """The seed story's end: Pods with the same labels become endpoints; Git is satisfied, and so are we."""
    from tests.worlds import pod

    world.run()
    for number in (1, 2):
        world.cluster.put_pod(pod(number))
    assert world.run("diff").verdict is Verdict.IN_SYNC
    world.commit(mixed(workload_entry("vm1", weight=9), workload_entry("vm2", address="10.0.0.2", weight=9)))
    plan = world.run("plan").plan
    assert plan is not None
    (unit,) = plan.units
    assert [float(split.share("pod")) for split in (*unit.before, *unit.after)] == [0.5, 0.1]


def test_an_hour_later_a_refused_plan_is_made_anew(world: World) -> None:
    """Of a budget that is free again no event tells, so what is held without a time is looked at now and then."""
    world.run()
    world.commit([SHOP, service_entry()])
    process = world.process()
    assert world.serve(process).verdict is Verdict.REFUSED
    assert process.nothing_new()
    world.clock.pass_time(timedelta(hours=1))
    assert not process.nothing_new()
