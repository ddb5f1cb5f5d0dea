"""Metrics from Prometheus' HTTP API, or from whatever speaks it (Thanos, Mimir, VictoriaMetrics).

See https://prometheus.io/docs/prometheus/latest/querying/api/: only instant queries are asked, by POST, so that no query stands
in the log of a proxy.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from reconciler.adapters.outbound.addresses import Allowed, route
from reconciler.adapters.outbound.exchange import Limits, Received, exchange
from reconciler.adapters.outbound.tokens import bearer
from reconciler.core.gates import measuring
from reconciler.core.gates.answers import Arm, Counts, Durations, Sample, Series, Window
from reconciler.core.gates.spec import Reporter
from reconciler.errors import Rejected, Unavailable

#: The largest answer that is read, in bytes. A gate's answer has one series, an arm's durations some twenty.
LONGEST = 1 << 20
#: Of what Prometheus says, so much is passed on.
LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """Where Prometheus is, what it wants to see, and how long it may take.

    `url` is what the API's paths are added to. `token_file` holds a bearer token and is read for every query, `ca_file` the
    authorities of its certificate instead of the system's. A name that leads to loopback or the like is refused unless
    `networks` opens that network; an address in the URL is meant as it stands.
    """

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=10)
    networks: tuple[str, ...] = ()


class PrometheusMetrics:
    """`ports.Metrics`. Keeps no connection between queries, which are few."""

    def __init__(self, settings: PrometheusSettings) -> None:
        """Raises InvalidInput for a URL or network that is none."""
        self._settings = settings
        self._url = f"{settings.url.rstrip('/')}/api/v1/query"
        self._allowed = Allowed.of([settings.url], settings.networks)
        self._limits = Limits(settings.timeout.total_seconds(), LONGEST)

    def query(self, text: str, at: datetime) -> Series:
        form = {"query": text, "time": f"{at.timestamp():.3f}", "timeout": f"{self._limits.seconds:g}s"}
        try:
            body = urlencode(form).encode()
        except UnicodeEncodeError as error:
            raise Rejected("the query is no valid text") from error
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            **bearer(self._settings.token_file),
        }
        received = exchange(route(self._url, self._allowed), "POST", body, headers, self._limits, self._settings.ca_file)
        return _series(_data(received))

    def counts(self, arm: Arm, window: Window, reporter: Reporter) -> Counts:
        newest = self._newest(measuring.newest(arm, reporter), window.closes)
        if newest is None:
            return Counts(0, 0, None)
        requests = self._sum(measuring.requests(arm, window, reporter), window.closes)
        errors = self._sum(measuring.errors(arm, window, reporter), window.closes)
        return Counts(requests, min(errors, requests), newest)

    def durations(self, arm: Arm, window: Window, reporter: Reporter) -> Durations:
        newest = self._newest(measuring.newest(arm, reporter, measuring.DURATIONS), window.closes)
        samples = self.query(measuring.durations(arm, window, reporter), window.closes).samples
        if newest is None or not samples:
            return Durations((), newest)
        buckets = sorted((_number(one.labels.get("le")), _whole(one.value)) for one in samples)
        if buckets[-1][0] != math.inf:
            raise Rejected("the histogram of durations has no bucket +Inf")
        return Durations(tuple(buckets), newest)

    def close(self) -> None:
        """Nothing is kept open."""

    def _newest(self, query: str, at: datetime) -> datetime | None:
        samples = self.query(query, at).samples
        return _moment(samples[0].value) if samples else None

    def _sum(self, query: str, at: datetime) -> int:
        samples = self.query(query, at).samples
        return _whole(samples[0].value) if samples else 0


def _data(received: Received) -> Mapping[str, Any]:
    """Return the data of an answer. Raises Rejected where the query is bad, Unavailable for all else but a whole answer."""
    try:
        answer = json.loads(received.body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Unavailable(f"Prometheus answered with status {received.status} and no JSON object; is it Prometheus?")
    if received.status in (400, 422):
        raise Rejected(f"Prometheus refuses the query: {_said(answer.get('error'))}", status=received.status)
    if received.status != 200 or answer.get("status") != "success":
        raise Unavailable(f"Prometheus answered with status {received.status}: {_said(answer.get('error'))}")
    if answer.get("warnings"):
        raise Unavailable(f"Prometheus warns that its answer may not be whole: {_said(answer['warnings'])}")
    data = answer.get("data")
    return data if isinstance(data, dict) else {}


def _series(data: Mapping[str, Any]) -> Series:
    match data:
        case {"resultType": "vector", "result": list(found)}:
            return Series(tuple(_sample(one) for one in found))
        case {"resultType": "scalar", "result": list(value)}:
            return Series((_sample({"metric": {}, "value": value}),))
        case {"resultType": "matrix" | "string" as kind}:
            raise Rejected(f"the query gives a {kind}, not one number for each series")
    raise Unavailable("Prometheus answered in a form that is not its own")


def _sample(one: Any) -> Sample:
    match one:
        case {"metric": dict(labels), "value": [int() | float() as at, str(value)]}:
            return Sample(_number(value), _moment(at), labels)
    raise Unavailable("Prometheus answered with a sample that is none (a native histogram, or null)")


def _moment(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unavailable(f"Prometheus answered with {seconds} in place of a time") from error


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError as error:
        raise Unavailable(f"Prometheus answered with {_said(text)} in place of a number") from error


def _whole(value: float) -> int:
    """Return a count. The sum of whole numbers is whole, up to the last digits of a float."""
    if not math.isfinite(value) or value < 0:
        raise Unavailable(f"Prometheus answered with {value} in place of a count")
    return round(value)


def _said(text: object) -> str:
    """Return a foreign text as one printable line of bounded length."""
    line = "".join(one if one.isprintable() else " " for one in str(text or "no reason given")[:LONGEST_TEXT])
    return " ".join(line.split())
