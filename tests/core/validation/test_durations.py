"""Durations as Go writes them."""

import pytest

from reconciler.core.validation.durations import nanoseconds
from tests.core.validation.samples import ROUTE, changed, said

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("0", 0),
        ("5s", 5 * SECOND),
        ("1h2m3.5s", 3723 * SECOND + SECOND // 2),
        ("1.5ms", 1_500_000),
        (".5s", SECOND // 2),
        ("3.s", 3 * SECOND),
        ("-2us", -2000),
        ("+1µs", 1000),
        ("0s", 0),
    ],
)
def test_durations(duration: str, expected: int) -> None:
    """Numbers with units, one after the other."""
    assert nanoseconds(duration) == expected


@pytest.mark.parametrize(
    "duration", ["", "-", "5", "s", ".s", "1d", "1 s", "1s ", "1s\n", "1e3s", "1sm", "300000000h", "9" * 100 + "s", "٣s"]
)
def test_no_durations(duration: str) -> None:
    """Without units, with other ones, or beyond what 64 bits of nanoseconds hold."""
    assert nanoseconds(duration) is None


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        ("1ms", []),
        ("tomorrow", ["MR2051"]),
        ("0s", ["MR2052"]),
        ("-1s", ["MR2052"]),
        ("999us", ["MR2052"]),
        ("1.5ms", ["MR2053"]),
    ],
)
def test_most_durations_are_whole_milliseconds(timeout: str, expected: list[str]) -> None:
    """At least one, and no parts of one."""
    spec = {"hosts": ["a.example.com"], "http": [{**ROUTE, "timeout": timeout}]}
    assert said("VirtualService", spec) == [f"{code} spec.http[0].timeout" for code in expected]


@pytest.mark.parametrize(
    ("timeout", "expected"), [("0s", []), ("500us", []), ("-1ns", []), ("x", ["MR2051"]), ("1.5ms", ["MR2053"])]
)
def test_an_idle_timeout_can_be_switched_off(timeout: str, expected: list[str]) -> None:
    """Whatever rounds to 0 milliseconds is 0 for TCP connections."""
    policy = {"connectionPool": {"tcp": {"idleTimeout": timeout}}}
    said_of = said("DestinationRule", changed("DestinationRule", trafficPolicy=policy))
    assert said_of == [f"{code} spec.trafficPolicy.connectionPool.tcp.idleTimeout" for code in expected]


@pytest.mark.parametrize(("age", "expected"), [("24h", []), ("1500ms", ["MR2053"]), ("1.5us", ["MR2052"])])
def test_a_cors_policy_lives_for_whole_seconds(age: str, expected: list[str]) -> None:
    """Browsers count in seconds."""
    spec = {"hosts": ["a.example.com"], "http": [{**ROUTE, "corsPolicy": {"maxAge": age}}]}
    assert said("VirtualService", spec) == [f"{code} spec.http[0].corsPolicy.maxAge" for code in expected]
