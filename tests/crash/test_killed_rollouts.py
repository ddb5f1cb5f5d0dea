"""Whole rollouts whose process is killed: on a real API server, with SQLite for the rest.

As in `test_rollouts`, where every call is struck in memory; here the kill is SIGKILL, what is left lies in files, and every
change of the cluster is watched. Points of one name are struck at their first and their second occurrence: later ones find
nothing that those did not. `make test-kill` plays them all; without it each test takes the points of one part of `SAMPLE`.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.report import Verdict
from reconciler.core.resources import Key
from reconciler.core.rollouts.records import EvidenceKind
from reconciler.core.rollouts.rollout import Outcome
from reconciler.core.rollouts.seen import Word
from reconciler.core.rollouts.ways import SLACK
from tests.crash.points import AHEAD
from tests.crash.serving import Recovers, Serves
from tests.crash.stage import Stage
from tests.crash.stories import STORIES, newest, passed, pods_of, told
from tests.crash.victim import Applies, Place, ended
from tests.real.apiserver import ApiServer
from tests.real.pods import create_pod

#: The points of a story are dealt out to so many tests, which may run side by side; without `make test-kill` only this part.
PARTS, SAMPLE = 20, 7
EVERYTHING = os.environ.get("KILLS") == "all"
TOLD = ("VM to Pod", "aborted")


@pytest.fixture
def on_stage(api_server: ApiServer, namespace: str, tmp_path: Path) -> Callable[[str], Stage]:
    """A namespace in which a story begins, and can begin again."""

    def make(name: str) -> Stage:
        place = Place(api_server.kubeconfig, namespace, tmp_path / "data")
        before, after = STORIES[name].commits(namespace)
        for one in pods_of(STORIES[name]):
            create_pod(api_server.kube, namespace, one.name, one.labels, one.ip)
        assert ended(place, Applies([before])).verdicts == (Verdict.APPLIED,)
        stage = Stage(api_server, place, tmp_path / "first", before, after)
        stage.save()
        return stage

    return make


@pytest.mark.case("C-01", "S-03", "A-10")
@pytest.mark.parametrize("part", range(PARTS) if EVERYTHING else [SAMPLE])
@pytest.mark.parametrize("name", TOLD)
def test_a_rollout_whose_process_was_killed_is_resumed_exactly(
    on_stage: Callable[[str], Stage], record_property: Callable[[str, object], None], name: str, part: int
) -> None:
    """Same end, each step and each write counted once, no evidence lost or doubled; both laws hold at every change."""
    stage = on_stage(name)
    with stage.watched():
        stage.reset()
        undisturbed = ended(stage.place, Serves(name))
        stage.catch_up()
        expected, changes, done = state(stage), stage.changes(), stage.done()
        assert expected["rollout"][0] is (Outcome.UNDONE if STORIES[name].aborted else Outcome.SUCCEEDED), undisturbed.said
        assert passed(expected) == ([] if STORIES[name].aborted else ["0", "1"])
        assert broken(stage, name) == []
        points = [one for one in undisturbed.points if one.startswith(("after", *AHEAD)) and one.endswith((" #1", " #2"))]
        struck = points[part::PARTS]
        for point in struck:
            stage.reset()
            killed = ended(stage.place, Serves(name), at=point).killed
            # How many writes are journalled at once is a matter of threads: the last of the store's calls may not come again.
            assert killed or " store." in point, point
            resumed = ended(stage.place, Serves(name))
            stage.catch_up()
            assert state(stage) == expected, (point, resumed.said)
            assert (stage.changes(), stage.done()) == (changes, done), point
            assert broken(stage, name) == [], point
    record_property("kills", len(struck))


@pytest.mark.case("S-04")
def test_a_rollout_whose_store_was_deleted_under_way_is_recovered_from_its_checkpoint(
    on_stage: Callable[[str], Stage],
) -> None:
    """Killed once Pods are in, the state database deleted: refused, then paused where it stood, then it goes its way."""
    stage = on_stage("VM to Pod")
    place = stage.place
    with stage.watched():
        stage.reset()
        swap = f"after cluster.apply ServiceEntry {place.namespace}/billing #1"
        assert ended(place, Serves("VM to Pod"), at=swap).killed
        for file in place.folder.glob("state.db*"):
            file.unlink()
        recovering = ended(place, Recovers("VM to Pod"))
        assert recovering.verdicts == (Verdict.REFUSED, Verdict.REFUSED)
        assert recovering.written == (0, 0)
        assert "recover" in recovering.said[0]
        resumed = ended(place, Serves("VM to Pod"))
        stage.catch_up()
        found = state(stage)
        assert (found["rollout"][0], passed(found)) == (Outcome.SUCCEEDED, ["0", "1"]), resumed.said
        story = STORIES["VM to Pod"]
        assert None not in [story.exposure(objects, pods_of(story), place.namespace) for _, objects in stage.moments()]
        assert found["cluster"]["ServiceEntry billing"][1]["workloadSelector"] == {"labels": {"app": "billing"}}
        assert found["cluster"]["WorkloadEntry vm1"][1].get("weight") is None


def state(stage: Stage) -> dict[str, Any]:
    """All that is left of a story but its times."""
    store = stage.place.store
    try:
        return {**stage.state(), **told(store)}
    finally:
        store.close()


def broken(stage: Stage, name: str) -> list[str]:
    """Laws 1 and 2 at every change that was seen.

    A write exposes what its step does and those before it, as near as whole weights come; on the way back nothing more at all.
    """
    story, steps = STORIES[name], _steps(stage)
    allowed, reached, found = SLACK, Fraction(0), []
    for number, (key, objects) in enumerate(stage.moments()):
        step = next(steps[key], Fraction(0)) if key else Fraction(0)
        allowed = reached if step is None else max(allowed, step + SLACK)
        exposure = story.exposure(objects, pods_of(story), stage.place.namespace)
        if exposure is None:
            found.append(f"law 1: the service is empty after change {number}")
            continue
        if exposure > allowed:
            found.append(f"law 2: {float(exposure):.2f} of the way after change {number}, {float(allowed):.2f} allowed")
        reached = exposure
    return found


def _steps(stage: Stage) -> dict[Key, Iterator[Fraction | None]]:
    """What the steps expose that the writes to each object belong to, in order; None: it is one of the way back."""
    store = stage.place.store
    try:
        rollout = newest(store)
        assert rollout is not None
        found: dict[Key, deque[Fraction | None]] = defaultdict(deque)
        goes_back = False
        for one in store.rollouts.evidence(rollout.id):
            goes_back |= one.name == Word.ABORT
            if one.kind is EvidenceKind.WRITE and one.data["outcome"] == "done":
                found[Key.parse(one.name)].append(None if goes_back else rollout.way.steps[one.step].exposure)
        return defaultdict(lambda: iter(()), {key: iter(each) for key, each in found.items()})
    finally:
        store.close()
