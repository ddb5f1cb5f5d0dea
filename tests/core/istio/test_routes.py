"""Views of DestinationRules and VirtualServices."""

from fractions import Fraction
from typing import Any

import pytest

from reconciler.core.istio import DestinationRule, VirtualService, workloads_of_policy
from reconciler.core.resources import Document


def document(kind: str, **spec: Any) -> Document:
    """Return a document of a kind."""
    return {"kind": kind, "metadata": {"name": "billing", "namespace": "shop"}, "spec": spec}


def test_a_destination_rule_completes_its_host_and_keeps_its_subsets() -> None:
    """The host gets its namespace; a subset tells which policies it sets and which labels it holds."""
    subsets = [{"name": "vm", "labels": {"platform": "vm"}, "trafficPolicy": {"tls": {}}}, {"name": "all"}]
    rule = DestinationRule.of(document("DestinationRule", host="billing", subsets=subsets))
    vm, everything = rule.subsets
    assert rule.host == "billing.shop.svc.cluster.local"
    assert vm.policies == {"tls"}
    assert vm.holds({"platform": "vm", "app": "x"})
    assert not vm.holds({"platform": "pod"})
    assert everything.holds({})
    assert rule.subset("vm") is vm
    assert rule.subset("pod") is None


def test_shares_are_weights_over_their_sum() -> None:
    """Weights need not add up to 100."""
    route = {
        "route": [{"destination": {"host": "a.b", "subset": "vm"}, "weight": 1}, {"destination": {"host": "a.b"}, "weight": 3}]
    }
    view = VirtualService.of(document("VirtualService", hosts=["a.b"], http=[route]))
    assert [one.share for one in view.destinations] == [Fraction(1, 4), Fraction(3, 4)]
    assert view.routes[0].path == "spec.http[0]"


def test_a_lone_destination_takes_everything() -> None:
    """A route without weights has one destination, of share 1."""
    target = {"destination": {"host": "a.b", "port": {"number": 443}}}
    view = VirtualService.of(document("VirtualService", tls=[{"match": [], "route": [target]}]))
    (destination,) = view.destinations
    assert destination.share == 1
    assert destination.port == 443


def test_mirrors_get_no_share() -> None:
    """Copies are listed apart from destinations, in both spellings."""
    route = {
        "mirror": {"host": "copy"},
        "mirrors": [{"destination": {"host": "a.b"}}],
        "route": [{"destination": {"host": "a.b"}}],
    }
    view = VirtualService.of(document("VirtualService", http=[route]))
    assert [one.host for one in view.routes[0].mirrors] == ["a.b", "copy.shop.svc.cluster.local"]
    assert len(list(view.destinations)) == 1


def test_without_gateways_a_virtual_service_is_for_sidecars() -> None:
    """The word `mesh` stands for them."""
    assert VirtualService.of(document("VirtualService", hosts=["billing"])).gateways == ("mesh",)


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("PeerAuthentication", {"selector": {"matchLabels": {"app": "a"}}}, {"app": "a"}),
        ("AuthorizationPolicy", {}, None),
        ("Sidecar", {"workloadSelector": {"labels": {"app": "a"}}}, {"app": "a"}),
        ("Gateway", {"selector": {"istio": "ingress"}}, {"istio": "ingress"}),
        ("Telemetry", {"selector": {}}, None),
    ],
)
def test_policies_tell_whom_they_are_for(kind: str, spec: dict[str, Any], expected: dict[str, str] | None) -> None:
    """Each kind spells its selector differently; none means all workloads of the namespace."""
    assert workloads_of_policy(document(kind, **spec)) == expected
