"""What everything that measures a mesh promises."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import pytest

from reconciler.core.gates.answers import Arm, Counts, Window
from reconciler.core.gates.spec import Reporter
from reconciler.ports import Metrics

PODS, VM = "billing", "billing-vm-1"
SOURCE = Reporter.SOURCE
#: Names that would break a query out of its quotes, or mean more than themselves in a regular expression.
HOSTILE = ['billing"} or up{job="', "billing\\", "b.lling", "billing|.*", "bil\nling", "billing'`#{}[]$", "Zoë-\U0001f980"]


class MetricsWorld(Protocol):
    """A mesh whose traffic the test makes. `host` is this test's own."""

    host: str

    @property
    def metrics(self) -> Metrics:
        """What is under test."""
        ...

    def serve(
        self,
        workload: str,
        requests: int,
        errors: int = 0,
        *,
        milliseconds: float = 1,
        reporter: Reporter = SOURCE,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """Let a workload of namespace `shop` serve requests."""

    def restart(self) -> None:
        """Set all counters back to zero."""

    def hide(self) -> None:
        """Let what counts be unseen, and go on counting."""

    def show(self) -> None:
        """Let it be seen again."""

    def gauge(self, labels: Mapping[str, str], value: float) -> None:
        """Give a series of the metric that `depth` asks for a value."""

    @property
    def depth(self) -> str:
        """A query for all series of that metric."""
        ...

    def moment(self) -> datetime:
        """Return a moment by which all that has happened is seen, and after which nothing of it is new."""
        ...


class MetricsContract:
    """Derive from it and give a fixture `world`."""

    def counted(self, world: MetricsWorld, opens: datetime, closes: datetime, *workloads: str) -> tuple[int, int]:
        """Return requests and errors of workloads in a window."""
        arm = Arm((world.host,), "shop", workloads)
        counts = world.metrics.counts(arm, Window(opens, closes), SOURCE)
        return counts.requests, counts.errors

    def test_each_request_is_in_one_of_two_windows_that_adjoin(self, world: MetricsWorld) -> None:
        """Together they have what one window over both has, the first failure ever among it."""
        world.serve(PODS, 10)
        first = world.moment()
        world.serve(PODS, 5, 2)
        second = world.moment()
        world.serve(PODS, 7, 1)
        third = world.moment()
        assert self.counted(world, first, second, PODS) == (5, 2)
        assert self.counted(world, second, third, PODS) == (7, 1)
        assert self.counted(world, first, third, PODS) == (12, 3)

    def test_vms_and_pods_are_told_apart(self, world: MetricsWorld) -> None:
        """By workload, by other labels, or not at all; a workload that is new counts from its first request."""
        world.serve(PODS, 1, labels={"destination_version": "v1"})
        opens = world.moment()
        world.serve(PODS, 20, 5, labels={"destination_version": "v1"})
        world.serve(VM, 30, 1, labels={"destination_version": "v2"})
        closes = world.moment()
        assert self.counted(world, opens, closes, PODS) == (20, 5)
        assert self.counted(world, opens, closes, VM) == (30, 1)
        assert self.counted(world, opens, closes, PODS, VM) == (50, 6)
        assert self.counted(world, opens, closes) == (50, 6)
        assert self.counted(world, opens, closes, "unknown-vm") == (0, 0)
        version = Arm((world.host,), "shop", (PODS,), labels={"destination_version": "v2"})
        assert world.metrics.counts(version, Window(opens, closes), SOURCE).requests == 30
        other = Arm((world.host,), "other", (PODS,))
        assert world.metrics.counts(other, Window(opens, closes), SOURCE).requests == 0

    @pytest.mark.case("T8", "A5")
    def test_names_are_data(self, world: MetricsWorld) -> None:
        """Whatever a name holds, it means that name and no other."""
        world.serve(PODS, 1)
        opens = world.moment()
        for number, name in enumerate(HOSTILE, start=1):
            world.serve(name, 10 * number)
        world.serve(PODS, 7)
        closes = world.moment()
        counted = [self.counted(world, opens, closes, name) for name in HOSTILE]
        assert counted == [(10 * number, 0) for number, _ in enumerate(HOSTILE, start=1)]
        assert self.counted(world, opens, closes, PODS, *HOSTILE)[0] == 7 + sum(requests for requests, _ in counted)

    def test_a_counter_that_is_set_back_is_a_gap(self, world: MetricsWorld) -> None:
        """In that window it counts nothing, in the next one it does."""
        world.serve(PODS, 1000)
        opens = world.moment()
        world.restart()
        world.serve(PODS, 5)
        restarted = world.moment()
        world.serve(PODS, 3)
        closes = world.moment()
        assert self.counted(world, opens, restarted, PODS) == (0, 0)
        assert self.counted(world, restarted, closes, PODS) == (3, 0)

    def test_what_was_unseen_at_the_opening_counts_nothing(self, world: MetricsWorld) -> None:
        """Nobody knows since when it has been counting."""
        world.serve(PODS, 1000)
        world.moment()
        world.hide()
        opens = world.moment()
        world.serve(PODS, 500, 500)
        world.show()
        shown = world.moment()
        world.serve(PODS, 3)
        closes = world.moment()
        assert self.counted(world, opens, shown, PODS) == (0, 0)
        assert self.counted(world, shown, closes, PODS) == (3, 0)

    @pytest.mark.case("C-03")
    def test_without_series_there_is_no_newest_sample(self, world: MetricsWorld) -> None:
        """Nothing is told from zero, also once there was something."""
        arm = Arm((world.host,), "shop", (PODS,))
        opens = world.moment()
        assert world.metrics.counts(arm, Window(opens, world.moment()), SOURCE) == Counts(0, 0, None)
        world.serve(PODS, 3)
        closes = world.moment()
        newest = world.metrics.counts(arm, Window(opens, closes), SOURCE).newest
        assert newest is not None
        assert opens < newest <= closes
        world.hide()
        assert world.metrics.counts(arm, Window(closes, world.moment()), SOURCE).newest is None

    def test_each_side_counts_for_itself(self, world: MetricsWorld) -> None:
        """Callers and called are never added up."""
        world.serve(PODS, 1)
        opens = world.moment()
        world.serve(PODS, 10)
        world.serve(PODS, 13, 3, reporter=Reporter.DESTINATION)
        window, arm = Window(opens, world.moment()), Arm((world.host,), "shop", (PODS,))
        assert world.metrics.counts(arm, window, SOURCE).requests == 10
        called = world.metrics.counts(arm, window, Reporter.DESTINATION)
        assert (called.requests, called.errors) == (13, 3)

    def test_durations_come_in_buckets(self, world: MetricsWorld) -> None:
        """Cumulative, in milliseconds, infinity last; of the window alone."""
        world.serve(PODS, 50, milliseconds=900)
        opens = world.moment()
        world.serve(PODS, 90, milliseconds=4)
        world.serve(PODS, 10, milliseconds=400)
        window, arm = Window(opens, world.moment()), Arm((world.host,), "shop", (PODS,))
        durations = world.metrics.durations(arm, window, SOURCE)
        buckets = dict(durations.buckets)
        assert (buckets[1], buckets[5], buckets[250], buckets[500], buckets[math.inf]) == (0, 90, 90, 100, 100)
        assert (durations.requests, list(buckets)) == (100, sorted(buckets))
        nobody = Arm((world.host,), "shop", (VM,))
        assert world.metrics.durations(nobody, window, SOURCE).newest is None

    def test_a_query_gives_a_sample_for_each_series(self, world: MetricsWorld) -> None:
        """None, one, several; NaN and infinity as they are."""
        assert world.metrics.query(world.depth, world.moment()).samples == ()
        world.gauge({"queue": "a"}, 3)
        (only,) = world.metrics.query(world.depth, world.moment()).samples
        assert (only.value, only.labels["queue"]) == (3, "a")
        world.gauge({"queue": "b"}, math.nan)
        world.gauge({"queue": "c"}, math.inf)
        values = {one.labels["queue"]: one.value for one in world.metrics.query(world.depth, world.moment()).samples}
        assert (values["a"], math.isnan(values["b"]), values["c"]) == (3, True, math.inf)
