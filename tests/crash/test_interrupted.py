"""Whole runs of `apply` that are interrupted at every single call to the outside, in memory.

What the real parts add (a process that is really gone, files, an API server) is in `test_killed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from reconciler.core.changes import Action
from reconciler.core.comparison import compare
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import Document, Key
from reconciler.cycle.run import Cycle
from reconciler.errors import Unavailable
from tests.crash import mesh
from tests.crash.points import CHANGING, Points
from tests.worlds import SHOP, World


@dataclass
class Scene:
    """A target in which the first commit is in force and the second one waits; `points` are those of the process under test."""

    points: Points = field(default_factory=Points)
    world: World = field(default_factory=World)
    cycle: Cycle = field(init=False)
    emptied: set[str] = field(default_factory=set)
    workers: int = 4

    def __post_init__(self) -> None:
        world, points = self.world, self.points
        world.cluster.create(SHOP, "kubectl")
        world.commit(mesh.first())
        assert self.other("before:0").verdict is Verdict.APPLIED
        world.cluster.subscribe(self._look)
        world.commit(mesh.second())
        self.cycle = world.process(
            "one:1",
            plan=mesh.PLAN,
            workers=self.workers,
            source=points.around("source", world.source),
            cluster=points.around("cluster", world.cluster),
            registry=points.around("registry", world.registry),
            store=points.around("store", world.store),
            lease=points.around("lease", world.lease()),
        )

    def run(self) -> Report:
        """The run that something may happen to, as `apply` makes it."""
        report = self.world.run(cycle=self.cycle)
        self.cycle.authority.release()
        return report

    def other(self, name: str) -> Report:
        """A whole run of another process, to which nothing happens."""
        process = self.world.process(name, plan=mesh.PLAN)
        report = self.world.run(cycle=process)
        process.authority.release()
        return report

    def sleep(self, newer: Sequence[Document]) -> list[object]:
        """Let the process sleep at its point while another one is quicker, and applies a newer commit.

        Returns what that one will leave behind.
        """
        left: list[object] = []

        def strike() -> None:
            self.world.pass_time(minutes=10)
            self.world.commit(newer)
            assert self.other("other:2").verdict is Verdict.APPLIED
            self.world.pass_time(minutes=1)
            left.extend((self.world.cluster.observe(), self.world.registry.observe()))

        self.points.strike = strike
        return left

    def assert_told_truly(self, report: Report) -> None:
        """What the report calls done is done, and what it says was not done is not."""
        for result in report.results:
            is_there = self.world.live(result.key.kind, result.key.name) is not None
            if result.action is not Action.UPDATE and result.written is not Written.UNKNOWN:
                assert is_there is ((result.action is Action.CREATE) is (result.written is Written.DONE)), result

    def _look(self) -> None:
        """Law 1, after every single change of the cluster."""
        self.emptied |= mesh.empty(mesh.held(self.world.cluster))

    def assert_in_order(self, documents: Sequence[Document]) -> None:
        """Nothing was ever empty; the journal is closed and true; whoever looks next finds nothing to do."""
        store, report = self.world.store, self.other("next:9")
        assert (report.verdict, report.results) == (Verdict.IN_SYNC, ())
        assert self.emptied == set()
        assert store.unsettled() == []
        wanted = {Key.of(one) for one in documents}
        records = {Key("VirtualMachine", key.namespace, key.name) for key in wanted if key.kind == "WorkloadEntry"}
        assert store.inventory() == wanted | records
        for key, document in store.written().items():
            live = self.world.live(key.kind, key.name)
            assert live is not None
            assert compare(document, live).in_sync, key
        assert store.written().keys() == store.inventory()
        assert store.accepted() == self.world.source.poll()


@pytest.fixture(scope="module")
def ahead() -> list[str]:
    """The points ahead of every call of a run to which nothing happens, those that read Git aside.

    How many writes are journalled at once is a matter of threads: of the store's calls the last ones may not come again.
    """
    scene = Scene()
    assert scene.run().verdict is Verdict.APPLIED
    return [point for point in scene.points.passed if point.startswith("ahead of") and " source." not in point]


@pytest.mark.case("K-05", "C-02", "S-03")
def test_a_process_that_slept_ten_minutes_sends_nothing_late(ahead: list[str]) -> None:
    """Stopped anywhere, while another one takes over, applies a newer commit and ends: it changes nothing any more.

    What it was about to send when it was stopped fails at the target; nothing more is even sent. Where it sleeps after a call
    it might as well sleep ahead of the next one.
    """
    for point in ahead:
        scene = Scene(Points(point), workers=1)
        left = scene.sleep(mesh.third())
        scene.run()
        assert not left or [scene.world.cluster.observe(), scene.world.registry.observe()] == left, point
        assert len(scene.points.sent_since()) <= 1, point
        scene.assert_in_order(mesh.third())


@pytest.mark.case("K-05")
def test_a_process_that_slept_after_a_deletion_forgets_nothing_that_came_back() -> None:
    """Git has the VM again, and the other process has made it: it stays in the inventory, whatever the sleeper saw go."""
    scene = Scene(Points("after registry.delete VirtualMachine shop/ledger-4 #1"), workers=1)
    again = [*mesh.third(), *(one for one in mesh.first() if one["metadata"]["name"] == "ledger-4")]
    left = scene.sleep(again)
    scene.run()
    assert left
    scene.assert_in_order(again)


@pytest.mark.case("S-07")
def test_a_process_that_is_told_to_end_leaves_nothing_open(ahead: list[str]) -> None:
    """At any point: the writes in hand are finished and known, nothing is begun, the lease is free at once."""
    for point in ahead:
        scene = Scene(Points(point))
        scene.points.strike = scene.cycle.authority.stop
        report = scene.run()
        scene.assert_told_truly(report)
        assert scene.world.store.unsettled() == [], point
        assert scene.world.leases.held["test"].state.holder == "", point
        assert len(scene.points.sent_since()) <= 4, point  # what four workers had in hand
        assert scene.other("other:2").verdict in (Verdict.APPLIED, Verdict.IN_SYNC), point
        scene.assert_in_order(mesh.second())


@pytest.mark.case("A-03", "S-01", "S-02", "S-03")
def test_a_call_that_fails_costs_nothing_but_another_run(ahead: list[str]) -> None:
    """Any one: not carried out, or carried out and the answer lost. No outcome is told wrong, and the same process mends it."""

    def cut() -> None:
        raise Unavailable("the connection is gone")

    changing = tuple(f"ahead of {port}.{method}" for port, methods in CHANGING.items() for method in methods)
    for point in ahead + [f"after {one.removeprefix('ahead of ')}" for one in ahead if one.startswith(changing)]:
        scene = Scene(Points(point, cut))
        with suppress(Unavailable):
            scene.assert_told_truly(scene.run())
        scene.world.pass_time(minutes=1)
        assert scene.run().verdict in (Verdict.APPLIED, Verdict.IN_SYNC), point
        scene.assert_in_order(mesh.second())
