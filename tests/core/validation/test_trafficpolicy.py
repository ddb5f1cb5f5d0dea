"""Traffic policies and their parts."""

from typing import Any

import pytest

from tests.core.validation.samples import said

POLICY = "spec.trafficPolicy"


def policy(**parts: Any) -> list[str]:
    """Return what is said of a traffic policy."""
    return said("DestinationRule", {"host": "a.example.com", "trafficPolicy": parts})


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, [f"MR2301 {POLICY}"]),
        ({"loadBalancer": {}}, []),
        ({"proxyProtocol": {"version": "V2"}}, []),
        ({"retryBudget": {"percent": 20, "budgetInterval": "0s"}}, []),
        ({"retryBudget": {"percent": 101}}, [f"MR2064 {POLICY}.retryBudget.percent"]),
        ({"tunnel": {"targetHost": "a.b", "targetPort": 443}}, []),
        ({"tunnel": {"targetHost": "::1", "targetPort": 443, "protocol": "POST"}}, []),
        ({"tunnel": {"targetHost": "a.b", "targetPort": 443}, "proxyProtocol": {}}, [f"MR2062 {POLICY}"]),
        ({"tunnel": {"targetHost": "a_b", "protocol": "GET"}}, [
            f"MR2309 {POLICY}.tunnel.protocol", f"MR2309 {POLICY}.tunnel.targetHost", f"MR2021 {POLICY}.tunnel.targetPort",
        ]),
        ({"portLevelSettings": [{"port": {"number": 80}}]}, [f"MR2301 {POLICY}.portLevelSettings[0]"]),
        ({"portLevelSettings": [{"tls": {}}]}, [f"MR2063 {POLICY}.portLevelSettings[0].port"]),
    ],
)  # fmt: skip
def test_policies(parts: dict[str, Any], expected: list[str]) -> None:
    """A policy sets something, and its parts do not contradict each other."""
    assert policy(**parts) == expected


@pytest.mark.parametrize(
    ("outlier", "expected"),
    [
        ({"splitExternalLocalOriginErrors": True, "consecutiveLocalOriginFailures": 3}, []),
        ({"consecutiveLocalOriginFailures": 3}, ["MR2303 consecutiveLocalOriginFailures"]),
        ({"interval": "0s"}, ["MR2052 interval"]),
        ({"baseEjectionTime": "soon"}, ["MR2051 baseEjectionTime"]),
        ({"maxEjectionPercent": 101}, ["MR2064 maxEjectionPercent"]),
        ({"minHealthPercent": -1}, ["MR2064 minHealthPercent"]),
        ({"outlierDetectionHttpErrorCodes": [500, 600]}, ["MR2064 outlierDetectionHttpErrorCodes[1]"]),
    ],
)
def test_outlier_detection(outlier: dict[str, Any], expected: list[str]) -> None:
    """Percentages, durations, and what is counted."""
    assert policy(outlierDetection=outlier) == [line.replace(" ", f" {POLICY}.outlierDetection.") for line in expected]


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ({}, ["MR2301 "]),
        ({"http": {}, "tcp": {}}, []),
        ({"http": {"maxRetries": -1, "http2MaxRequests": -1}}, ["MR2064 .http.http2MaxRequests", "MR2064 .http.maxRetries"]),
        ({"http": {"h2UpgradePolicy": "UPGRADE", "useClientProtocol": True}}, ["MR2062 .http"]),
        ({"http": {"h2UpgradePolicy": "MAYBE"}}, ["MR2067 .http.h2UpgradePolicy"]),
        ({"http": {"http2KeepAlive": {"interval": "1s"}}}, ["MR2063 .http.http2KeepAlive.timeout"]),
        ({"http": {"idleTimeout": "0s"}}, ["MR2052 .http.idleTimeout"]),
        ({"tcp": {"maxConnections": -1}}, ["MR2064 .tcp.maxConnections"]),
        ({"tcp": {"tcpKeepalive": {"time": "x"}}}, ["MR2051 .tcp.tcpKeepalive.time"]),
    ],
)
def test_connection_pools(pool: dict[str, Any], expected: list[str]) -> None:
    """Counts that are not negative, durations, and HTTP/2 settings that go together."""
    assert policy(connectionPool=pool) == [line.replace(" ", f" {POLICY}.connectionPool") for line in expected]
