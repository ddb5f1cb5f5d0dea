"""The mesh as Istio would see it."""

from reconciler.core.world import World
from tests.building import document
from tests.core.meshes import entry, in_namespace, pod, record, rule, service, vm, world

HOST = ("shop", "billing.internal")


def names(found: World, namespace: str = "shop", host: str = "billing.internal", port: int = 80) -> list[str]:
    """The endpoints of a service port."""
    return sorted(member.key.name for _, member in found.endpoints(namespace, host, port))


def test_a_selector_picks_vms_and_ready_pods_of_its_namespace() -> None:
    """Pods that are not ready, other labels and other namespaces stay out."""
    pods = [pod("p1"), pod("p2", ready=False), pod("p3", namespace="pay"), pod("p4", app="ledger")]
    found = world(entry(app="billing"), vm("vm1", "10.0.0.1"), vm("vm2", "10.0.0.2", app="x"), pods=pods)
    assert names(found) == ["p1", "vm1"]


def test_an_empty_selector_picks_nothing() -> None:
    """What it means changed between Istio's versions."""
    found = world(entry(workloadSelector={"labels": {}}), vm("vm1", "10.0.0.1"), pods=[pod("p1")])
    assert names(found) == []


def test_two_service_entries_of_one_host_are_united() -> None:
    """In one namespace; another namespace's are a service of its own."""
    other = in_namespace(entry("third", endpoints=["10.3.0.1"], hosts=["billing.internal"]), "pay")
    found = world(
        entry(app="billing"), entry("second", endpoints=["10.2.0.1"], hosts=["billing.internal"]), other, vm("vm1", "10.0.0.1")
    )
    assert names(found) == ["second-0", "vm1"]
    assert names(found, "pay") == ["third-0"]


def test_a_service_serves_under_its_full_name_and_picks_vms_too() -> None:
    """So creating a WorkloadEntry can give it traffic at once."""
    found = world(vm("vm1", "10.0.0.1"), pods=[pod("p1")], services=[service()])
    assert names(found, host="web.shop.svc.cluster.local") == ["p1", "vm1"]
    assert names(found, host="web.shop.svc.cluster.local", port=81) == []


def test_the_registry_tells_who_is_well() -> None:
    """An unhealthy VM stays in the list, and is known to be unhealthy."""
    ill = vm("vm1", "10.0.0.1")
    found = world(entry(app="billing"), ill, record(ill, health="unhealthy", address="10.0.0.1"))
    assert [member.healthy for _, member in found.endpoints(*HOST, 80)] == [False]


def test_a_destination_means_the_service_of_its_own_namespace_first() -> None:
    """Without one there, all of that host; a pattern serves only where no exact host does."""
    shop, pay = entry(app="billing"), in_namespace(entry(app="billing"), "pay")
    pattern = entry("all", endpoints=["10.0.0.1"], hosts=["*.internal"])
    found = world(shop, pay, pattern)
    assert found.services_of("billing.internal", "shop") == (("shop", "billing.internal"),)
    assert set(found.services_of("billing.internal", "other")) == {("shop", "billing.internal"), ("pay", "billing.internal")}
    assert found.services_of("ledger.internal", "shop") == (("shop", "*.internal"),)
    assert found.services_of("ledger.example.com", "shop") == ()


def test_the_nearest_rule_defines_a_subset() -> None:
    """The service's own namespace before others; patterns count too."""
    near = rule(subsets={"v1": {"v": "near"}})
    far = rule("far", host="*.internal", subsets={"v1": {"v": "far"}, "v2": {"v": "far"}}, namespace="pay")
    found = world(entry(app="billing"), near, far)
    subsets = [found.subset(*HOST, name) for name in ("v1", "v2", "v3")]
    assert [one.labels if one else None for one in subsets] == [{"v": "near"}, {"v": "far"}, None]


def test_other_kinds_are_only_documents() -> None:
    """They change nothing that is simulated."""
    policy = document("PeerAuthentication", "strict", spec={})
    assert world(policy).backends == {}
