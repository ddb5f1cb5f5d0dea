"""Whole runs of `apply` that are killed at every write and every transaction: on a real API server, with SQLite for the rest.

Each run lives in a process of its own, which sends itself SIGKILL ahead of a write to cluster or registry, after it was
answered, or after a transaction of the state store or a change of the lease. (Ahead of a transaction there is nothing that was
not there after the call before it.) Another process then runs to the end, and looks once more. Every change of the cluster is
watched, so that no moment between two writes goes unseen.

What strikes otherwise (SIGTERM, failing calls), and at reads too, is played in memory in `test_interrupted`; kills in
the middle of a transaction are `test_store_sql`'s.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.report import Verdict
from tests.crash import mesh
from tests.crash.points import AHEAD
from tests.crash.stage import Stage
from tests.crash.victim import Applies, Place, Victim, ended
from tests.real.apiserver import ApiServer
from tests.waiting import becomes

#: The points are dealt out to so many tests, which may run side by side.
PARTS = 10


@pytest.fixture
def stage(api_server: ApiServer, namespace: str, tmp_path: Path) -> Stage:
    """A namespace in which the first commit is in force, and can be put back in force."""
    place = Place(api_server.kubeconfig, namespace, tmp_path / "data")
    stage = Stage(api_server, place, tmp_path / "first", mesh.first(namespace), mesh.second(namespace))
    assert ended(place, applies(place, 1)).verdicts == (Verdict.APPLIED,)
    stage.save()
    return stage


def applies(place: Place, commits: int, runs: int = 1) -> Applies:
    """A process that applies the newest of so many commits."""
    return Applies([one(place.namespace) for one in (mesh.first, mesh.second, mesh.third)[:commits]], runs)


@pytest.mark.case("S-03", "A-10", "C-01")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.timeout(90)
def test_a_run_that_was_killed_anywhere_is_resumed_exactly(
    stage: Stage, record_property: Callable[[str, object], None], part: int
) -> None:
    """It ends like a run to which nothing happened: every write took place and is counted once, nothing was ever empty."""
    with stage.watched():
        stage.reset()
        undisturbed = ended(stage.place, applies(stage.place, 2))
        assert undisturbed.verdicts == (Verdict.APPLIED,)
        stage.catch_up()
        expected, changes, done = stage.state(), stage.changes(), stage.done()
        assert set(changes.values()) == set(done.values()) == {1}
        points = [one for one in undisturbed.points if one.startswith(("after", *AHEAD))]
        for point in points[part::PARTS]:
            stage.reset()
            killed = ended(stage.place, applies(stage.place, 2), at=point).killed
            # How many writes are journalled at once is a matter of threads: the last of the store's calls may not come again.
            assert killed or " store." in point, point
            resumed = ended(stage.place, applies(stage.place, 2, runs=2))
            assert resumed.verdicts[0] in (Verdict.APPLIED, Verdict.IN_SYNC), point
            assert (resumed.verdicts[1], resumed.written[1]) == (Verdict.IN_SYNC, 0), point
            stage.catch_up()
            assert stage.state() == expected, point
            assert (stage.changes(), stage.done()) == (changes, done), point
            assert stage.emptied() == set(), point
        record_property("kills", len(points[part::PARTS]))


@pytest.mark.case("K-05", "C-02")
@pytest.mark.parametrize(
    "call",
    [
        "after store.accept",
        "ahead of registry.put VirtualMachine {}/billing-2",
        "ahead of cluster.apply WorkloadEntry {}/billing-1",
        "ahead of cluster.apply ServiceEntry {}/billing",
        "ahead of cluster.delete WorkloadEntry {}/ledger-4",
    ],
)
def test_a_run_that_was_stopped_for_ten_minutes_changes_nothing_any_more(stage: Stage, call: str) -> None:
    """SIGSTOP, another process takes over and applies a newer commit, SIGCONT: all that the sleeper still sends is refused."""
    with stage.watched():
        stage.reset()
        point = f"{call.format(stage.place.namespace)} #1"
        with Victim(stage.place, applies(stage.place, 2), at=point, by=signal.SIGSTOP) as sleeper:
            assert becomes(sleeper.sleeps)
            assert ended(stage.place, applies(stage.place, 3)).verdicts == (Verdict.APPLIED,)
            stage.catch_up()
            left, changes = stage.state(), stage.changes()
            sleeper.wake()
            assert sleeper.ended().verdicts[0] in (Verdict.REFUSED, Verdict.FAILED)
        stage.catch_up()
        assert (stage.state()["registry"], stage.changes()) == (left["registry"], changes)
        assert ended(stage.place, applies(stage.place, 3)).verdicts == (Verdict.IN_SYNC,)
        assert stage.state() == left
        assert stage.emptied() == set()
