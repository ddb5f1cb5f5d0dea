"""A stage is in force once istiod lists what it has written; where nobody can be asked, time decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from reconciler.core.records import Health
from reconciler.core.resources import Key
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.rollout import Phase
from reconciler.core.rollouts.seen import Pace
from reconciler.core.rollouts.values import Told
from reconciler.cycle.run import Cycle
from reconciler.errors import Unavailable
from reconciler.reports import rollouts
from tests.cycle.test_rollouts import ENTRY, Rolled, policy, vm
from tests.worlds import mixed

#: Nobody waits so long in these tests.
AGES = timedelta(hours=1)
BILLING = ("shop", "billing.internal")


@dataclass
class Replica:
    """An istiod: it lists what the cluster has, unless it is behind or down."""

    rolled: Rolled
    behind: bool = False
    down: bool = False
    asked: int = 0
    lists: Told = field(default_factory=dict)

    def told(self) -> tuple[Told, ...]:
        self.asked += 1
        if self.down:
            raise Unavailable("istiod cannot be reached")
        if not self.behind:
            self.lists = {BILLING: self._weights()}
        return (self.lists,)

    def close(self) -> None: ...

    def _weights(self) -> Mapping[str, int]:
        observed = self.rolled.looker.observe()
        world = Mesh(observed).world({key: one.document for key, one in observed.objects.items()})
        return {one.address: one.weight for one in world.picked[ENTRY].values() if one.healthy is not False}


class Fed(Rolled):
    """A world with an istiod, whose writes would count as in force after an hour only."""

    settle = AGES

    def __post_init__(self) -> None:
        self.istiod = Replica(self)
        super().__post_init__()

    def process(self, holder: str, **ports: Any) -> Cycle:
        limits, pace = RolloutLimits(careful=False), Pace(settle=self.settle)
        return self.world.process(holder, rollouts=limits, pace=pace, discovery=self.istiod, **ports)

    def settles_within(self, time: timedelta) -> None:
        """Let another process go on that counts a write as known after so long."""
        self.settle = time
        self.cycle.authority.release()
        self.cycle = self.process("serve:2")

    def joined(self) -> None:
        """A third VM joins two."""
        self.begin_with(*mixed(vm(1), vm(2)))
        self.begin(*mixed(vm(1), vm(2), vm(3)))


def test_a_stage_is_in_force_once_istiod_lists_it() -> None:
    """Within some looks, where time alone would have taken an hour for each stage; after that nobody is asked any more."""
    fed = Fed(policy=policy())
    fed.joined()
    began = fed.world.clock.now()
    fed.until(Phase.WATCHING)
    assert fed.world.clock.now() - began < timedelta(minutes=5)


def test_while_istiod_lists_something_else_the_step_does_not_begin_to_count() -> None:
    """However long that is. It says so, and is looked at again soon: nothing tells when istiod has caught up."""
    fed = Fed(policy=policy())
    fed.settles_within(timedelta(seconds=5))
    fed.istiod.lists, fed.istiod.behind = {BILLING: {"10.0.0.1": 1, "10.0.0.2": 1}}, True
    fed.joined()
    for _ in range(5):
        report = fed.look()
    assert (fed.newest.phase, fed.newest.step) == (Phase.APPLYING, 0)
    assert report.rollouts[0].waits == ("the proxies have not all got it yet: istiod has other endpoints",)
    fed.istiod.behind = False
    fed.until(Phase.SOAKING, 0)


def test_an_istiod_that_cannot_be_asked_leaves_it_to_time() -> None:
    """And that is said."""
    fed = Fed(policy=policy())
    fed.istiod.down = True
    fed.settles_within(timedelta(seconds=30))
    fed.joined()
    said = [note for _ in range(2) for one in fed.look().rollouts for note in rollouts.notes(one)]
    assert any("time decides what is in force: istiod cannot be reached" in note for note in said)
    assert fed.newest.phase is Phase.APPLYING
    fed.until(Phase.SOAKING, 0)


def test_who_is_ill_is_in_no_list_and_holds_nothing_up() -> None:
    """A VM that was there before reports that it is unhealthy, and leaves istiod's list."""
    fed = Fed(policy=policy())
    fed.begin_with(*mixed(vm(1), vm(2)))
    machine = Key("VirtualMachine", "shop", "vm2")
    fed.world.registry.report(machine, {"address": "10.0.0.2", "health": Health.UNHEALTHY})
    fed.begin(*mixed(vm(1), vm(2), vm(3)))
    fed.until(Phase.SOAKING, 0)
