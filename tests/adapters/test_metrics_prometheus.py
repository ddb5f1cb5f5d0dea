"""Prometheus keeps the promises of metrics: a real one, scraping an exporter of ours."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.adapters.clock import SystemClock
from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.promql import pattern, quoted
from reconciler.core.gates.spec import Reporter
from reconciler.errors import Rejected
from tests.adapters.prometheus_world import PrometheusWorld
from tests.contracts.metrics import HOSTILE, MetricsContract, MetricsWorld
from tests.real.exporter import Exporter
from tests.real.prometheus_process import Prometheus


@pytest.fixture
def world(prometheus: Prometheus, exporter: Exporter) -> PrometheusWorld:
    """An exporter of this test's own, scraped by the run's Prometheus."""
    return PrometheusWorld(prometheus, exporter)


class TestPrometheusMetrics(MetricsContract):
    """The contract, on a real Prometheus."""

    @pytest.fixture
    def world(self, prometheus: Prometheus, exporter: Exporter) -> MetricsWorld:
        return PrometheusWorld(prometheus, exporter)


def test_a_bad_query_is_refused_with_prometheus_own_words(world: PrometheusWorld) -> None:
    """A person has to correct it; no outage is made of it."""
    with pytest.raises(Rejected, match=r"refuses the query: .*parse error"):
        world.metrics.query("sum(", SystemClock().now())
    with pytest.raises(Rejected, match="gives a matrix"):
        world.metrics.query("up[5m]", SystemClock().now())
    with pytest.raises(Rejected, match="gives a string"):
        world.metrics.query('"text"', SystemClock().now())


def test_a_scalar_is_one_sample(world: PrometheusWorld) -> None:
    """As good as a series without labels."""
    (only,) = world.metrics.query("1 + 1", SystemClock().now()).samples
    assert (only.value, dict(only.labels)) == (2, {})


@pytest.mark.case("T8", "A5")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"]))))
def test_prometheus_reads_quoted_values_as_they_are(world: PrometheusWorld, value: str) -> None:
    """Its own parser: the label is exactly the value, and a pattern matches it and not a longer one."""
    now = SystemClock().now()
    labelled = f'label_replace(vector(1), "value", {quoted(value.replace("$", "$$"))}, "", "")'
    matched = f'label_replace({labelled}, "hit", "yes", "value", {pattern(value)})'
    (only,) = world.metrics.query(matched, now).samples
    assert only.labels.get("value", "") == value
    assert only.labels["hit"] == "yes"
    longer = f'label_replace({labelled}, "hit", "yes", "value", {pattern(f"{value}x")})'
    assert "hit" not in world.metrics.query(longer, now).samples[0].labels


def test_counts_of_a_moment_stay_what_they_are(world: PrometheusWorld) -> None:
    """Asked again later, a window has what it had: evidence can be replayed."""
    arm = Arm((world.host,), "shop", ("billing",))
    world.serve("billing", 1)
    opens = world.moment()
    world.serve("billing", 10, 3)
    window = Window(opens, world.moment())
    first = world.metrics.counts(arm, window, Reporter.SOURCE)
    world.serve("billing", 100)
    world.moment()
    assert world.metrics.counts(arm, window, Reporter.SOURCE) == first
    assert (first.requests, first.errors) == (10, 3)
    assert window.length > timedelta(0)
