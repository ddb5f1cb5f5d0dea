"""What each resolution of a ServiceEntry allows."""

from typing import Any

import pytest

from tests.core.validation.samples import HTTP, TCP, changed, said

VM = {"address": "10.0.0.1", "ports": {"http": 8080}}


def inline(resolution: str | None, *endpoints: Any, **fields: Any) -> list[str]:
    """Return what is said of a ServiceEntry with inline endpoints."""
    given = {"workloadSelector": None, "endpoints": list(endpoints) or None, "resolution": resolution}
    return said("ServiceEntry", changed("ServiceEntry", **{**given, **fields}))


@pytest.mark.case("M-13")
def test_none_takes_no_endpoints() -> None:
    """Traffic goes where the client sent it: endpoints are refused, even an empty list, and a selector is pointless."""
    assert inline(None, VM) == ["MR2101 spec.endpoints"]
    assert inline("NONE", endpoints=[]) == ["MR2101 spec.endpoints"]
    assert said("ServiceEntry", changed("ServiceEntry", resolution="NONE")) == ["warning MR2105 spec.workloadSelector"]
    assert inline("NONE", addresses=["10.0.0.0/8"]) == []


@pytest.mark.case("M-13")
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (VM, []),
        ({"address": "unix:///run/x"}, []),
        ({"network": "vms"}, ["warning MR2202 spec.endpoints[0].address"]),
        ({}, ["MR2201 spec.endpoints[0].address"]),
        ({"address": ""}, ["MR2201 spec.endpoints[0].address"]),
        ({"address": "a.example.com"}, ["MR2011 spec.endpoints[0].address"]),
        ({"address": "unix://x"}, ["MR2013 spec.endpoints[0].address"]),
        ({"address": "unix:///x", "ports": {}}, ["MR2013 spec.endpoints[0].ports"]),
        ({**VM, "ports": {"grpc": 9090}}, ["MR2109 spec.endpoints[0].ports.grpc"]),
        ({**VM, "labels": {"a b": "c"}}, ['MR2031 spec.endpoints[0].labels["a b"]']),
        (None, ["MR2061 spec.endpoints[0]"]),
    ],
)
def test_static_endpoints(endpoint: Any, expected: list[str]) -> None:
    """An IP address or a socket, and ports by the names of the ServiceEntry's."""
    assert inline("STATIC", endpoint) == expected


def test_a_socket_serves_one_port() -> None:
    """With two ports nobody could say which one the socket is for."""
    ports = [HTTP, {**HTTP, "number": 81, "name": "more"}]
    assert inline("STATIC", {"address": "unix:///x"}, ports=ports) == ["MR2110 spec.endpoints[0].address"]


@pytest.mark.parametrize("resolution", ["DNS", "DNS_ROUND_ROBIN"])
@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ({"address": "db.example.com"}, []),
        (VM, []),
        ({"network": "vms"}, ["MR2201 spec.endpoints[0].address"]),
        ({"address": "unix:///x"}, ["MR2011 spec.endpoints[0].address"]),
        ({"address": "*.example.com"}, ["MR2011 spec.endpoints[0].address"]),
        ({**VM, "ports": {"grpc": 9090}}, ["MR2109 spec.endpoints[0].ports.grpc"]),
    ],
)
def test_dns_endpoints(resolution: str, endpoint: Any, expected: list[str]) -> None:
    """Something to resolve: a name, or an IP address."""
    assert inline(resolution, endpoint) == expected


def test_dns_without_endpoints_resolves_the_hosts() -> None:
    """So these are names without wildcards, also where a selector is set."""
    assert inline("DNS") == []
    assert inline("DNS", hosts=["*.example.com"]) == ["MR2103 spec.hosts[0]"]
    assert said("ServiceEntry", changed("ServiceEntry", resolution="DNS", hosts=["*.a.com"])) == ["MR2103 spec.hosts[0]"]


def test_round_robin_takes_one_endpoint() -> None:
    """Two are refused."""
    assert inline("DNS_ROUND_ROBIN", VM, VM) == ["MR2101 spec.endpoints"]


def test_blocks_of_addresses_go_with_none_and_static_only() -> None:
    """A proxy cannot resolve for a block."""
    assert inline("DNS", addresses=["10.0.0.0/8"]) == ["MR2102 spec.addresses"]
    assert inline("STATIC", VM, addresses=["10.0.0.0/8"]) == []


def test_hosts_have_to_be_told_apart() -> None:
    """HTTP and TLS name the host; over plain TCP nobody can tell, which NONE does not mind."""
    hosts = ["a.example.com", "b.example.com"]
    assert inline("STATIC", VM, hosts=hosts) == []
    assert inline("STATIC", hosts=hosts, ports=[{**TCP, "protocol": "TLS"}]) == []
    assert inline("STATIC", hosts=hosts, ports=[TCP]) == ["MR2107 spec.hosts"]
    assert inline("NONE", hosts=hosts, ports=[TCP], addresses=["10.0.0.1"]) == []
    tls = [{**TCP, "protocol": "TLS"}]
    assert inline("DNS", hosts=hosts, ports=tls, addresses=["10.0.0.1"]) == ["warning MR2107 spec.hosts"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, []),
        ({"hosts": ["*a.example.com"]}, []),
        ({"hosts": ["a.example.com"]}, ["MR2103 spec.hosts[0]"]),
        ({"addresses": ["10.0.0.1"]}, ["MR2102 spec.addresses"]),
        ({"endpoints": [VM]}, ["MR2101 spec.endpoints"]),
        ({"ports": [TCP]}, ["MR2104 spec.ports[0].protocol"]),
        ({"ports": [{**TCP, "protocol": "grpc"}]}, []),
    ],
)
def test_dynamic_dns(fields: dict[str, Any], expected: list[str]) -> None:
    """Wildcards only, with nothing given that is found out by itself, and protocols that name the host."""
    assert inline("DYNAMIC_DNS", **{"hosts": ["*.example.com"], **fields}) == expected


def test_dynamic_dns_inside_the_mesh_works_without_a_waypoint() -> None:
    """The label that says there is none counts as none."""
    spec = changed("ServiceEntry", resolution="DYNAMIC_DNS", hosts=["*.example.com"], workloadSelector=None)
    assert said("ServiceEntry", spec, labels={"istio.io/use-waypoint": "None"}) == []
    assert said("ServiceEntry", spec, labels={"istio.io/use-waypoint": "shop"}) == ["MR2106 spec.location"]
