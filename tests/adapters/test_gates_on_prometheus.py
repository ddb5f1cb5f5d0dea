"""Gates asked of a real Prometheus: what passes, what is harm, and everything that is neither."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.adapters.metrics_prometheus import PrometheusMetrics, PrometheusSettings
from reconciler.core.gates.answers import Arm
from reconciler.core.gates.judging import judge, questions
from reconciler.core.gates.memory import Memory
from reconciler.core.gates.scene import Scene
from reconciler.core.gates.spec import Bounds, Compare, Gate, Metric, Of, Ready, Reporter, Threshold
from reconciler.core.gates.verdict import Answer, Reason, Verdict
from reconciler.ports import Metrics
from reconciler.rollouts.asking import answers
from tests.adapters.prometheus_world import PrometheusWorld
from tests.real.exporter import Exporter
from tests.real.prometheus_process import Prometheus, PrometheusProcess

PODS, VM = "billing", "billing-vm-1"


@pytest.fixture
def world(prometheus: Prometheus, exporter: Exporter) -> PrometheusWorld:
    """An exporter of this test's own, scraped by the run's Prometheus."""
    return PrometheusWorld(prometheus, exporter)


def look(
    gate: Gate, world: PrometheusWorld, opens: datetime, now: datetime, memory: Memory | None = None, by: Metrics | None = None
) -> tuple[Verdict, Memory]:
    """Ask and judge a gate once, of a step that came into force at `opens`."""
    canary, stable = (Arm((world.host,), "shop", (workload,)) for workload in (PODS, VM))
    moment = Scene(now=now, in_force=opens, whole=Arm((world.host,)), canary=canary, stable=stable)
    memory = memory or Memory()
    asked = {gate.name: questions(gate, moment, memory)}
    return judge(gate, moment, memory, answers(asked, by or world.metrics, None)[gate.name])


def depth(world: PrometheusWorld, expression: str = "{}") -> Gate:
    """Return a gate on the metric of the world, at most 5."""
    return Gate("depth", Threshold(expression.format(world.depth), Bounds(high=5)))


def test_a_threshold_passes_and_fails(world: PrometheusWorld) -> None:
    """By the value that Prometheus gives."""
    opens = world.moment()
    world.gauge({"queue": "a"}, 3)
    assert look(depth(world), world, opens, world.moment())[0] == Verdict.passing("3 is at most 5")
    world.gauge({"queue": "a"}, 7)
    assert look(depth(world), world, opens, world.moment())[0] == Verdict.failing(Reason.HARM, "7 is not at most 5")


@pytest.mark.case("C-03")
def test_a_threshold_without_one_number_neither_passes_nor_fails(world: PrometheusWorld) -> None:
    """No series, several of them, NaN, infinity, and a query that Prometheus refuses."""
    opens = world.moment()
    assert _waits(look(depth(world), world, opens, world.moment()), Reason.NO_DATA)
    world.gauge({"queue": "a"}, math.nan)
    assert _waits(look(depth(world), world, opens, world.moment()), Reason.NO_DATA)
    world.gauge({"queue": "a"}, -math.inf)
    assert _waits(look(depth(world), world, opens, world.moment()), Reason.NO_DATA)
    world.gauge({"queue": "a"}, 3)
    assert _waits(look(depth(world, "{0} / ({0} - {0})"), world, opens, world.moment()), Reason.NO_DATA)
    world.gauge({"queue": "b"}, 3)
    verdict = look(depth(world), world, opens, now := world.moment())
    assert _waits(verdict, Reason.INCONCLUSIVE)
    assert verdict[0].says == "the query gives 2 series: aggregate them to one"
    assert look(depth(world, "max({})"), world, opens, now)[0].passes
    refused = look(depth(world, "max({}"), world, opens, now)
    assert _waits(refused, Reason.PROVIDER_ERROR)
    assert "parse error" in refused[0].says


@pytest.mark.case("C-03")
def test_samples_are_counted_and_too_few_never_pass(world: PrometheusWorld) -> None:
    """In the window alone, which stays open until there are enough."""
    requests = f'istio_requests_total{{destination_service="{world.host}"}}'
    ask = Threshold(f"count({requests})", Bounds(low=1), 50, f"sum({requests} - ({requests} offset $window))")
    gate = Gate("samples", ask)
    world.serve(PODS, 1000)
    opens = world.moment()
    world.serve(PODS, 20)
    verdict, memory = look(gate, world, opens, world.moment())
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, Reason.FEW)
    assert verdict.needs.startswith("30 more requests, about ")
    world.serve(PODS, 40)
    verdict, memory = look(Gate("samples", ask, interval=timedelta(0)), world, opens, closes := world.moment(), memory)
    assert verdict.passes
    assert memory.opened == closes


@pytest.mark.case("C-03")
def test_a_metric_whose_exporter_has_stopped_is_stale(world: PrometheusWorld) -> None:
    """Though a range over the past still has a value, and a good one."""
    gate = depth(world, "max_over_time({}[$window])")
    opens = world.moment()
    world.gauge({"queue": "a"}, 3)
    assert look(gate, world, opens, world.moment())[0].passes
    world.hide()
    verdict = look(gate, world, opens, world.moment())
    assert _waits(verdict, Reason.STALE)
    counted = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.9)))
    assert _waits(look(counted, world, opens, world.moment()), Reason.NO_DATA)


def test_the_ready_made_gates_tell_pods_from_vms(world: PrometheusWorld) -> None:
    """Each arm by its own requests, of the window alone; before it all was bad."""
    for workload in (PODS, VM):
        world.serve(workload, 500, 500, milliseconds=900)
    opens = world.moment()
    world.serve(PODS, 200, 1, milliseconds=3)
    world.serve(VM, 300, 30, milliseconds=400)
    closes = world.moment()
    success = Ready(Metric.ERRORS, Bounds(low=0.99), reporter=Reporter.SOURCE)
    verdict, _ = look(Gate("success", success), world, opens, closes)
    assert verdict == Verdict.passing("99.5 % of 200 requests succeeded (by the source), at least 99 %")
    verdict, _ = look(Gate("success", replace(success, of=Of.STABLE)), world, opens, closes)
    assert verdict == Verdict.failing(Reason.HARM, "90 % of 300 requests succeeded (by the source), not at least 99 %")
    verdict, _ = look(Gate("success", replace(success, of=Of.ALL)), world, opens, closes)
    assert verdict.says == "93.8 % of 500 requests succeeded (by the source), not at least 99 %"
    fast = Ready(Metric.LATENCY, Bounds(high=10), reporter=Reporter.SOURCE)
    assert look(Gate("fast", fast), world, opens, closes)[0].passes
    verdict, _ = look(Gate("fast", replace(fast, of=Of.STABLE)), world, opens, closes)
    assert verdict.says == "95 % of 300 requests took at most 487.5 ms (by the source), not at most 10"


def test_requests_that_reach_nobody_are_failures(world: PrometheusWorld) -> None:
    """No healthy endpoint, no cluster: the workload is unknown, and the canary's gate sees it."""
    opens = world.moment()
    world.serve(PODS, 100)
    common = {"reporter": "source", "destination_service": world.host, "destination_workload": "unknown"}
    world.exporter.add("istio_requests_total", {**common, "response_code": "503", "response_flags": "UH"}, 25)
    gate = Gate("success", Ready(Metric.ERRORS, Bounds(low=0.99), reporter=Reporter.SOURCE))
    verdict, _ = look(gate, world, opens, world.moment())
    assert verdict == Verdict.failing(Reason.HARM, "80 % of 125 requests succeeded (by the source), not at least 99 %")


def test_a_bad_canary_is_proven_by_comparison(world: PrometheusWorld) -> None:
    """Window after window, against the stable arm's own failures."""
    gate = Gate("compare", Compare(Metric.ERRORS, alpha=0.05), interval=timedelta(seconds=1))
    world.serve(VM, 1000, 5)
    world.serve(PODS, 1, 1)
    opens = world.moment()
    verdict, memory = look(gate, world, opens, opens + timedelta(seconds=1))
    assert verdict.reason is Reason.INCONCLUSIVE
    for _ in range(8):
        world.serve(VM, 1000, 5)
        world.serve(PODS, 500, 100)
        verdict, memory = look(gate, world, opens, world.moment(), memory)
        if verdict.answer is Answer.FAIL:
            break
    assert (verdict.answer, verdict.reason) == (Answer.FAIL, Reason.HARM)
    assert "20.0" in verdict.says


@pytest.mark.case("C-03")
def test_a_prometheus_that_is_killed_or_hangs_is_a_providers_error(restartable_prometheus: PrometheusProcess) -> None:
    """Neither a pass nor harm; when it is back, the same window is judged."""
    with Exporter() as exporter:
        restartable_prometheus.server.scrape(exporter.name, exporter.address, test=exporter.name)
        world = PrometheusWorld(restartable_prometheus.server, exporter)
        opens = world.moment()
        world.gauge({"queue": "a"}, 3)
        seen = world.moment()
        assert look(depth(world), world, opens, seen)[0].passes
        restartable_prometheus.pause()
        impatient = PrometheusMetrics(PrometheusSettings(restartable_prometheus.server.url, timeout=timedelta(seconds=0.5)))
        hangs = look(depth(world), world, opens, seen, by=impatient)
        assert _waits(hangs, Reason.PROVIDER_ERROR)
        assert "did not answer within 0.5 s" in hangs[0].says
        restartable_prometheus.resume()
        restartable_prometheus.stop()
        gone = look(depth(world), world, opens, seen)
        assert _waits(gone, Reason.PROVIDER_ERROR)
        assert "cannot be reached" in gone[0].says
        restartable_prometheus.start()
        assert look(depth(world), world, opens, seen)[0].passes


def _waits(looked: tuple[Verdict, Memory], reason: Reason) -> bool:
    return (looked[0].answer, looked[0].reason) == (Answer.WAIT, reason)
