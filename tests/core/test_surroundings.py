"""The part of the world around units."""

from reconciler.core.surroundings import Surroundings
from reconciler.core.units import cut
from tests.core.meshes import commit, entry, namespace, pod, record, route, service, there, vm

VM = vm("vm1", "10.0.0.1")
LIVE = there(
    namespace(),
    entry(app="billing"),
    VM,
    record(VM, health="healthy"),
    entry("ledger", app="ledger"),
    vm("ledger1", "10.0.1.1", app="ledger"),
    pods=[pod("p1"), pod("p2", app="ledger"), pod("p3", app="web")],
    services=[service(app="web"), service("other", app="other")],
)
GIT = commit(entry(app="billing"), VM, entry("ledger", app="ledger"), vm("ledger1", "10.0.1.1", app="ledger"))


def test_a_unit_sees_what_it_can_touch_and_no_more() -> None:
    """Its objects with records and Namespace, the Pods that it picks; not its neighbour's."""
    units = [one for one in cut(GIT, LIVE, ()) if one.name == "shop/billing"]
    world = Surroundings(LIVE, "Kubernetes").world_of(units)
    assert sorted(f"{key.kind}/{key.name}" for key in world.documents) == [
        "Namespace/shop",
        "ServiceEntry/billing",
        "VirtualMachine/vm1",
        "WorkloadEntry/vm1",
    ]
    assert sorted(member.key.name for _, member in world.endpoints("shop", "billing.internal", 80)) == ["p1", "vm1"]
    assert sorted(member.name for member in world.members["shop"]) == ["p1", "vm1"]


def test_what_is_coming_brings_its_pods_and_services() -> None:
    """A selector of Git's picks Pods that nothing picks yet, and a route leads to a Service that was nobody's business."""
    units = [one for one in cut(GIT, LIVE, ()) if one.name == "shop/billing"]
    coming = [entry(app="web"), route(to=[("web.shop.svc.cluster.local", "", 100)])]
    world = Surroundings(LIVE, "Kubernetes").world_of(units, coming)
    assert sorted(member.name for member in world.members["shop"]) == ["p1", "p3", "vm1"]
    assert [member.key.name for _, member in world.endpoints("shop", "web.shop.svc.cluster.local", 80)] == ["p3"]
