"""A mesh as a real Prometheus sees it: Istio's metrics from an exporter of the test's own, told from others' by their host."""

import math
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.metrics_prometheus import PrometheusMetrics, PrometheusSettings
from reconciler.core.gates.measuring import DURATIONS, REQUESTS
from reconciler.core.gates.promql import quoted
from reconciler.core.gates.spec import Reporter
from tests.real.exporter import Exporter
from tests.real.processes import wait_until
from tests.real.prometheus_process import Prometheus

BOUNDS = (1.0, 5.0, 250.0, 500.0, math.inf)


class PrometheusWorld:
    """Traffic that one exporter counts and Prometheus scrapes; a context manager."""

    def __init__(self, prometheus: Prometheus) -> None:
        self.name = f"test-{secrets.token_hex(6)}"
        self.host = f"{self.name}.shop.internal"
        self.metrics = PrometheusMetrics(PrometheusSettings(prometheus.url, timeout=timedelta(seconds=30)))
        self.exporter = Exporter()
        self._prometheus = prometheus
        self._turn = 0

    @property
    def depth(self) -> str:
        return f"queue_depth{{test={quoted(self.name)}}}"

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
        for code, count in (("200", requests - errors), ("503", errors)):
            if count:
                self.exporter.add(REQUESTS, {**common, "response_code": code, "response_flags": "-"}, count)
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
        self.exporter.set("queue_depth", labels, value)

    def moment(self) -> datetime:
        """Let a scrape begin and end, then return the time: what it saw is in, what comes after is not."""
        self._turn += 1
        self.exporter.set("test_turn", {}, self._turn)
        up = f"up{{test={quoted(self.name)}}}"
        wanted = (f"{up} == 0", 0.0) if self.exporter.hidden else (f"test_turn{{test={quoted(self.name)}}}", float(self._turn))
        wait_until(f"a scrape of {self.name}", lambda: self._value(wanted[0]) == wanted[1])
        return SystemClock().now()

    def _value(self, query: str) -> float | None:
        samples = self.metrics.query(query, SystemClock().now()).samples
        return samples[0].value if samples else None

    def __enter__(self) -> Self:
        self._prometheus.scrape(self.name, self.exporter.address, test=self.name)
        self.moment()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._prometheus.forget(self.name)
        self.exporter.close()
