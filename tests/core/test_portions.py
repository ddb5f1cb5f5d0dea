"""What routes divide before weights do."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.portions import Portion, parted, portions, portions_of
from reconciler.core.resources import Document, Key
from reconciler.core.world import World
from tests.core.meshes import entry, in_namespace, pod, route, rule, vm, world

HOST = "billing.internal"
ENTRY = Key("ServiceEntry", "shop", "billing")
SUBSETS = rule(subsets={"vm": {"platform": "vm"}, "pod": {"platform": "pod"}})
HALF = Fraction(1, 2)


def mesh(*documents: Document, **around: Any) -> World:
    """A service on a VM, with its subsets."""
    return world(entry(app="billing"), vm("vm1", "10.0.0.1", labels={"platform": "vm"}), SUBSETS, *documents, **around)


def shares(found: World) -> dict[str, Fraction]:
    """The share of each subset, empty for all endpoints."""
    return {one.name: one.share for one in portions(found, "shop", HOST, 80)}


def to(vms: int, pods: int, **changes: Any) -> Document:
    """A route to both subsets."""
    found = route(to=[(HOST, "vm", vms), (HOST, "pod", pods)])
    return {**found, "spec": {**found["spec"], **changes}}


def test_shares_are_weights_over_their_sum() -> None:
    """A destination of weight 0 gets nothing and is not told."""
    assert shares(mesh(to(3, 1))) == {"vm": Fraction(3, 4), "pod": Fraction(1, 4)}
    assert shares(mesh(to(1, 0))) == {"vm": 1}
    assert shares(mesh()) == {}


def test_what_goes_to_other_hosts_counts_for_nothing() -> None:
    """The split is that of the requests which reach the service."""
    found = route(to=[(HOST, "vm", 10), (HOST, "pod", 10), ("elsewhere.example.com", "", 80)], hosts=[HOST])
    assert shares(mesh(found)) == {"vm": HALF, "pod": HALF}


def test_routes_that_agree_divide_everything_and_others_nothing() -> None:
    """By what they match different requests take them: there is no one split then."""
    route_to = to(1, 1)["spec"]["http"][0]["route"]
    special = {"match": [{"uri": {"prefix": "/v2"}}], "route": route_to}
    assert shares(mesh(to(1, 1, http=[special, {"route": route_to}]))) == {"vm": HALF, "pod": HALF}
    assert shares(mesh(to(1, 1, http=[special, {"route": [{"destination": {"host": HOST}}]}]))) == {}


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"hosts": ["api.example.com"]}, False),
        ({"gateways": ["shop/public"]}, False),
        ({"gateways": ["shop/public", "mesh"]}, True),
    ],
)
def test_only_what_sidecars_follow_counts(changes: Document, *, counts: bool) -> None:
    """A gateway's route divides what comes through the gateway, another host's what is sent to that."""
    assert bool(shares(mesh(to(1, 1, **changes)))) is counts


def test_a_route_of_a_port_is_for_that_port() -> None:
    """And the ServiceEntry's own split is that of the first port which is divided."""
    ports = [{"number": number, "name": f"p{number}", "protocol": "HTTP"} for number in (80, 81)]
    targets = [{"destination": {"host": HOST, "subset": "vm", "port": {"number": 81}}}]
    found = world(entry(app="billing", ports=ports), SUBSETS, to(1, 1, http=[{"route": targets}]))
    assert portions(found, "shop", HOST, 80) == ()
    assert [one.name for one in portions(found, "shop", HOST, 81)] == ["vm"]
    assert [one.name for one in portions_of(found, ENTRY)] == ["vm"]
    assert portions_of(found, Key("ServiceEntry", "shop", "gone")) == ()


def test_a_route_to_the_host_of_another_namespace_does_not_count() -> None:
    """Its own namespace has a service of that host."""
    other = in_namespace(entry(app="billing"), "pay")
    assert shares(mesh(other, in_namespace(to(1, 1), "pay"))) == {}


def test_an_undefined_subset_holds_nobody() -> None:
    """Requests to it fail."""
    (found,) = portions(mesh(route(to=[(HOST, "v9", 1)])), "shop", HOST, 80)
    assert (found.name, found.subset) == ("v9", None)
    assert parted(list(mesh().picked[ENTRY].values()), [found]) == [0]


@given(
    machines=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    pods=st.integers(1, 4),
    divided=st.none() | st.tuples(st.integers(0, 100), st.integers(1, 100)),
)
def test_weights_divide_inside_each_portion(machines: list[int], pods: int, divided: tuple[int, int] | None) -> None:
    """Counted out: a VM gets its part of the VMs' portion, a Pod its part of the Pods', and together all requests."""
    vms = [vm(f"vm{i}", f"10.0.0.{i}", weight=weight, labels={"platform": "vm"}) for i, weight in enumerate(machines)]
    running = [pod(f"p{i}", labels={"platform": "pod"}) for i in range(pods)]
    found = world(entry(app="billing"), *vms, SUBSETS, *([to(*divided)] if divided else []), pods=running)
    members = sorted(found.picked[ENTRY].values(), key=lambda one: one.key)
    shared = dict(zip((one.key.name for one in members), parted(members, portions_of(found, ENTRY)), strict=True))
    total = sum(machines)
    of_vms = Fraction(divided[0], sum(divided)) if divided else Fraction(total, total + pods)
    expected = {f"vm{i}": of_vms * Fraction(weight, total) for i, weight in enumerate(machines)}
    assert shared == expected | {f"p{i}": (1 - of_vms) / pods for i in range(pods)}
    assert parted(members, [Portion(Fraction(1))]) == parted(members, ())
