"""Metrics in memory keep the promises of the real ones."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from reconciler.adapters.memory_metrics import MemoryMetrics, Traffic
from reconciler.core.gates.answers import Sample
from reconciler.core.gates.spec import Reporter
from reconciler.errors import Unavailable
from tests.contracts.clock import SetClock
from tests.contracts.metrics import MetricsContract, MetricsWorld


class MemoryWorld:
    """Traffic in memory."""

    host, depth = "billing.shop.internal", "queue_depth"

    def __init__(self) -> None:
        self.clock = SetClock()
        self.metrics = MemoryMetrics(self.clock)
        self.metrics.appear()
        self._samples: dict[str, Sample] = {}

    def serve(
        self,
        workload: str,
        requests: int,
        errors: int = 0,
        *,
        milliseconds: float = 1,
        reporter: Reporter = Reporter.SOURCE,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        traffic = Traffic(self.host, "shop", workload, tuple((labels or {}).items()), reporter)
        self.metrics.serve(traffic, requests, errors, milliseconds)

    def restart(self) -> None:
        self.metrics.restart()

    def hide(self) -> None:
        self.metrics.vanish()

    def show(self) -> None:
        self.metrics.appear()

    def gauge(self, labels: Mapping[str, str], value: float) -> None:
        self._samples[str(labels)] = Sample(value, self.clock.now(), labels)
        self.metrics.tell(self.depth, *self._samples.values())

    def moment(self) -> datetime:
        moment = self.clock.now()
        self.clock.pass_time(timedelta(seconds=1))
        return moment


class TestMemoryMetrics(MetricsContract):
    """The contract, in memory."""

    @pytest.fixture
    def world(self) -> MetricsWorld:
        return MemoryWorld()


def test_it_breaks_down_and_recovers() -> None:
    """So that a test can play an outage of the provider."""
    world = MemoryWorld()
    world.metrics.break_down(Unavailable("Prometheus cannot be reached"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        world.metrics.query("up", world.moment())
    world.metrics.break_down(None)
    assert world.metrics.query("up", world.moment()).samples == ()
