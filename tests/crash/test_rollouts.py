"""Rollouts whose process is killed at every single call that changes something out there, in memory.

Four stories, each from the commit until the watch is over: a new VM comes in; inline endpoints become a selector, behind which
Pods serve; a new VM comes in, and half-way somebody aborts; Pods come in by routes that are made for it. A kill ends the
process with all that it knew; another one, which has the store alone, goes on. Ahead of a transaction nothing is there that was
not after the call before it: a transaction has one kill, a write to cluster or registry two. Of the last story it is a part of
all kills. What SIGKILL, files and an API server add is `test_killed_rollouts`'.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pytest

from reconciler.core.report import Verdict
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.rollout import Outcome
from reconciler.core.rollouts.ways import SLACK
from reconciler.cycle.run import Cycle
from tests.crash import mesh
from tests.crash.points import AHEAD, CHANGING, Points
from tests.crash.stories import LONGEST, LOOK, PACE, STORIES, Story, is_over, newest, passed, pods_of, told
from tests.worlds import World

#: The points of each story are dealt out to so many tests, which may run side by side.
PARTS = 8
KILLED = [(name, part) for name in STORIES for part in range(PARTS) if name != "by routes" or not part]


@dataclass
class Scene:
    """A story in which Git has just changed; `points` are those of the first process. Both laws are checked at every change."""

    story: Story
    points: Points = field(default_factory=Points)
    world: World = field(default_factory=World)
    cycle: Cycle = field(init=False)
    broken: list[str] = field(default_factory=list)
    exposed: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        for one in pods_of(self.story):
            self.world.cluster.put_pod(one)
        before, after = self.story.commits()
        self.world.commit(before)
        first = self.process("first:0")
        assert self.world.serve(first).verdict is Verdict.APPLIED
        first.authority.release()
        self.world.cluster.subscribe(self._changed)
        self.world.commit(after)
        around: Callable[[str, Any], Any] = lambda name, port: self.points.around(name, port, CHANGING[name])  # noqa: E731
        self.cycle = self.process(
            "one:1",
            cluster=around("cluster", self.world.cluster),
            registry=around("registry", self.world.registry),
            store=around("store", self.world.store),
        )

    def process(self, holder: str, **ports: Any) -> Cycle:
        """A process that serves the target."""
        return self.world.process(holder, plan=mesh.PLAN, workers=2, rollouts=RolloutLimits(careful=False), pace=PACE, **ports)

    def play(self) -> None:
        """Look every ten seconds until the rollout has ended and nothing is left to do; a killed process has a successor."""
        self.points.strike = self.points.die
        for _ in range(LONGEST):
            self.world.clock.pass_time(LOOK)
            report = self.world.serve(self.cycle)
            if self.points.is_dead:
                self.points.is_dead = False
                self.cycle = self.process("two:2")
            elif report.plan and not report.results and not self.cycle.stands_by and is_over(self.world.store):
                return
            self.story.abort(self.world.store, self.world.clock.now())
        raise AssertionError(f"never ended: {newest(self.world.store)}")

    @property
    def steps(self) -> int:
        """How many steps the rollout has."""
        found = newest(self.world.store)
        return len(found.way.steps) if found else 0

    def state(self) -> dict[str, Any]:
        """All that is left of the story but its times: both stores, what ours knows of them, and what the evidence tells."""
        world = self.world
        return {
            "cluster": {
                key: one.document["spec"] for key, one in world.cluster.observe().objects.items() if one.document.get("spec")
            },
            "registry": {key: one.document["spec"] for key, one in world.registry.observe().machines.items()},
            "inventory": world.store.inventory(),
            "written": world.store.written(),
            "accepted": world.store.accepted(),
            "open": world.store.unsettled(),
            "done": Counter((one.action, one.key) for one in world.store.settled(0) if one.outcome == "done"),
            **told(world.store),
        }

    def _changed(self) -> None:
        """Law 1 and law 2, after every single change of the cluster, by the step that is stored at that moment."""
        seen = self.world.cluster.observe()
        exposure = self.story.exposure({key: one.document for key, one in seen.objects.items()}, seen.pods)
        if exposure is None:
            self.broken.append("law 1: the service is empty")
            return
        if exposure > self._allowed():
            self.broken.append(f"law 2: {float(exposure):.2f} of the way, {float(self._allowed()):.2f} allowed")
        self.exposed = exposure

    def _allowed(self) -> Fraction:
        """What the stored step exposes, as near as whole weights come; on the way back no more than before the change."""
        rollout = newest(self.world.store)
        if rollout is None or rollout.started is None:
            return SLACK
        if rollout.back:
            return self.exposed
        # On the way to the form in which routes divide requests, and back, none goes elsewhere.
        gone = [one.exposure for one in rollout.way.steps[: rollout.step + 1] if not one.quiet]
        return (gone[-1] if gone else Fraction(0)) + SLACK


def _undisturbed(name: str) -> Scene:
    scene = Scene(STORIES[name])
    scene.play()
    return scene


@pytest.mark.parametrize("name", STORIES)
def test_a_story_to_which_nothing_happens_goes_its_way(name: str) -> None:
    """What the others are held against: every step passes once, in order, and both laws hold."""
    scene = _undisturbed(name)
    assert scene.broken == []
    state = scene.state()
    assert state["rollout"][0] is (Outcome.UNDONE if scene.story.aborted else Outcome.SUCCEEDED)
    assert passed(state) == ([] if scene.story.aborted else [str(step) for step in range(scene.steps)])


@pytest.mark.case("C-01", "S-03")
@pytest.mark.parametrize(("name", "part"), KILLED)
def test_a_rollout_whose_process_was_killed_anywhere_is_resumed_exactly(name: str, part: int) -> None:
    """Same end, each step passed once, no evidence lost or doubled, nothing open, and both laws hold at every moment."""
    undisturbed = _undisturbed(name)
    points = [one for one in undisturbed.points.passed if one.startswith(("after", *AHEAD))][part::PARTS]
    expected = undisturbed.state()
    for point in points:
        scene = Scene(STORIES[name], Points(point))
        scene.play()
        assert scene.points.struck or " store." in point, point
        assert scene.broken == [], point
        assert scene.state() == expected, point
