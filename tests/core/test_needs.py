"""What documents provide and use."""

from reconciler.core.needs import provides, spelled, uses
from tests.building import document
from tests.core.meshes import entry, namespace, record, route, rule, vm

HOST = "billing.internal"


def test_what_each_kind_provides() -> None:
    """Names for what others use by name."""
    one = vm("vm1", "10.0.0.1")
    assert list(provides(namespace())) == [("namespace", "shop")]
    assert list(provides(document("ServiceAccount", "billing"))) == [("account", "shop", "billing")]
    assert list(provides(record(one))) == [("record", "shop", "vm1")]
    assert list(provides(one)) == [("workload", "shop", "vm1")]
    assert list(provides(entry())) == [("host", HOST), ("port", HOST, "80")]
    assert list(provides(rule(subsets={"v1": {}}))) == [("subset", HOST, "v1")]
    assert list(provides(document("PeerAuthentication", "strict"))) == [("policy", "PeerAuthentication", "shop", "strict")]
    assert list(provides(document("Telemetry", "t"))) == []


def test_what_a_workload_uses() -> None:
    """Its namespace, its record, its account, its group; the record itself needs no namespace."""
    one = vm("vm1", "10.0.0.1", serviceAccount="billing")
    one["metadata"]["annotations"] = {"mesh-reconciler.io/group": "vms"}
    names = {"namespace": ("shop",), "record": ("shop", "vm1"), "account": ("shop", "billing"), "group": ("shop", "vms")}
    assert set(uses(one)) == {(kind, *rest) for kind, rest in names.items()}
    assert list(uses(record(one))) == []
    template = document("WorkloadGroup", "vms", spec={"template": {"serviceAccount": "billing"}})
    assert ("account", "shop", "billing") in set(uses(template))
    assert ("account", "shop", "billing") in set(uses(entry(endpoints=[{"address": "10.0.0.1", "serviceAccount": "billing"}])))


def test_what_a_route_uses() -> None:
    """Hosts, ports and subsets of destinations and mirrors, gateways, and the routes that it delegates to."""
    one = route(to=[(HOST, "v1", 100)])
    http = one["spec"]["http"]
    http[0]["route"][0]["destination"]["port"] = {"number": 80}
    http[0]["mirrors"] = [{"destination": {"host": "shadow.internal"}}]
    http.append({"delegate": {"name": "more"}})
    one["spec"]["gateways"] = ["mesh", "edge", "infra/front"]
    assert set(uses(one)) == {
        ("namespace", "shop"),
        ("host", HOST),
        ("port", HOST, "80"),
        ("subset", HOST, "v1"),
        ("host", "shadow.internal"),
        ("gateway", "shop", "edge"),
        ("gateway", "infra", "front"),
        ("route", "shop", "more"),
    }


def test_tokens_are_spelled_as_people_say_them() -> None:
    """For the reasons in a plan."""
    tokens = [("subset", HOST, "v1"), ("port", HOST, "80"), ("record", "shop", "vm1"), ("namespace", "shop"), ("host", HOST)]
    assert [spelled(one) for one in tokens] == [
        f"subset v1 of {HOST}",
        f"port 80 of {HOST}",
        "VM record shop/vm1",
        "namespace shop",
        f"host {HOST}",
    ]
    assert spelled(("policy", "PeerAuthentication", "shop", "strict")) == "PeerAuthentication shop/strict"
    assert spelled(("account", "shop", "billing")) == "ServiceAccount shop/billing"
    assert spelled(("workload", "shop", "vm1")) == "WorkloadEntry shop/vm1"
    assert spelled(("group", "shop", "vms")) == "WorkloadGroup shop/vms"
