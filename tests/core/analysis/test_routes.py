"""Rules about VirtualServices and DestinationRules."""

from typing import Any

import pytest

from reconciler.core.analysis import Code
from reconciler.core.resources import Document
from tests.core.analysis.commits import document, problems, service

SUBSETS = [{"name": "vm", "labels": {"platform": "vm"}}]


def routes(name: str, *destinations: Any, **spec: Any) -> Document:
    """Return a VirtualService with one route to these destinations."""
    route = {"route": [{"destination": destination} for destination in destinations]}
    return document("VirtualService", name, {"hosts": ["a.internal"], "http": [route], **spec})


def rule(name: str, host: str = "a.internal", **spec: Any) -> Document:
    """Return a DestinationRule."""
    return document("DestinationRule", name, {"host": host, **spec})


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ({"host": "a.internal"}, []),
        ({"host": "a.internal", "subset": "vm", "port": {"number": 80}}, []),
        ({"host": "a-service"}, []),
        ({"host": "x.shop.svc.cluster.local", "port": {"number": 9}}, []),
        ({"host": "b.internal"}, [(Code.HOST_UNKNOWN, "warning", "host")]),
        ({"host": "a.internal", "port": {"number": 81}}, [(Code.PORT_UNKNOWN, "error", "port.number")]),
        ({"host": "a.internal", "subset": "pod"}, [(Code.SUBSET_UNKNOWN, "error", "subset")]),
        ({"host": "a-service", "subset": "pod"}, [(Code.SUBSET_UNKNOWN, "warning", "subset")]),
    ],
)
def test_destinations_must_exist(destination: Any, expected: list[tuple[str, str, str]]) -> None:
    """Hosts, ports and subsets of the commit; Kubernetes Services are not in it and are taken to exist."""
    found = problems(service("a"), rule("r", subsets=SUBSETS), routes("v", {"host": "a.internal"}, destination))
    where = "spec.http[0].route[1].destination."
    assert found == [(code, severity, "VirtualService shop/v", where + field) for code, severity, field in expected]


def test_a_wildcard_host_serves_what_it_covers() -> None:
    """For destinations and for rules."""
    wildcard = service("a", hosts=["*.example.com"], resolution="NONE")
    assert (
        problems(wildcard, routes("v", {"host": "b.example.com"}), rule("r", "c.example.com"), rule("s", "*.example.com")) == []
    )


def test_a_rule_for_a_host_that_nobody_has_is_told() -> None:
    """Short names are Kubernetes Services; a pattern is fine when it covers something."""
    found = problems(service("a"), rule("r", "b.internal"), rule("s", "reviews"), rule("t", "*.internal"), rule("u", "*.local"))
    assert found == [(Code.HOST_UNKNOWN, "warning", "DestinationRule shop/r", "spec.host")]


def test_two_rules_for_one_host_compete() -> None:
    """Unless they are for different clients."""
    selected = rule("c", workloadSelector={"matchLabels": {"app": "client"}})
    found = problems(service("a"), rule("r"), rule("s"), selected)
    assert found == [(Code.RULES_COMPETE, "warning", "DestinationRule shop/s", "spec.host")]


def test_two_virtual_services_for_one_host_compete_for_sidecars() -> None:
    """At gateways several are joined."""
    target = {"host": "a.internal"}
    found = problems(service("a"), routes("v", target), routes("w", target), routes("g", target, gateways=["edge"]))
    assert found == [(Code.ROUTES_COMPETE, "warning", "VirtualService shop/w", "spec.hosts[0]")]
