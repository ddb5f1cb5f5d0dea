"""A drain that somebody waits for, told as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.cli.vm_fleet import wait_for_drain
from reconciler.core.drain import Drain
from reconciler.core.health.drains import Draining, Seen, Stage
from reconciler.core.resources import Key
from tests.contracts.clock import SetClock

KEY = Key("WorkloadEntry", "shop", "vm1")


@dataclass
class Told:
    """How far a drain is, look by look; the last one stands."""

    stages: list[Stage | None]
    requests: int | None = None
    clock: SystemClock | SetClock = field(default_factory=SystemClock)

    def parting(self, namespace: str, name: str) -> tuple[Draining | None, str]:
        """Return the next look."""
        stage = self.stages.pop(0) if len(self.stages) > 1 else self.stages[0]
        if stage is None:
            return None, ""
        now = SetClock().now()
        seen = Seen(1, None, listed=False, requests=self.requests)
        return Draining(KEY, Drain("ann", now, now), stage, seen), f"{namespace}/{name} is {stage}"


def test_each_stage_is_told_once_until_it_is_through(capsys: pytest.CaptureFixture[str]) -> None:
    """And then it ends at once."""
    told = Told([Stage.LOWERING, Stage.LOWERING, Stage.DRAINED])
    assert wait_for_drain(told, "shop", "vm1", timedelta(minutes=5)) == 0
    assert capsys.readouterr().out == "shop/vm1 is lowering\nshop/vm1 is drained\n"


@pytest.mark.parametrize(("stage", "requests"), [(Stage.ENDING, 7), (Stage.DRAINED, 7), (Stage.LEAVING, None)])
def test_what_is_left_when_time_is_over_ends_with_one(
    stage: Stage, requests: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether it is still in load balancing, or still gets requests."""
    assert wait_for_drain(Told([stage], requests), "shop", "vm1", timedelta(seconds=-9)) == 1
    assert "shop/vm1 is not through in time" in capsys.readouterr().err


def test_somebody_who_lets_it_back_in_ends_the_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is awaited any more."""
    assert wait_for_drain(Told([None]), "shop", "vm1", timedelta(minutes=5)) == 1
    assert "nobody drains shop/vm1 any more" in capsys.readouterr().err
