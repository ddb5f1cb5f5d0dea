"""Load balancing."""

from typing import Any

import pytest

from tests.core.validation.samples import said

PATH = "spec.trafficPolicy.loadBalancer"


def balancer(*, outlier: bool = True, **parts: Any) -> list[str]:
    """Return what is said of a load balancer, paths relative to it."""
    policy = {"loadBalancer": parts, **({"outlierDetection": {}} if outlier else {})}
    return [line.replace(PATH, "") for line in said("DestinationRule", {"host": "a.example.com", "trafficPolicy": policy})]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"simple": "RANDOM"}, []),
        ({"simple": "RANDOM", "consistentHash": {"useSourceIp": True}}, ["MR2062 "]),
        ({"consistentHash": {"useSourceIp": True, "httpHeaderName": "x"}}, ["MR2062 .consistentHash"]),
        ({"consistentHash": {"ringHash": {}, "maglev": {"tableSize": 101}}}, ["MR2062 .consistentHash"]),
        ({"consistentHash": {"httpCookie": {"name": "c", "ttl": "0s"}}}, []),
        ({"consistentHash": {"httpCookie": {}}}, ["MR2304 .consistentHash.httpCookie.name"]),
        ({"consistentHash": {"httpCookie": {"name": "c", "ttl": "x"}}}, ["MR2051 .consistentHash.httpCookie.ttl"]),
        (
            {"consistentHash": {"httpCookie": {"name": "c", "attributes": [{"name": "a"}, {"name": "a"}, {}]}}},
            ["MR2304 .consistentHash.httpCookie.attributes[1].name", "MR2304 .consistentHash.httpCookie.attributes[2].name"],
        ),
        ({"consistentHash": {"minimumRingSize": 8}}, ["warning MR2066 .consistentHash.minimumRingSize"]),
        (
            {"consistentHash": {"minimumRingSize": 8, "ringHash": {}}},
            ["warning MR2066 .consistentHash.minimumRingSize", "MR2062 .consistentHash.minimumRingSize"],
        ),
        ({"warmup": {}}, ["MR2063 .warmup.duration"]),
        ({"warmup": {"duration": "10s", "minimumPercent": 101}}, ["MR2064 .warmup.minimumPercent"]),
        ({"warmup": {"duration": "10s", "aggression": 0}}, ["MR2064 .warmup.aggression"]),
        ({"warmupDurationSecs": "0s"}, ["MR2052 .warmupDurationSecs"]),
        ({"backendUtilization": {"weightUpdatePeriod": "x"}}, ["MR2051 .backendUtilization.weightUpdatePeriod"]),
        ({"localityLbSetting": {}, "zoneAwareLbSetting": {}}, ["MR2062 "]),
    ],
)
def test_rules(parts: dict[str, Any], expected: list[str]) -> None:
    """One way to balance, one to hash, and complete settings."""
    assert balancer(**parts) == expected


@pytest.mark.parametrize(
    ("size", "fine"), [(1, True), (2, True), (65537, True), (4999999, True), (0, False), (9, False), (5000011, False)]
)
def test_maglev_tables_have_a_prime_size(size: int, fine: bool) -> None:  # noqa: FBT001
    """Below Envoy's limit; 1 counts as prime there."""
    expected = [] if fine else ["MR2305 .consistentHash.maglev.tableSize"]
    assert balancer(consistentHash={"useSourceIp": True, "maglev": {"tableSize": size}}) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ({"failover": [{"from": "eu", "to": "us"}]}, []),
        ({"failover": [{"from": "eu", "to": "eu"}]}, ["MR2306 .localityLbSetting.failover[0]"]),
        ({"failover": [{"from": "eu/a", "to": "us"}]}, ["MR2306 .localityLbSetting.failover[0]"]),
        ({"failover": [{"from": "eu", "to": "*"}]}, ["MR2306 .localityLbSetting.failover[0]"]),
        (
            {"failover": [{"from": "eu", "to": "us"}], "failoverPriority": ["topology.kubernetes.io/zone"]},
            ["MR2306 .localityLbSetting.failoverPriority"],
        ),
        (
            {"failover": [{"from": "eu", "to": "us"}], "distribute": [{"from": "eu", "to": {"us": 100}}]},
            ["MR2062 .localityLbSetting"],
        ),
        ({"distribute": [{"from": "eu", "to": {"eu": 70, "us": 30}}]}, []),
        ({"distribute": [{"from": "eu", "to": {"eu": 70, "us": 20}}]}, ["MR2306 .localityLbSetting.distribute[0].to"]),
        ({"distribute": [{"from": "eu", "to": {"eu": 100, "us": 0}}]}, ["MR2306 .localityLbSetting.distribute[0].to"]),
    ],
)
def test_localities(setting: dict[str, Any], expected: list[str]) -> None:
    """Failover between regions, or shares that add up."""
    assert balancer(localityLbSetting=setting) == expected


def test_failover_needs_outlier_detection() -> None:
    """Without it nobody notices that endpoints fail."""
    failover = {"failover": [{"from": "eu", "to": "us"}]}
    assert balancer(outlier=False, localityLbSetting=failover) == ["warning MR2307 .localityLbSetting"]
    assert balancer(outlier=False, zoneAwareLbSetting=failover) == ["warning MR2307 .zoneAwareLbSetting"]


def test_zone_aware_balancing_knows_zones_by_itself() -> None:
    """Labels of the topology say nothing more, and a cluster has a size."""
    setting = {"failoverPriority": ["topology.istio.io/subzone"], "minClusterSize": 0}
    assert balancer(zoneAwareLbSetting=setting) == [
        "MR2306 .zoneAwareLbSetting.failoverPriority",
        "MR2064 .zoneAwareLbSetting.minClusterSize",
    ]
