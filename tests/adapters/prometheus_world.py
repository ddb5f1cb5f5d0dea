"""A mesh as a real Prometheus sees it: Istio's metrics from an exporter of the test's own, told from others' by their host."""

import math
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import count

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.metrics_prometheus import PrometheusMetrics, PrometheusSettings
from reconciler.core.gates.measuring import DURATIONS, REQUESTS
from reconciler.core.gates.promql import quoted
from reconciler.core.gates.spec import Reporter
from tests.real.exporter import Exporter
from tests.real.processes import wait_until
from tests.real.prometheus_process import Prometheus

#: Numbers that a scrape is known by, in the whole process.
_TURNS = count(1)
BOUNDS = (1.0, 5.0, 250.0, 500.0, math.inf)


class PrometheusWorld:
    """Traffic that one exporter counts, which Prometheus scrapes already or soon."""

    def __init__(self, prometheus: Prometheus, exporter: Exporter) -> None:
        own = secrets.token_hex(6)
        self.host = f"billing-{own}.shop.internal"
        self.depth = f"queue_depth_{own}"
        self.metrics = PrometheusMetrics(PrometheusSettings(prometheus.url, timeout=timedelta(seconds=30)))
        self.exporter = exporter

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
        common = {
            "reporter": reporter.value,
            "destination_service": self.host,
            "destination_workload": workload,
            "destination_workload_namespace": "shop",
            **(labels or {}),
        }
        for code, number in (("200", requests - errors), ("503", errors)):
            if number:
                self.exporter.add(REQUESTS, {**common, "response_code": code, "response_flags": "-"}, number)
        for bound in BOUNDS:
            # Prometheus wants the text that it writes itself.
            le = "+Inf" if math.isinf(bound) else f"{bound:g}"
            self.exporter.add(DURATIONS, {**common, "le": le}, requests if milliseconds <= bound else 0)

    def restart(self) -> None:
        self.exporter.reset()

    def hide(self) -> None:
        self.exporter.hidden = True

    def show(self) -> None:
        self.exporter.hidden = False

    def gauge(self, labels: Mapping[str, str], value: float) -> None:
        self.exporter.set(self.depth, labels, value)

    def moment(self) -> datetime:
        """Let a scrape begin and end, and return a moment at which Prometheus has it: what comes after is not in it."""
        self.exporter.set("test_turn", {}, turn := next(_TURNS))
        label = f"{{test={quoted(self.exporter.name)}}}"
        query, wanted = (f"up{label}", 0) if self.exporter.hidden else (f"test_turn{label}", turn)
        moment = SystemClock().now()

        def seen() -> bool:
            nonlocal moment
            moment = SystemClock().now()
            samples = self.metrics.query(query, moment).samples
            return bool(samples) and samples[0].value == wanted

        wait_until(f"a scrape of {self.exporter.address}", seen)
        return moment
