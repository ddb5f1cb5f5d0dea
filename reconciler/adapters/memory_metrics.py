"""Metrics in memory, for demos and tests: counters with their past, which answer by the same rules as those in Prometheus."""

import math
import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.gates.answers import Arm, Counts, Durations, Sample, Series, Window
from reconciler.core.gates.spec import Reporter
from reconciler.errors import ReconcilerError
from reconciler.ports import Clock

#: Upper bounds of the buckets of durations, in milliseconds.
BOUNDS = (0.5, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, math.inf)
_OK, _FAILED = "ok", "failed"


@dataclass(frozen=True, slots=True)
class Traffic:
    """One sort of requests: the labels by which arms ask for them, and the process (`instance`) that counts them."""

    host: str
    namespace: str
    workload: str
    labels: tuple[tuple[str, str], ...] = ()
    reporter: Reporter = Reporter.SOURCE
    instance: str = "client"

    def of(self, arm: Arm, reporter: Reporter) -> bool:
        """Tell whether they are an arm's, as this side counts them."""
        if reporter is not self.reporter or self.host not in arm.hosts:
            return False
        if arm.labels:
            return arm.labels.items() <= dict(self.labels).items()
        return not arm.workloads or (self.namespace == arm.namespace and self.workload in arm.workloads)


@dataclass(slots=True)
class _Past:
    """A value that changes, with its past: moments in order, and what it has been from each of them on."""

    moments: list[datetime] = field(default_factory=list)
    values: list[int] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.values[-1] if self.values else 0

    def at(self, moment: datetime) -> int | None:
        place = bisect_right(self.moments, moment)
        return self.values[place - 1] if place else None

    def put(self, moment: datetime, value: int) -> None:
        self.moments.append(moment)
        self.values.append(value)


class MemoryMetrics:
    """`ports.Metrics`. What is served is seen at once; `tell` says what queries give, `break_down` makes everything fail."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counters: dict[tuple[Traffic, str | float], _Past] = defaultdict(_Past)
        self._seen: dict[str, _Past] = defaultdict(_Past)
        self._told: dict[str, Series] = {}
        self._broken: ReconcilerError | None = None

    def appear(self, instance: str = "client") -> None:
        """Be seen from now on; who serves without having appeared has appeared with that."""
        with self._lock:
            self._seen[instance].put(self._clock.now(), 1)

    def vanish(self, instance: str = "client") -> None:
        """Be unseen from now on; the counters go on meanwhile."""
        with self._lock:
            self._seen[instance].put(self._clock.now(), 0)

    def restart(self, instance: str = "client") -> None:
        """Begin to count at zero again."""
        with self._lock:
            for (traffic, _), past in self._counters.items():
                if traffic.instance == instance:
                    past.put(self._clock.now(), 0)

    def serve(self, traffic: Traffic, requests: int, errors: int = 0, milliseconds: float = 1) -> None:
        """Count requests that ended just now, of which some failed, and each of which took so long."""
        with self._lock:
            if traffic.instance not in self._seen:
                self._seen[traffic.instance].put(self._clock.now(), 1)
            self._add(traffic, _OK, requests - errors)
            if errors:
                self._add(traffic, _FAILED, errors)
            for bound in BOUNDS:
                self._add(traffic, bound, requests if milliseconds <= bound else 0)

    def tell(self, query: str, *samples: Sample) -> None:
        """Say what a query gives from now on, at any moment."""
        with self._lock:
            self._told[query] = Series(samples)

    def break_down(self, error: ReconcilerError | None) -> None:
        """Answer everything with this error, until it is None again."""
        with self._lock:
            self._broken = error

    def query(self, text: str, at: datetime) -> Series:  # noqa: ARG002 - what is told holds at any moment
        with self._answering():
            return self._told.get(text, Series())

    def counts(self, arm: Arm, window: Window, reporter: Reporter) -> Counts:
        with self._answering():
            errors = self._grown(arm, window, reporter, _FAILED)
            requests = errors + self._grown(arm, window, reporter, _OK)
            return Counts(requests, errors, self._newest(arm, window.closes, reporter))

    def durations(self, arm: Arm, window: Window, reporter: Reporter) -> Durations:
        with self._answering():
            newest = self._newest(arm, window.closes, reporter)
            buckets = tuple((bound, self._grown(arm, window, reporter, bound)) for bound in BOUNDS)
            return Durations(buckets if newest else (), newest)

    def close(self) -> None:
        """Nothing is kept open."""

    @contextmanager
    def _answering(self) -> Iterator[None]:
        with self._lock:
            if self._broken is not None:
                raise self._broken
            yield

    def _add(self, traffic: Traffic, name: str | float, requests: int) -> None:
        past = self._counters[traffic, name]
        past.put(self._clock.now(), past.now + requests)

    def _grown(self, arm: Arm, window: Window, reporter: Reporter, name: str | float) -> int:
        return sum(
            self._growth(traffic, past, window)
            for (traffic, what), past in self._counters.items()
            if what == name and traffic.of(arm, reporter)
        )

    def _growth(self, traffic: Traffic, past: _Past, window: Window) -> int:
        """Return the growth of a counter: none where it was set back, nor where its process was not seen at the opening."""
        now = self._value(traffic, past, window.closes)
        if now is None or not self._seen[traffic.instance].at(window.opens):
            return 0
        return max(0, now - (past.at(window.opens) or 0))

    def _value(self, traffic: Traffic, past: _Past, moment: datetime) -> int | None:
        return past.at(moment) if self._seen[traffic.instance].at(moment) else None

    def _newest(self, arm: Arm, moment: datetime, reporter: Reporter) -> datetime | None:
        """Return when an arm's counters were last seen: at any moment, as long as they are there."""
        found = (one for one in self._counters.items() if one[0][0].of(arm, reporter))
        return moment if any(self._value(traffic, past, moment) is not None for (traffic, _), past in found) else None
