"""Predicted splits."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.plans import EndpointShare
from reconciler.core.splits import splits, voiding
from tests.core.meshes import entry, pod, record, route, rule, service, shares, vm, world

HOST = "billing.internal"
SERVICE = [("shop", HOST)]
VMS = [vm(f"vm{number}", f"10.0.0.{number}", labels={"v": str(number)}) for number in (1, 2)]


@given(weights=st.lists(st.none() | st.integers(0, 200), max_size=6), pods=st.integers(0, 4))
def test_a_share_is_a_weight_over_the_sum_of_weights(weights: list[int | None], pods: int) -> None:
    """Counted out one by one: weight 0, none and Pods are 1; the shares of a service make one."""
    vms = [vm(f"vm{number}", f"10.0.0.{number}", weight=weight) for number, weight in enumerate(weights)]
    (found,) = splits(world(entry(app="billing"), *vms, pods=[pod(f"p{number}") for number in range(pods)]), SERVICE)
    total = sum(weight or 1 for weight in weights) + pods
    expected = {f"vm{number}": Fraction(weight or 1, total) for number, weight in enumerate(weights)}
    expected |= {f"p{number}": Fraction(1, total) for number in range(pods)}
    assert {one.name: one.share for one in found.endpoints} == expected
    assert found.share("vm") + found.share("pod") == (1 if total else 0)


def test_ninety_nine_to_one() -> None:
    """One Pod at one percent needs 99 of weight on the VMs."""
    vms = [vm("vm1", "10.0.0.1", weight=33), vm("vm2", "10.0.0.2", weight=66)]
    (found,) = splits(world(entry(app="billing"), *vms, pods=[pod("p1")]), SERVICE)
    assert [found.share(one) for one in ("vm", "pod")] == [Fraction(99, 100), Fraction(1, 100)]
    assert found.endpoints[0] == EndpointShare("vm1", "vm", "10.0.0.1", 33, Fraction(33, 100))


def test_every_port_of_a_service_has_its_split_and_a_service_that_is_not_there_has_none() -> None:
    """In order."""
    ports = [{"number": number, "name": f"p{number}", "protocol": "HTTP"} for number in (81, 80)]
    found = splits(world(entry(app="billing", ports=ports), VMS[0]), [*SERVICE, ("shop", "gone.internal")])
    assert [(one.service, one.port) for one in found] == [(HOST, 80), (HOST, 81)]


def test_whoever_is_picked_by_service_and_service_entry_counts_twice() -> None:
    """As istiod lists it, once for each."""
    host = "web.shop.svc.cluster.local"
    found = splits(world(entry("web", app="billing", hosts=[host]), VMS[0], services=[service()]), [("shop", host)])
    assert [one.name for one in found[0].endpoints] == ["vm1", "vm1"]


def test_routes_divide_first() -> None:
    """By the shares of their destinations; it is told how many endpoints each of these has left."""
    ill = record(VMS[1], health="unhealthy", address="10.0.0.2")
    subsets = {"v1": {"v": "1"}, "v2": {"v": "2"}}
    mesh = [entry(app="billing"), *VMS, ill, rule(subsets=subsets), route(to=[(HOST, "v1", 90), (HOST, "v2", 10)])]
    (found,) = splits(world(*mesh), SERVICE)
    assert found.notes[-1] == (
        "routed: VirtualService shop/billing spec.http[0] gives "
        f"90% to {HOST} v1 (1 endpoints not known to be unhealthy), 10% to {HOST} v2 (0 endpoints not known to be unhealthy)"
    )
    assert shares([found]) == {"vm1": Fraction(9, 10), "vm2": Fraction(1, 10)}


def test_what_routes_give_to_nobody_is_told() -> None:
    """A subset that holds no endpoint: these requests fail, the others are divided as ever."""
    mesh = [entry(app="billing"), *VMS, rule(subsets={"v1": {"v": "1"}, "v3": {"v": "3"}})]
    (found,) = splits(world(*mesh, route(to=[(HOST, "v1", 90), (HOST, "v3", 10)])), SERVICE)
    assert found.notes[-1] == "10% of the requests fail: no endpoint is in subset v3"
    assert shares([found]) == {"vm1": Fraction(9, 10), "vm2": Fraction(0)}


def test_only_caveats_that_void_the_prediction_are_voiding() -> None:
    """Each once, however many ports there are."""
    balanced = rule(trafficPolicy={"loadBalancer": {"simple": "PASSTHROUGH"}})
    ports = [{"number": number, "name": f"p{number}", "protocol": "HTTP"} for number in (80, 81)]
    mesh = [entry(app="billing", ports=ports), *VMS]
    assert [one.code for _, one in voiding(world(*mesh, balanced), SERVICE)] == ["passthrough"]
    assert list(voiding(world(*mesh), SERVICE)) == []
