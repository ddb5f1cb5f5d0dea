"""Rollouts whose process is killed at every single call that changes something out there, in memory.

Three stories, each from the commit until the watch is over: a new VM comes in; inline endpoints become a selector, behind which
Pods serve; a new VM comes in, and half-way somebody aborts. A kill ends the process with all that it knew; another one, which
has the store alone, goes on. Ahead of a transaction nothing is there that was not after the call before it: a transaction has
one kill, a write to cluster or registry two. That makes 88, 88 and 119 kills. What SIGKILL, files and an API server add is
`test_killed`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from reconciler.core.report import Verdict
from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.rollouts.mesh import PODS, Mesh, shares
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.records import Evidence, EvidenceKind
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Command, Pace, Word
from reconciler.core.rollouts.ways import SLACK
from reconciler.cycle import Cycle
from tests.building import workload_entry
from tests.crash import mesh
from tests.crash.points import AHEAD, CHANGING, Points
from tests.worlds import World, inline, mixed, pod

ENTRY = Key("ServiceEntry", "shop", "billing")
#: The points of each story are dealt out to so many tests, which may run side by side.
PARTS = 8
#: In so many looks of ten seconds every story has ended, whatever happened to it.
LONGEST = 60


def _vm(number: int) -> Document:
    return workload_entry(f"vm{number}", address=f"10.0.0.{number}")


def _policy() -> Document:
    steps = [{"exposure": "25%", "hold": "10s"}, {"exposure": "100%"}]
    return {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "RolloutPolicy",
        "metadata": {"name": "billing", "namespace": "shop"},
        "spec": {"serviceEntry": "billing", "steps": steps, "watch": "10s"},
    }


@dataclass(frozen=True)
class Story:
    """What stands, what Git wants then, who comes in by it with which share, and whether somebody aborts it half-way."""

    before: Sequence[Document]
    after: Sequence[Document]
    entering: Key
    share: Fraction
    pods: int = 0
    aborted: bool = False


VM3 = Key("WorkloadEntry", "shop", "vm3")
STORIES = {
    "new VM": Story(mixed(_vm(1), _vm(2)), mixed(_vm(1), _vm(2), _vm(3)), VM3, Fraction(1, 3)),
    "VM to Pod": Story(inline("10.0.0.1", "10.0.0.2"), mixed(_vm(1), _vm(2)), PODS, Fraction(1, 2), pods=2),
    "aborted": Story(mixed(_vm(1), _vm(2)), mixed(_vm(1), _vm(2), _vm(3)), VM3, Fraction(1, 3), aborted=True),
}


@dataclass
class Scene:
    """A story in which Git has just changed; `points` are those of the first process. Both laws are checked at every change."""

    story: Story
    points: Points = field(default_factory=Points)
    world: World = field(default_factory=World)
    cycle: Cycle = field(init=False)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(self.story.pods):
            self.world.cluster.put_pod(pod(number + 1))
        self.world.commit([*self.story.before, _policy()])
        first = self.process("first:0")
        assert self.world.serve(first).verdict is Verdict.APPLIED
        first.authority.release()
        self.world.cluster.subscribe(self._changed)
        self.world.commit([*self.story.after, _policy()])
        around: Callable[[str, Any], Any] = lambda name, port: self.points.around(name, port, CHANGING[name])  # noqa: E731
        self.cycle = self.process(
            "one:1",
            cluster=around("cluster", self.world.cluster),
            registry=around("registry", self.world.registry),
            store=around("store", self.world.store),
        )

    def process(self, holder: str, **ports: Any) -> Cycle:
        """A process that serves the target."""
        pace = Pace(settle=timedelta(seconds=5))
        return self.world.process(holder, plan=mesh.PLAN, workers=2, rollouts=RolloutLimits(careful=False), pace=pace, **ports)

    def play(self) -> None:
        """Look every ten seconds until the rollout has ended and nothing is left to do; a killed process has a successor."""
        self.points.strike = self.points.die
        for _ in range(LONGEST):
            self.world.pass_time(seconds=10)
            report = self.world.serve(self.cycle)
            if self.points.is_dead:
                self.points.is_dead = False
                self.cycle = self.process("two:2")
            elif report.plan and not report.results and not self.cycle.stands_by and self._is_over():
                return
            self._abort()
        raise AssertionError(f"never ended: {self.rollout}")

    def _is_over(self) -> bool:
        return self.rollout is not None and self.rollout.phase is Phase.IDLE

    @property
    def rollout(self) -> Rollout | None:
        """The one rollout, once it has begun."""
        return next(iter(self.world.store.rollouts.history(1)), None)

    def state(self) -> dict[str, Any]:
        """All that is left of the story but its times: both stores, what ours knows of them, and what the evidence tells."""
        world, rollout = self.world, self.rollout
        assert rollout is not None
        assert len(world.store.rollouts.history(10)) == 1
        told = world.store.rollouts.evidence(rollout.id)
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
            "rollout": (rollout.outcome, rollout.step, rollout.passed),
            "evidence": [_what(one) for one in told if one.kind is not EvidenceKind.WRITE],
            "writes": sorted(_what(one) for one in told if one.kind is EvidenceKind.WRITE),
        }

    def _abort(self) -> None:
        """Somebody aborts the rollout once its first step is in force; saying it again is harmless."""
        found = self.rollout
        if self.story.aborted and found and (found.phase, found.step) == (Phase.SOAKING, 0):
            now = self.world.clock.now()
            self.world.store.rollouts.say(Command("a", found.id, Word.ABORT, "eve", "tired", now, digest=found.digest))

    def _changed(self) -> None:
        """Law 1 and law 2, after every single change of the cluster, by the step that is stored at that moment."""
        seen = self.world.cluster.observe()
        observed = ObservedState(seen.objects, pods=seen.pods, services=seen.services)
        documents = {key: one.document for key, one in seen.objects.items()}
        found = shares(Mesh(observed).world(documents), ENTRY, {})
        exposure = found.get(self.story.entering, Fraction(0)) / self.story.share
        if not found:
            self.broken.append("law 1: the service is empty")
        if exposure > self._allowed() + SLACK:
            self.broken.append(f"law 2: {float(exposure):.2f} of the way, {float(self._allowed()):.2f} allowed")

    def _allowed(self) -> Fraction:
        """What the stored step exposes; on the way back no more than what was reached."""
        rollout = self.rollout
        if rollout is None or rollout.started is None:
            return Fraction(0)
        return Fraction(1, 4) if rollout.back else rollout.way.steps[rollout.step].exposure


def _what(one: Evidence) -> tuple[str, ...]:
    """What a piece of evidence tells, but for its time."""
    data = {name: one.data.get(name) for name in ("source", "target", "action", "outcome", "weights")}
    return (str(one.kind), str(one.step), one.name, str(data))


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
    passed = [step for _, step, event, _ in state["evidence"] if event in ("passed", "finished")]
    assert passed == ([] if scene.story.aborted else ["0", "1"])


@pytest.mark.case("C-01", "S-03")
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", STORIES)
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
