"""Rollouts whose process dies at any call that changes something, in memory: the next one leads them on as if nothing were."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.records import EvidenceKind
from reconciler.core.rollouts.rollout import Outcome
from reconciler.core.rollouts.seen import Pace
from reconciler.cycle import Cycle
from tests.building import workload_entry
from tests.crash import mesh
from tests.crash.points import AHEAD, CHANGING, Points
from tests.worlds import World, mixed

POLICY: Document = {
    "apiVersion": "mesh-reconciler.io/v1alpha1",
    "kind": "RolloutPolicy",
    "metadata": {"name": "billing", "namespace": "shop"},
    "spec": {
        "serviceEntry": "billing",
        "steps": [{"exposure": "50%", "hold": "20s"}, {"exposure": "100%", "hold": "20s"}],
        "watch": "20s",
    },
}
#: Looks until a rollout of these two steps is over, a dead holder's lease and the looks that it cost included.
LOOKS = 40
#: Between these points nothing changes that the next process could see.
DEATHS = (*AHEAD, "after cluster.", "after registry.", "after store.intend", "after rollouts.save")
#: The points are dealt out to so many tests, which may run side by side.
PARTS = 3


def _machines(machines: int) -> list[Document]:
    return [*mixed(*(workload_entry(f"vm{number}", address=f"10.0.0.{number}") for number in range(1, machines + 1))), POLICY]


@dataclass
class Rolled:
    """A target whose service gets a third VM in two steps, by a process that may die."""

    points: Points = field(default_factory=Points)
    world: World = field(default_factory=World)
    cycle: Cycle = field(init=False)
    emptied: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        world, points = self.world, self.points
        world.commit(_machines(2))
        world.serve(self.process("before:0"))
        world.pass_time(minutes=1)
        world.cluster.subscribe(self._look)
        world.commit(_machines(3))
        self.cycle = self.process(
            "one:1",
            cluster=points.around("cluster", world.cluster, CHANGING["cluster"]),
            registry=points.around("registry", world.registry, CHANGING["registry"]),
            store=points.around("store", world.store, CHANGING["store"]),
            lease=points.around("lease", world.lease(), CHANGING["lease"]),
        )

    def process(self, holder: str, **ports: Any) -> Cycle:
        """A process of the target."""
        pace = Pace(settle=timedelta(seconds=5))
        return self.world.process(holder, rollouts=RolloutLimits(careful=False), pace=pace, workers=1, **ports)

    def to_its_end(self) -> None:
        """Look every ten seconds until the rollout is over; another process takes over from one that died."""
        for _ in range(LOOKS):
            self.world.pass_time(seconds=10)
            self.world.serve(self.cycle)
            if self.points.is_dead:
                self.points.is_dead = False
                self.cycle = self.process("two:2")
            history = self.world.store.rollouts.history()
            if history and history[0].outcome is not Outcome.NONE:
                return
        raise AssertionError("it is never over")

    def moves(self) -> list[tuple[str, int]]:
        """What happened to the rollout: each move, and at which step."""
        (rollout,) = self.world.store.rollouts.history()
        assert rollout.outcome is Outcome.SUCCEEDED
        pieces = self.world.store.rollouts.evidence(rollout.id)
        return [(one.name, one.step) for one in pieces if one.kind is EvidenceKind.MOVE]

    def specs(self) -> dict[Key, Document]:
        """What the cluster holds."""
        return {key: document.get("spec", {}) for key, document in mesh.held(self.world.cluster).items()}

    def done(self) -> Counter[tuple[str, Key]]:
        """How often the journal says "done", by action and object."""
        assert self.world.store.unsettled() == []
        return Counter((one.action, one.key) for one in self.world.store._journal.values() if one.outcome == "done")

    def _look(self) -> None:
        self.emptied |= mesh.empty(mesh.held(self.world.cluster), ["billing.internal"])


@pytest.mark.case("C-01")
@pytest.mark.parametrize("part", range(PARTS))
def test_each_step_is_taken_once_whoever_dies(part: int) -> None:
    """Every write takes place and is counted once, every move too, in the same order; the service is never empty."""
    undisturbed = Rolled()
    undisturbed.to_its_end()
    moves, done, specs = undisturbed.moves(), undisturbed.done(), undisturbed.specs()
    assert [step for name, step in moves if name == "in force"] == [0, 1]
    points = [one for one in undisturbed.points.passed if one.startswith(DEATHS)]
    for point in points[part::PARTS]:
        rolled = Rolled(Points(point))
        rolled.points.strike = rolled.points.die
        rolled.to_its_end()
        assert (rolled.moves(), rolled.done(), rolled.specs()) == (moves, done, specs), point
        assert rolled.emptied == set(), point
