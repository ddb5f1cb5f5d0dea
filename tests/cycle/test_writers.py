"""Several processes at one target: one writer at a time, on what it has seen itself, out of the target's own state store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.changes import Action
from reconciler.core.report import Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.wanted import TARGET_LABEL
from reconciler.cycle.recovery import ours_in, recover
from reconciler.cycle.run import Cycle
from tests.building import workload_entry
from tests.worlds import SHOP, Hooked, World, mixed


@pytest.fixture
def world() -> World:
    """A target that holds what Git says."""
    world = World()
    world.commit(mixed())
    world.run()
    return world


def _weighing(weight: int) -> list[Document]:
    return mixed(workload_entry("vm1", weight=weight), workload_entry("vm2", address="10.0.0.2"))


def _when(method: str, what: Callable[[], object]) -> Callable[..., None]:
    """Do something once, when a port's method is called first."""
    done: list[str] = []

    def before(name: str, *_: Any) -> None:
        if name == method and not done:
            done.append(name)
            what()

    return before


@pytest.mark.case("C-02")
def test_a_run_by_hand_is_told_who_writes(world: World) -> None:
    """While a service holds the target, apply ends with exit 3, naming the holder, and has written nothing."""
    server = world.process("pod-7:1")
    world.serve(server)
    world.commit(_weighing(5))
    laptop = world.process("laptop:4711")

    def server_goes_on(seconds: float) -> None:
        world.pass_time(seconds=seconds * 11)
        server.authority.renew()

    laptop._pause = server_goes_on
    report = world.run(cycle=laptop)
    assert (report.verdict.exit_code, report.results) == (3, ())
    assert "pod-7:1" in report.reason
    assert world.run("diff", laptop).verdict is Verdict.CHANGES, "looking is free"


def test_a_run_by_hand_waits_for_a_dead_holder_and_looks_again(world: World) -> None:
    """A service was killed: its lease runs out while the run waits, and what it did last is not overwritten unseen."""
    server = world.process("pod-7:1")
    world.serve(server)
    world.commit(_weighing(5))
    dead_writes = Hooked(world.store, _when("overrides", lambda: world.edit("WorkloadEntry", "vm2", {"spec": {"weight": 4}})))
    report = world.run(cycle=world.process("laptop:4711", store=dead_writes))
    assert report.verdict is Verdict.APPLIED
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 5


@pytest.mark.case("K-05")
def test_what_another_one_wrote_since_the_look_is_looked_at_again(world: World) -> None:
    """A slow process has read the cluster; another one applies a newer commit in between: nothing of the old plan is sent."""
    world.commit(_weighing(5))

    def overtake() -> None:
        world.commit(_weighing(6))
        assert world.run().verdict is Verdict.APPLIED

    slow = world.process(
        "slow:1", cluster=Hooked(world.cluster, lambda *_: None), store=Hooked(world.store, _when("overrides", overtake))
    )
    report = world.run(cycle=slow)
    # It had read the older commit of Git, which does not follow on the one accepted meanwhile.
    assert report.verdict is Verdict.REFUSED
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 6


@pytest.mark.case("C-02")
def test_a_standby_takes_over_when_the_writer_dies(world: World) -> None:
    """It says once that another one writes, never believes that nothing is new, and goes on when the lease has run out."""
    writer, standby = world.process("a:1"), world.process("b:1")
    world.serve(writer)
    assert world.serve(standby).verdict is Verdict.REFUSED
    assert _stands_by(standby)
    for _ in range(5):
        world.pass_time(seconds=10)
        writer.authority.renew()
        assert not standby.nothing_new()
        assert standby.run("serve", write=True).verdict is Verdict.REFUSED
    world.commit(_weighing(5))
    world.pass_time(seconds=31)
    assert world.serve(standby).verdict is Verdict.APPLIED
    assert not _stands_by(standby)
    report = world.serve(writer)
    assert (report.verdict, report.results) == (Verdict.REFUSED, ())


def _stands_by(process: Cycle) -> bool:
    """What it says now; a type checker takes an attribute that was looked at once for unchanged."""
    return process.stands_by


def _uses_vm3() -> Document:
    from tests.building import service_entry

    return service_entry("later", workloadSelector={"labels": {"app": "billing"}})


@pytest.mark.case("S-04")
def test_a_lost_store_only_looks_until_recover(world: World) -> None:
    """An empty store before a cluster full of our marks: diff and plan work, apply and serve refuse and say what to do."""
    world.leases.held.clear()
    lost = MemoryStore()
    process = world.process("new:1", store=lost)
    assert world.run("diff", process).verdict is Verdict.IN_SYNC
    for command in ("apply", "serve"):
        report = world.run(command, process)
        assert (report.verdict.exit_code, report.results) == (3, ())
        assert "recover" in report.reason
    _recover(world, lost)
    assert lost.inventory() == world.store.inventory()
    assert lost.written() == world.store.written()
    assert world.run("serve", world.process("new:2", store=lost)).verdict is Verdict.IN_SYNC
    assert "another state store" in world.run("serve", world.process("old:1")).reason


def _recover(world: World, store: MemoryStore) -> None:
    process = world.process("recover:1", store=store)
    owned = ours_in(process.observe(), "test")
    process.authority.seize(lambda: recover(store, owned, world.source.poll(), world.clock))


@pytest.mark.case("S-04")
def test_a_restored_older_store_only_looks_until_recover(world: World) -> None:
    """Put back from a backup of before the last run: noticed by the lease, refused, and cured by recover."""
    import copy

    backup = copy.copy(world.store)
    backup._owned, backup._journal = dict(world.store._owned), dict(world.store._journal)
    world.commit([*_weighing(5), workload_entry("vm3", address="10.0.0.3")])
    assert world.run().verdict is Verdict.APPLIED
    process = world.process("restored:1", store=backup)
    report = world.run("serve", process)
    assert (report.verdict, report.results) == (Verdict.REFUSED, ())
    assert "older copy" in report.reason
    _recover(world, backup)
    assert Key("WorkloadEntry", "shop", "vm3") in backup.inventory()
    assert world.run("serve", process).verdict is Verdict.IN_SYNC


def test_recovery_takes_nothing_that_is_not_marked(world: World) -> None:
    """Objects of others and of other targets stay others'."""
    world.cluster.create(workload_entry("foreign"), "kubectl")
    marked = {**workload_entry("staging"), "metadata": {"name": "staging", "namespace": "shop", "labels": {TARGET_LABEL: "s"}}}
    world.cluster.apply_as(marked, "mesh-reconciler")
    store = MemoryStore()
    world.leases.held.clear()
    _recover(world, store)
    assert store.inventory() == world.store.inventory()


@pytest.mark.case("S-03")
def test_writes_that_a_killed_process_left_open_are_read_back_first(world: World) -> None:
    """The journal holds an intent whose write took place and one whose did not: both are settled before anything is sent."""
    from reconciler.ports import JournalEntry

    done, lost = _weighing(1)[3], workload_entry("vm9", address="10.0.0.9")
    started = world.clock.now() - timedelta(minutes=1)
    world.store.intend([JournalEntry(0, "p", Key.of(one), Action.CREATE, one, started=started) for one in (done, lost)])
    seen: list[int] = []
    watched = Hooked(world.cluster, lambda name, *_: seen.append(len(world.store.unsettled())) if name == "apply" else None)
    world.commit([*mixed(), workload_entry("vm3", address="10.0.0.3")])
    report = world.run(cycle=world.process(cluster=watched))
    assert "read back" in report.notes[-1]
    assert seen == [1], "only the write itself is open"
    assert world.store.unsettled() == []
    assert Key.of(lost) not in world.store.inventory()


def test_stopping_lets_no_write_begin_and_gives_the_lease_back(world: World) -> None:
    """Told to end in the middle of a run: the write in hand is finished, the rest is not started, the lease is free."""
    world.commit([SHOP, *_weighing(5)[1:]])

    def stop() -> None:
        process.authority.stop()

    process = world.process("one:1", cluster=Hooked(world.cluster, _when("apply", stop)))
    world.commit([*_weighing(5), workload_entry("vm3", address="10.0.0.3"), _uses_vm3()])
    report = world.run(cycle=process)
    assert report.verdict is Verdict.FAILED
    assert any("stopping" in one.message or "not carried out" in one.message for one in report.results)
    process.authority.release()
    assert world.leases.held["test"].state.holder == ""
    assert world.store.unsettled() == []
    assert world.run().verdict is Verdict.APPLIED
