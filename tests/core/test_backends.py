"""Members and what picks them."""

from typing import Any

import pytest

from reconciler.core.backends import Backend, Member, Platform
from reconciler.core.istio import HEALTH_CHECKED, ServiceEntry, WorkloadEntry
from reconciler.core.resources import Document
from tests.core.meshes import entry, pod, record, service, vm

CLUSTER = "Kubernetes"


def member(document: Document, of_record: Document | None = None) -> Member | None:
    """The member that a WorkloadEntry is."""
    return Member.of_workload(WorkloadEntry.of(document), of_record, CLUSTER)


def checked(document: Document, healthy: str = "") -> Document:
    """The WorkloadEntry with health checks on, and what its condition says."""
    metadata = {**document["metadata"], "annotations": {HEALTH_CHECKED: "true"}}
    conditions = [{"type": "Healthy", "status": healthy}] if healthy else []
    return {**document, "metadata": metadata, "status": {"conditions": conditions}}


@pytest.mark.parametrize(
    ("health", "address", "expected"),
    [
        ("", "", None),
        ("unknown", "", None),
        ("healthy", "10.0.0.1", True),
        ("unhealthy", "10.0.0.1", False),
        ("healthy", "10.0.0.9", False),
        ("", "10.0.0.9", False),
    ],
)
def test_a_report_counts_only_for_the_address_it_came_from(health: str, address: str, expected: Any) -> None:
    """Unknown counts as unknown; a report from elsewhere makes the address in Git unhealthy."""
    one = vm("vm1", "10.0.0.1")
    found = member(one, record(one, health=health, address=address))
    assert found is not None
    assert found.healthy is expected


def test_one_address_may_be_written_in_two_ways() -> None:
    """IPv6 addresses are compared as addresses."""
    one = vm("vm1", "2001:db8:0:0::1")
    found = member(one, record(one, health="healthy", address="2001:db8::1"))
    assert found is not None
    assert found.healthy is True


def test_the_condition_counts_only_with_the_annotation() -> None:
    """Checked and not healthy: no member at all; checked and healthy: healthy; not checked: unknown."""
    one = vm("vm1", "10.0.0.1")
    assert member(checked(one)) is None
    assert member(checked(one, "False")) is None
    found = member(checked(one, "True"))
    assert found is not None
    assert found.healthy is True


def test_weights_of_nothing_zero_and_pods_are_one() -> None:
    """As in Envoy's arithmetic."""
    weights = [member(vm("vm1", "10.0.0.1", weight=weight)) for weight in (None, 0, 7)]
    assert [one.weight for one in weights if one] == [1, 1, 7]
    assert Member.of_pod(pod("p1"), CLUSTER).weight == 1


def test_static_drops_names_and_dns_takes_them() -> None:
    """A WorkloadEntry whose address is a name is never an endpoint of a STATIC service."""
    named, plain = member(vm("vm1", "db.example.com")), member(vm("vm2", "10.0.0.2"))
    assert named
    assert plain
    static, dns = (
        Backend.of_entry(ServiceEntry.of(entry(app="billing", resolution=one)), CLUSTER) for one in ("STATIC", "DNS")
    )
    assert [static.picks(named), static.picks(plain)] == [False, True]
    assert [dns.picks(named), dns.picks(plain)] == [True, True]
    assert not Backend.of_service(service()).picks(named)


def test_labels_that_istiod_adds_can_be_selected() -> None:
    """Locality, network and cluster."""
    found = member(vm("vm1", "10.0.0.1", locality="eu/eu-1/a", network="n1"))
    assert found
    for name, value in (
        ("topology.kubernetes.io/region", "eu"),
        ("topology.istio.io/network", "n1"),
        ("topology.istio.io/cluster", CLUSTER),
    ):
        selecting = entry(workloadSelector={"labels": {"app": "billing", name: value}})
        assert Backend.of_entry(ServiceEntry.of(selecting), CLUSTER).picks(found)


def test_a_service_leaves_out_who_lacks_the_named_port() -> None:
    """A numeric target port is on everybody, a named one only where it is mapped."""
    with_port, without = member(vm("vm1", "10.0.0.1", ports={"web": 8080})), member(vm("vm2", "10.0.0.2"))
    assert with_port
    assert without
    named, numeric = Backend.of_service(service(target="web")), Backend.of_service(service(target=8080))
    assert [named.serves(80, with_port), named.serves(80, without)] == [True, False]
    assert [numeric.serves(80, with_port), numeric.serves(81, with_port)] == [True, False]


def test_services_without_listed_endpoints_have_one_of_a_kind() -> None:
    """DNS resolves its host, NONE goes where the client meant to go; a selector takes the place of the host."""
    cases = [entry(resolution="DNS"), entry(resolution="NONE"), entry(resolution="DNS", app="billing")]
    found = [[one.platform for one in Backend.of_entry(ServiceEntry.of(each), CLUSTER).members] for each in cases]
    assert found == [[Platform.HOST], [Platform.HOST], []]
