"""Prometheus keeps the promises of metrics: a real one, scraping an exporter of ours."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.adapters.clock import SystemClock
from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.promql import freshness, growth, pattern, quoted, selectors, within
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


QUERIES = [
    "up",
    'sum by (job, code) (rate(http_requests_total{code=~"5..", x="}"}[5m])) / on (job) group_left () total',
    "sum(a) by (b) > bool 3",
    "a and b or c unless d offset 5m",
    "max_over_time(rate(x[5m])[10m:1m] offset 1h) + -y ^ 2 atan2 z",
    'label_replace(up, "x{y}", \'$1\', `job`, "(.*)") # a comment{}',
    'count_values without (a) ("b", c) / scalar(d) * vector(1) + {__name__="e"}',
    "topk(3, avg without (x) (y)) or absent(nan_total) or inf_total * Inf",
    "histogram_quantile(0.9, sum by (le) (rate(z_bucket[1m30s])))",
    "job:errors:rate5m == ignoring (a) group_right (b) sum_total",
]


@pytest.mark.parametrize("query", QUERIES)
def test_queries_are_read_as_prometheus_reads_them(world: PrometheusWorld, prometheus: Prometheus, query: str) -> None:
    """Its parser finds the same metrics, and takes what is made of a query."""
    answer = urllib3.request("GET", f"{prometheus.url}/api/v1/parse_query", fields={"query": query}, timeout=30)
    names = set(_metrics(answer.json()["data"]))
    assert {one.partition("{")[0] or one for one in selectors(query)} == {name or '{__name__="e"}' for name in names}
    for made in (freshness(query), within(growth(query), timedelta(seconds=30)), within(query, timedelta(seconds=30))):
        if made:
            world.metrics.query(made, SystemClock().now())


def _metrics(node: Any) -> Iterator[str]:
    """Yield the names of the selectors in a tree of Prometheus' parser, empty for one without a name."""
    if isinstance(node, list):
        for one in node:
            yield from _metrics(one)
    elif isinstance(node, dict):
        if node.get("type") in ("vectorSelector", "matrixSelector"):
            yield node["name"]
        for one in node.values():
            yield from _metrics(one)
