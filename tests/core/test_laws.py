"""Single writes against the laws."""

from typing import Any

import pytest

from reconciler.core.changes import Change
from reconciler.core.laws import Violation, check
from reconciler.core.resources import Document
from tests.building import document
from tests.core.meshes import creating, deleting, entry, namespace, pod, record, route, rule, updating, vm, world

HOST = "billing.internal"
INLINE, SELECTING = entry(endpoints=["10.0.0.1"]), entry(app="billing")
VM1, VM2 = vm("vm1", "10.0.0.1", labels={"v": "1"}), vm("vm2", "10.0.0.2", labels={"v": "2"})
SUBSETS = {"v1": {"v": "1"}, "v2": {"v": "2"}}


def laws(found: tuple[Violation, ...]) -> list[tuple[int, int]]:
    """Law and number of the write."""
    return [(one.law, one.write) for one in found]


def test_the_last_endpoint_does_not_leave() -> None:
    """The message says which write, which service, which endpoint, and counts from one."""
    (found,) = check(world(SELECTING, VM1, VM2), [deleting(VM1), deleting(VM2)])
    assert (found.law, found.write, found.of) == (1, 2, 2)
    assert str(found) == (
        "write 2 of 2, to WorkloadEntry shop/vm2: would leave billing.internal port 80 without a healthy endpoint: "
        "WorkloadEntry shop/vm2 would be the last to go"
    )


def test_a_pod_keeps_a_service_alive() -> None:
    """Whoever answers, answers."""
    assert check(world(SELECTING, VM1, pods=[pod("p1")]), [deleting(VM1)]) == ()


def test_an_unhealthy_endpoint_keeps_nothing_alive() -> None:
    """The registry says that vm2 is ill, so vm1 is the last."""
    ill = record(VM2, health="unhealthy", address="10.0.0.2")
    assert laws(check(world(SELECTING, VM1, VM2, ill), [deleting(VM1)])) == [(1, 1)]


def test_a_service_that_is_empty_already_may_be_written() -> None:
    """A write that does not make it worse is allowed."""
    assert check(world(SELECTING), [updating(SELECTING, entry(app="other"))]) == ()


def test_a_service_that_git_removes_is_bound_until_its_service_entry_is_gone() -> None:
    """ServiceEntry first, then its VMs; the other way round the last VM empties it."""
    assert check(world(SELECTING, VM1), [deleting(SELECTING), deleting(VM1)]) == ()
    assert laws(check(world(SELECTING, VM1), [deleting(VM1), deleting(SELECTING)])) == [(1, 1), (3, 1)]


def test_a_service_does_not_go_while_a_route_leads_to_it() -> None:
    """Route first, then the service; with the route still there, its destination would be empty."""
    to_it = route(to=[(HOST, "", 100)], hosts=["front.internal"])
    assert check(world(SELECTING, VM1, to_it), [deleting(to_it), deleting(SELECTING)]) == ()
    assert laws(check(world(SELECTING, VM1, to_it), [deleting(SELECTING)])) == [(1, 1)]


def test_every_destination_with_a_share_is_bound_on_its_own() -> None:
    """vm1 is all of subset v1; without the route it may go."""
    mesh = (SELECTING, VM1, VM2, rule(subsets=SUBSETS))
    assert laws(check(world(*mesh, route(to=[(HOST, "v1", 1), (HOST, "v2", 99)])), [deleting(VM1)])) == [(1, 1)]
    assert check(world(*mesh, route(to=[(HOST, "v1", 0), (HOST, "v2", 100)])), [deleting(VM1)]) == ()
    assert check(world(*mesh), [deleting(VM1)]) == ()


def test_a_route_does_not_move_requests_to_an_empty_part() -> None:
    """Neither a new route nor a changed one."""
    mesh = (SELECTING, VM1, rule(subsets=SUBSETS))
    empty = route(to=[(HOST, "v2", 100)])
    assert laws(check(world(*mesh), [creating(empty)])) == [(1, 1)]
    assert laws(check(world(*mesh, route(to=[(HOST, "v1", 100)])), [updating(route(to=[(HOST, "v1", 100)]), empty)])) == [
        (1, 1)
    ]


def test_a_route_to_a_host_out_of_sight_is_not_judged() -> None:
    """Services without selector and names outside the mesh are not read here."""
    old = route(to=[(HOST, "", 100)])
    away = route(to=[("legacy.shop.svc.cluster.local", "", 100)], hosts=[HOST])
    assert check(world(SELECTING, VM1, old), [updating(old, away)]) == ()


def test_a_new_port_of_a_half_empty_route_is_no_new_trouble() -> None:
    """The destination was empty on the port that was there."""
    ports = [{"number": number, "name": f"p{number}", "protocol": "HTTP"} for number in (80, 81)]
    mesh = (SELECTING, VM1, rule(subsets=SUBSETS), route(to=[(HOST, "v1", 50), (HOST, "v2", 50)]))
    assert check(world(*mesh), [updating(SELECTING, entry(app="billing", ports=ports))]) == ()


def test_a_subset_is_defined_before_it_is_used_and_used_no_more_before_it_goes() -> None:
    """In both directions, and a subset that was never defined is no new trouble."""
    v1, both = rule(subsets={"v1": {"v": "1"}}), rule(subsets=SUBSETS)
    to_v1, to_v2 = route(to=[(HOST, "v1", 100)]), route(to=[(HOST, "v2", 100)])
    mesh = (SELECTING, VM1, VM2)
    assert check(world(*mesh, v1, to_v1), [updating(v1, both), updating(to_v1, to_v2)]) == ()
    assert laws(check(world(*mesh, v1, to_v1), [updating(to_v1, to_v2), updating(v1, both)])) == [(3, 1), (3, 1)]
    assert laws(check(world(*mesh, both, to_v2), [updating(both, v1)])) == [(3, 1)]
    assert check(world(*mesh, v1, to_v2), [updating(SELECTING, entry(app="billing", addresses=["240.1.1.1"]))]) == ()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (namespace(), document("ServiceAccount", "billing")),
        (document("ServiceAccount", "billing"), vm("vm1", "10.0.0.1", serviceAccount="billing")),
        (record(VM1), VM1),
        (document("AuthorizationPolicy", "deny", spec={"selector": {"matchLabels": {"app": "billing"}}}), VM1),
        (VM1, SELECTING),
        (SELECTING, route(to=[(HOST, "", 100)])),
        (rule(subsets=SUBSETS), route(to=[(HOST, "v1", 100)])),
    ],
    ids=lambda one: one["kind"],
)
def test_what_is_used_comes_first_and_goes_last(first: Document, then: Document) -> None:
    """Each pair the right way round, the wrong way round, and mirrored."""
    assert all(one.law != 3 for one in check(world(), [creating(first), creating(then)]))
    assert (3, 1) in laws(check(world(), [creating(then), creating(first)]))
    assert all(one.law != 3 for one in check(world(first, then), [deleting(then), deleting(first)]))
    assert (3, 1) in laws(check(world(first, then), [deleting(first), deleting(then)]))


@pytest.mark.parametrize(
    ("old", "new", "lawful"), [("STATIC", "DNS", False), ("DNS", "STATIC", False), ("DNS", "DNS_ROUND_ROBIN", True)]
)
def test_static_and_dns_do_not_change_in_place(old: str, new: str, lawful: Any) -> None:
    """It would rebuild the service in every proxy."""
    before, after = (entry(endpoints=["10.0.0.1"], resolution=one) for one in (old, new))
    assert (check(world(before), [updating(before, after)]) == ()) is lawful


def test_endpoints_and_selector_are_never_there_together() -> None:
    """A swap that leaves another writer's endpoints beside our selector would be refused by the API server."""
    ours: Change = updating(entry(), SELECTING)
    assert laws(check(world(INLINE, VM1), [ours])) == [(4, 1)]
    assert check(world(INLINE, VM1), [updating(INLINE, SELECTING)]) == ()


def test_a_service_entry_is_never_deleted_and_made_again() -> None:
    """Its automatic address could change, and clients remember it."""
    assert (4, 2) in laws(check(world(SELECTING, VM1), [deleting(SELECTING), creating(SELECTING)]))
