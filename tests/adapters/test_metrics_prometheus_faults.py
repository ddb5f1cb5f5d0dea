"""What is made of answers that are none, from whoever sits at Prometheus' address."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.adapters.metrics_prometheus import PrometheusMetrics, PrometheusSettings
from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.spec import Reporter
from reconciler.errors import InvalidInput, Rejected, Unavailable
from tests.adapters.canned_http import CannedServer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ARM, WINDOW = Arm(("billing.shop.internal",)), Window(NOON - timedelta(minutes=1), NOON)


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """A server that answers as it is told."""
    with CannedServer() as one:
        yield one


def metrics(server: CannedServer, **settings: Any) -> PrometheusMetrics:
    """Return metrics from that server."""
    return PrometheusMetrics(PrometheusSettings(server.url, **settings))


def success(result: object, kind: str = "vector", **more: object) -> bytes:
    """Return an answer of Prometheus."""
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}).encode()


def one(value: object, **labels: str) -> dict[str, object]:
    """Return a series of one sample."""
    return {"metric": labels, "value": [NOON.timestamp(), value]}


def test_queries_are_posted_with_their_moment(server: CannedServer) -> None:
    """To the API under the URL of the settings; no query stands in a path."""
    server.answers(200, success([one("3", job="a")]))
    path = PrometheusMetrics(PrometheusSettings(f"{server.url}/prometheus/", timeout=timedelta(seconds=7)))
    (sample,) = path.query('up{a="b&c"}', NOON).samples
    assert (sample.value, sample.at, sample.labels) == (3, NOON, {"job": "a"})
    (asked,) = server.asked
    assert asked.path == "/prometheus/api/v1/query"
    assert parse_qs(asked.body.decode()) == {"query": ['up{a="b&c"}'], "time": ["1772452800.000"], "timeout": ["7s"]}
    assert "authorization" not in asked.headers


def test_the_token_is_read_for_every_query(server: CannedServer, tmp_path: Path) -> None:
    """It may be renewed at any time; without it nothing is asked."""
    server.answers(200, success([]))
    token = tmp_path / "token"
    for word in ("first", "second"):
        token.write_text(f"{word}\n")
        metrics(server, token_file=token).query("up", NOON)
        assert server.asked[-1].headers["authorization"] == f"Bearer {word}"
    token.unlink()
    with pytest.raises(InvalidInput, match=r"the token in .* cannot be read"):
        metrics(server, token_file=token).query("up", NOON)
    assert len(server.asked) == 2


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"", "status 500 and no JSON object"),
        (302, b"", "status 302 and no JSON object"),
        (200, b"", "no JSON object"),
        (200, b"<html>please log in</html>", "no JSON object"),
        (200, b"[1]", "no JSON object"),
        (200, b"[" * 100_000, "no JSON object"),
        (200, b"\xff\xfe", "no JSON object"),
        (200, b"{}", "status 200: no reason given"),
        (200, b'{"status": "success"}', "a form that is not its own"),
        (200, b'{"status": "success", "data": []}', "a form that is not its own"),
        (302, success([one("1")]), "status 302"),
        (503, success([one("1")]), "status 503"),
        (401, b'{"status": "error", "error": "who are you?"}', r"status 401: who are you\?"),
        (200, b'{"status": "error", "error": "query timed out"}', "query timed out"),
        (200, success([one("1")], warnings=["store 3 is down"]), "may not be whole: .*store 3 is down"),
        (200, success([one(None)]), "a sample that is none"),
        (200, success([one(1)]), "a sample that is none"),
        (200, success([{"metric": {}, "histogram": [1, {}]}]), "a sample that is none"),
        (200, success([{"metric": {}}]), "a sample that is none"),
        (200, success(None), "a form that is not its own"),
        (200, success([one("much")]), "much in place of a number"),
    ],
)
def test_no_answer_is_made_of_what_is_none(server: CannedServer, status: int, body: bytes, why: str) -> None:
    """Neither a zero nor an empty result."""
    server.answers(status, body)
    with pytest.raises(Unavailable, match=why):
        metrics(server).query("up", NOON)


@pytest.mark.case("C-03")
@pytest.mark.parametrize("status", [400, 422])
def test_a_bad_query_is_refused(server: CannedServer, status: int) -> None:
    """With Prometheus' own words, as one printable line."""
    server.answers(status, json.dumps({"status": "error", "error": "parse error:\n\u001b[31mat 3" + "x" * 1000}).encode())
    with pytest.raises(Rejected, match=r"refuses the query: parse error: \[31mat 3x+$") as refused:
        metrics(server).query("up(", NOON)
    assert refused.value.status == status
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("kind", ["matrix", "string"])
def test_a_result_of_another_kind_is_refused(server: CannedServer, kind: str) -> None:
    """A range is no value."""
    server.answers(200, success([], kind))
    with pytest.raises(Rejected, match=f"gives a {kind}"):
        metrics(server).query("up[5m]", NOON)


def test_a_text_that_cannot_be_sent_is_refused(server: CannedServer) -> None:
    """A half of a surrogate pair is no text."""
    with pytest.raises(Rejected, match="no valid text"):
        metrics(server).query('up{a="\ud800"}', NOON)
    assert server.asked == []


@pytest.mark.case("C-03")
@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1"])
def test_a_count_that_is_none_is_no_count(server: CannedServer, value: str) -> None:
    """The time of the newest sample may be asked first; it is no number then either."""
    server.answers(200, success([one(value)]))
    with pytest.raises(Unavailable):
        metrics(server).counts(ARM, WINDOW, Reporter.SOURCE)


def test_a_histogram_without_end_is_refused(server: CannedServer) -> None:
    """Without the bucket of all requests nobody knows how many there were."""
    server.answers(200, success([one("5", le="10"), one("7", le="50")]))
    with pytest.raises(Rejected, match=r"no bucket \+Inf"):
        metrics(server).durations(ARM, WINDOW, Reporter.SOURCE)
    server.answers(200, success([one("5", le="10"), one("7")]))
    with pytest.raises(Unavailable, match="in place of a number"):
        metrics(server).durations(ARM, WINDOW, Reporter.SOURCE)


@pytest.mark.case("W-14")
def test_a_name_that_leads_to_loopback_needs_its_network_opened(server: CannedServer) -> None:
    """An operator who writes the address means it; one who writes a name may not know where it leads."""
    server.answers(200, success([]))
    local = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(InvalidInput, match="closed network"):
        PrometheusMetrics(PrometheusSettings(local)).query("up", NOON)
    assert server.asked == []
    PrometheusMetrics(PrometheusSettings(local, networks=("127.0.0.0/8", "::1/128"))).query("up", NOON)
    with pytest.raises(InvalidInput, match="must begin with http"):
        PrometheusMetrics(PrometheusSettings("file:///etc/passwd"))
