"""What weakens or voids a prediction."""

from typing import Any

import pytest

from reconciler.core.caveats import Caveat, caveats
from reconciler.core.resources import Document, Pod
from tests.core.meshes import entry, namespace, pod, record, rule, vm, world

HOST = "billing.internal"
ROUND_ROBIN = {"loadBalancer": {"simple": "ROUND_ROBIN"}}
EJECTING = {**ROUND_ROBIN, "outlierDetection": {"consecutive5xxErrors": 5}}
NEAR, FAR = (vm(f"vm{zone}", f"10.0.0.{zone}", locality=f"eu/eu-{zone}") for zone in (1, 2))


def found(*documents: Document, pods: tuple[Pod, ...] = (), policy: Any = ROUND_ROBIN) -> dict[str, Caveat]:
    """The caveats on billing's port by code, those on health aside."""
    seen = world(entry(app="billing"), rule(trafficPolicy=policy), *documents, pods=pods)
    members = [member for _, member in seen.endpoints("shop", HOST, 80)]
    every = {one.code: one for one in caveats(seen, "shop", HOST, 80, members)}
    return {code: one for code, one in every.items() if code != "health-unknown"}


def test_nothing_weakens_round_robin_over_well_known_vms() -> None:
    """Weights are followed."""
    assert found(NEAR, FAR) == {}


def test_outlier_detection_over_unlike_localities_voids() -> None:
    """It turns locality failover on: the fix is named. Like localities, or failover off, are fine."""
    caveat = found(NEAR, FAR, policy=EJECTING)["locality-failover"]
    assert caveat.voids
    assert "localityLbSetting.enabled: false" in caveat.fix
    assert str(caveat).startswith("locality-failover: ")
    assert str(caveat).endswith(f"; {caveat.fix}")
    like = vm("vm3", "10.0.0.3", locality="eu/eu-1")
    assert found(NEAR, like, policy=EJECTING) == {}
    off = {**EJECTING, "loadBalancer": {"simple": "ROUND_ROBIN", "localityLbSetting": {"enabled": False}}}
    assert found(NEAR, FAR, policy=off) == {}


def test_pods_are_in_localities_that_nobody_reads() -> None:
    """So they are unlike every VM's."""
    assert found(NEAR, pods=(pod("p1"),), policy=EJECTING)["locality-failover"].voids


def test_an_annotation_does_what_outlier_detection_does() -> None:
    """Istio's traffic distribution."""
    annotated = entry(app="billing")
    annotated["metadata"]["annotations"] = {"networking.istio.io/traffic-distribution": "PreferClose"}
    seen = world(annotated, NEAR, FAR)
    members = [member for _, member in seen.endpoints("shop", HOST, 80)]
    assert "locality-failover" in {one.code for one in caveats(seen, "shop", HOST, 80, members)}


def test_distribute_voids() -> None:
    """Weights count only inside a locality."""
    policy = {
        "loadBalancer": {"simple": "ROUND_ROBIN", "localityLbSetting": {"distribute": [{"from": "eu/*", "to": {"eu/*": 100}}]}}
    }
    assert found(NEAR, FAR, policy=policy)["locality-distribute"].voids


@pytest.mark.parametrize(
    ("balancer", "code", "voids"),
    [
        ({}, "least-request", False),
        ({"simple": "LEAST_REQUEST"}, "least-request", False),
        ({"simple": "RANDOM"}, "random", False),
        ({"simple": "PASSTHROUGH"}, "passthrough", True),
        ({"consistentHash": {"useSourceIp": True}}, "consistent-hash", False),
        ({"simple": "ROUND_ROBIN", "warmup": {"duration": "60s"}}, "warmup", False),
        ({"simple": "ROUND_ROBIN", "warmupDurationSecs": "60s"}, "warmup", False),
    ],
)
def test_balancers(balancer: Any, code: str, voids: Any) -> None:
    """Istio's default is least request, which makes every prediction approximate."""
    caveat = found(NEAR, FAR, policy={"loadBalancer": balancer})[code]
    assert caveat.voids is voids
    assert "DestinationRule" in caveat.fix


def test_a_ports_own_policy_covers_the_hosts() -> None:
    """Only for that port."""
    policy = {"loadBalancer": {}, "portLevelSettings": [{"port": {"number": 80}, **ROUND_ROBIN}]}
    assert found(NEAR, FAR, policy=policy) == {}


def test_one_endpoint_gets_everything_whatever_the_balancer() -> None:
    """Nothing to divide."""
    assert found(NEAR, policy={}) == {}


def test_dns_networks_ambient_and_topology() -> None:
    """Each has its note, with what ends it, and none is a reason to hold a change."""
    dns = world(entry(resolution="DNS"))
    members = [member for _, member in dns.endpoints("shop", HOST, 80)]
    assert [one.code for one in caveats(dns, "shop", HOST, 80, members)] == ["dns"]
    assert "set the network" in found(NEAR, vm("vm2", "10.0.0.2", network="other"))["multi-network"].fix
    ambient = namespace()
    ambient["metadata"]["labels"] = {"istio.io/dataplane-mode": "ambient"}
    assert "waypoint" in found(NEAR, ambient)["ambient"].fix
    assert not any(one.voids or not one.fix for one in found(NEAR, ambient).values())
    by_zone = entry(workloadSelector={"labels": {"topology.kubernetes.io/region": "eu"}})
    zoned = world(by_zone, NEAR)
    members = [member for _, member in zoned.endpoints("shop", HOST, 80)]
    assert "pod-topology" in {one.code for one in caveats(zoned, "shop", HOST, 80, members)}


def test_health_is_told() -> None:
    """How many nobody reports, and how many are reported ill; Pods that are ready are well."""
    ill = record(FAR, health="unhealthy", address="10.0.0.2")
    seen = world(entry(app="billing"), NEAR, FAR, ill, pods=[pod("p1")])
    members = [member for _, member in seen.endpoints("shop", HOST, 80)]
    texts = {one.code: one.text for one in caveats(seen, "shop", HOST, 80, members)}
    assert texts["health-unknown"] == "nobody reports the health of 1 of 3 endpoints; they count"
    assert texts["unhealthy"] == "1 of 3 endpoints are reported unhealthy and still get their share"
