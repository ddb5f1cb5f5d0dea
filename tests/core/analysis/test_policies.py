"""Rules about RolloutPolicies."""

from typing import Any

from reconciler.core.analysis import Code
from reconciler.core.resources import Document
from reconciler.core.rollouts.obstacles import Code as ObstacleCode
from tests.core.analysis.commits import document, problems, service, workload


def policy(name: str, target: str = "", namespace: str = "shop", **spec: Any) -> Document:
    """Return a RolloutPolicy for a ServiceEntry, or a default."""
    return document("RolloutPolicy", name, {**({"serviceEntry": target} if target else {}), **spec}, namespace)


def test_a_service_has_one_policy() -> None:
    """A second one is an error that names both."""
    found = problems(service("a"), policy("one", "a"), policy("two", "a"))
    assert found == [(Code.POLICIES_COMPETE, "error", "RolloutPolicy shop/two", "spec.serviceEntry")]


def test_a_policy_needs_its_service_in_its_namespace() -> None:
    """A mistyped name would leave the service without protection."""
    found = problems(service("a"), policy("one", "a", "bank"), policy("two", "b"))
    assert [(code, severity, where) for code, severity, where, _ in found] == [
        (Code.POLICY_WITHOUT_SERVICE, "error", "RolloutPolicy bank/one"),
        (Code.POLICY_WITHOUT_SERVICE, "error", "RolloutPolicy shop/two"),
    ]


def test_a_namespace_has_one_default() -> None:
    """Two would leave it to chance which one counts; another namespace may have one of its own."""
    found = problems(policy("one"), policy("two"), policy("three", namespace="bank"))
    assert found == [(Code.POLICIES_COMPETE, "error", "RolloutPolicy shop/two", "spec")]


GATE = {"name": "errors", "prometheus": {"query": "up", "min": 1}}
ASKS = [{"exposure": "10%", "gates": ["errors"]}, {"exposure": "100%", "gates": ["errors", "typo"]}]


def test_a_gate_is_defined_where_it_is_asked_for_or_in_a_default() -> None:
    """Of the namespace or of the repository, and in no other namespace; the problem points at the name in the step."""
    asking = policy("asking", "a", steps=ASKS)
    typo = (Code.GATE_UNKNOWN, "error", "RolloutPolicy shop/asking", "spec.steps[1].gates[1]")
    for definition in (policy("d", gates=[GATE]), policy("d", namespace="istio-system", gates=[GATE])):
        assert problems(service("a"), asking, definition) == [typo]
    assert problems(service("a"), policy("asking", "a", steps=ASKS, gates=[GATE])) == [typo]
    elsewhere = problems(service("a"), asking, policy("d", namespace="bank", gates=[GATE]))
    assert [one[3] for one in elsewhere] == ["spec.steps[0].gates[0]", "spec.steps[1].gates[0]", "spec.steps[1].gates[1]"]


def test_gates_on_requests_need_a_port_that_has_some() -> None:
    """Of TCP Istio counts connections; a query of one's own is fine, and so are services with an HTTP port among others."""
    gates = [
        {"name": "compare", "compare": {"metric": "errors"}},
        {"name": "ready", "prometheus": {"template": "istio-latency", "max": 5}},
        {"name": "own", "prometheus": {"query": "istio_tcp_connections_closed_total", "max": 5}},
        {"name": "person", "approval": {}},
    ]
    spec = {"serviceEntry": "a", "gates": gates}
    tcp, http = ({"number": number, "name": name, "protocol": name.upper()} for number, name in ((5432, "tcp"), (80, "http")))
    found = problems(service("a", ports=[tcp]), document("RolloutPolicy", "one", spec))
    assert found == [(Code.UNCOUNTED, "warning", "RolloutPolicy shop/one", f"spec.gates[{number}]") for number in (0, 1)]
    assert problems(service("a", ports=[tcp, http]), document("RolloutPolicy", "one", spec)) == []


def test_gates_cannot_tell_inline_endpoints_apart() -> None:
    """They have no name that lasts; labels of the gate's own do, and of WorkloadEntries Git alone cannot know."""
    labels = {"canary": {"destination_version": "2"}, "stable": {"destination_version": "1"}}
    gates = [
        {"name": "compare", "compare": {"metric": "errors"}},
        {"name": "labelled", "compare": {"metric": "errors", **labels}},
        {"name": "ready", "prometheus": {"template": "istio-latency", "max": 5}},
        {"name": "all", "prometheus": {"template": "istio-latency", "max": 5, "of": "all"}},
    ]
    asking = policy("one", "a", gates=gates)
    found = problems(service("a", endpoints=[{"address": "10.0.0.1"}, {"address": "10.0.0.2"}]), asking)
    assert found == [(Code.INDISTINCT, "warning", "RolloutPolicy shop/one", f"spec.gates[{number}]") for number in (0, 2)]
    assert problems(service("a", workloadSelector={"labels": {"app": "a"}}), workload("vm"), asking) == []


def test_what_is_in_the_way_of_subsets_is_known_before_any_plan() -> None:
    """The route that leads to a subset of its own, and VMs that have nothing which Pods could lack; a plan refuses that."""
    selecting = service("a", workloadSelector={"labels": {"app": "a"}})
    to = [{"destination": {"host": "a.internal", "subset": "v1"}}]
    route = document("VirtualService", "a", {"hosts": ["a.internal"], "http": [{"route": to}]})
    rule = document("DestinationRule", "a", {"host": "a.internal", "subsets": [{"name": "v1"}]})
    asking = policy("one", "a", strategy="subsets")
    own = (ObstacleCode.OWN_SUBSET, "warning", "VirtualService shop/a", "spec.http[0].route[0].destination.subset")
    alike = (ObstacleCode.NO_LABEL, "warning", "ServiceEntry shop/a", "")
    apart = workload("vm", labels={"app": "a", "platform": "vm"})
    assert problems(selecting, workload("vm"), route, rule, asking) == [own, alike]
    assert problems(selecting, apart, asking) == []
    assert problems(selecting, apart, route, rule, policy("one", "a"), policy("d", strategy="subsets")) == [own]
    assert problems(selecting, workload("vm"), route, rule, policy("one", "a")) == []
