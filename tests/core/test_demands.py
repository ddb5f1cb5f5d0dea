"""Who must be answered, by whom, and what a write can change about it."""

from reconciler.core.demands import Demand, of_route, of_service, pairs, pairs_of, touched
from reconciler.core.resources import Key
from reconciler.core.simulation import after
from tests.core.meshes import creating, deleting, entry, record, route, rule, updating, vm, world

ROUTE = Key("VirtualService", "shop", "billing")
HOST = "billing.internal"
VMS = [vm("vm1", "10.0.0.1", labels={"v": "1"}), vm("vm2", "10.0.0.2", labels={"v": "2"})]
SUBSETS = {"v1": {"v": "1"}, "v2": {"v": "2"}}
PORT = Demand(None, "shop", HOST, 80)


def test_every_port_and_every_destination_with_a_share_is_a_demand() -> None:
    """A destination of weight 0 gets nothing and asks for nothing."""
    ports = [{"number": number, "name": f"p{number}", "protocol": "HTTP"} for number in (80, 81)]
    found = world(entry(app="billing", ports=ports), rule(subsets=SUBSETS), route(to=[(HOST, "v1", 100), (HOST, "v2", 0)]))
    assert list(of_service(found, "shop", HOST)) == [PORT, Demand(None, "shop", HOST, 81)]
    assert list(of_route(found, ROUTE)) == [Demand(ROUTE, "shop", HOST, port, "v1") for port in (80, 81)]


def test_a_host_that_nobody_serves_is_a_demand_without_a_service() -> None:
    """So it shows when a service that was there is not any more."""
    found = world(route(to=[("elsewhere.example.com", "", 100)]))
    assert list(of_route(found, ROUTE)) == [Demand(ROUTE, "", "elsewhere.example.com", 0)]


def test_pairs_are_healthy_endpoints_of_the_subset() -> None:
    """Unknown health counts, known bad health does not; a subset that is not defined has nobody."""
    ill = record(VMS[1], health="unhealthy", address="10.0.0.2")
    found = world(entry(app="billing"), *VMS, ill, rule(subsets=SUBSETS))
    feeding = {
        name: [member.name for _, member in pairs(found, Demand(ROUTE, "shop", HOST, 80, name))]
        for name in ("", "v1", "v2", "v3")
    }
    assert feeding == {"": ["vm1"], "v1": ["vm1"], "v2": [], "v3": []}
    assert list(pairs_of(found, PORT, Key.of(VMS[0]))) == list(pairs(found, PORT))
    assert list(pairs_of(found, PORT, Key.of(VMS[1]))) == []


def test_a_write_touches_what_it_can_change_and_nothing_else() -> None:
    """A VM touches the services that pick it with the routes that lead there; a policy touches nothing."""
    found = world(
        entry(app="billing"), entry("ledger", app="ledger"), VMS[0], rule(subsets=SUBSETS), route(to=[(HOST, "v1", 100)])
    )
    change = creating(VMS[1])
    seen = touched(found, after(found, change), change)
    assert seen.services == {("shop", HOST)}
    assert seen.before == seen.after == {PORT, Demand(ROUTE, "shop", HOST, 80, "v1")}
    change = creating(vm("other", "10.0.0.9", app="nobody"))
    assert not touched(found, after(found, change), change).services


def test_a_rule_touches_the_routes_to_its_host() -> None:
    """Also where no service has the host."""
    defined = rule(host="gone.internal", subsets=SUBSETS)
    found = world(defined, route(to=[("gone.internal", "v1", 100)]))
    change = deleting(defined)
    assert touched(found, after(found, change), change).after == {Demand(ROUTE, "", "gone.internal", 0, "v1")}


def test_a_route_touches_its_old_and_its_new_destinations() -> None:
    """Both are named, each in its world."""
    old, new = route(to=[(HOST, "v1", 100)]), route(to=[(HOST, "v2", 100)])
    found = world(entry(app="billing"), rule(subsets=SUBSETS), old)
    change = updating(old, new)
    seen = touched(found, after(found, change), change)
    assert ({one.subset for one in seen.before}, {one.subset for one in seen.after}) == ({"v1"}, {"v2"})
