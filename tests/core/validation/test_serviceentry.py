"""ServiceEntry: hosts, addresses, ports, selector."""

from typing import Any

import pytest

from tests.core.validation.samples import HTTP, TCP, changed, said

ENDPOINTS = [{"address": "10.0.0.1"}]


@pytest.mark.case("M-13")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hosts": []}, ["MR2063 spec.hosts"]),
        ({"hosts": ["*"]}, ["MR2005 spec.hosts[0]"]),
        ({"hosts": ["a..b"]}, ["MR2001 spec.hosts[0]"]),
        ({"hosts": ["10.0.0.1"]}, ["MR2001 spec.hosts[0]"]),
        ({"hosts": ["*.example.com"]}, []),
        ({"hosts": ["*a.example.com"]}, ["warning MR2004 spec.hosts[0]"]),
        ({"hosts": [None]}, ["MR2061 spec.hosts[0]"]),
        ({"addresses": ["10.0.0.1", "10.0.0.0/8", "::1"]}, []),
        ({"addresses": ["10.0.0.300", "a.example.com"]}, ["MR2012 spec.addresses[0]", "MR2012 spec.addresses[1]"]),
        ({"ports": [HTTP, {**HTTP, "number": 81}]}, ["MR2024 spec.ports[1].name"]),
        ({"ports": [HTTP, {**HTTP, "name": "other"}]}, ["MR2024 spec.ports[1].number"]),
        ({"ports": [HTTP, None]}, ["MR2061 spec.ports[1]"]),
        ({"ports": [{"name": "http"}]}, ["MR2021 spec.ports[0].number"]),
        ({"workloadSelector": {"labels": {}}}, ["MR2036 spec.workloadSelector"]),
        ({"workloadSelector": {}}, ["MR2036 spec.workloadSelector"]),
        ({"endpoints": ENDPOINTS}, ["MR2062 spec"]),
        ({"endpoints": []}, ["MR2062 spec"]),
    ],
)
def test_rules(change: dict[str, Any], expected: list[str]) -> None:
    """Each rule is reported with its field."""
    assert said("ServiceEntry", changed("ServiceEntry", **change)) == expected


@pytest.mark.parametrize(
    ("change", "labels", "warned"),
    [
        ({}, {}, False),
        ({}, {"networking.istio.io/enable-autoallocate-ip": "False"}, True),
        ({"addresses": ["10.0.0.1"]}, {"networking.istio.io/enable-autoallocate-ip": "false"}, False),
        ({"resolution": "NONE", "workloadSelector": None}, {}, True),
        ({"resolution": None, "workloadSelector": None, "addresses": ["10.0.0.1"]}, {}, False),
    ],
)
def test_a_tcp_port_needs_an_address(change: dict[str, Any], labels: dict[str, str], warned: bool) -> None:  # noqa: FBT001
    """Given, or allocated by istiod: which it does unless the resolution is NONE or a label opts out."""
    spec = changed("ServiceEntry", **{"ports": [TCP], **change})
    assert said("ServiceEntry", spec, labels=labels) == (["warning MR2108 spec.ports[0].protocol"] if warned else [])
