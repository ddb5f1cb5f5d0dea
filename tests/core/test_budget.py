"""Budgets and timers of deletions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from reconciler.core.budget import Deletions, deleted_services, endpoint_guards, plan_guards, prune_guards, service_guards
from reconciler.core.edges import Write
from reconciler.core.plans import Guard, GuardCode
from reconciler.core.resources import Document, Key
from reconciler.core.simulation import after
from reconciler.core.writes import writes_of
from tests.building import document, machine
from tests.core.meshes import (
    LONG_AGO,
    NOW,
    SETTINGS,
    commit,
    deleting,
    entry,
    pod,
    route,
    rule,
    there,
    updating,
    vm,
    world,
)

BUDGET = Deletions(NOW)
HOST = "billing.internal"
VMS = [vm(f"vm{number}", f"10.0.0.{number}") for number in range(1, 7)]


def writes(*gone: Document) -> list[Write]:
    """The writes that delete these."""
    return writes_of([deleting(one) for one in gone], there(*gone))


def on_plan(gone: list[Document], kept: list[Document], deletions: Deletions = BUDGET) -> list[Guard]:
    """The guards on a plan that deletes some objects and keeps others."""
    found, git = writes(*gone), commit(*kept)
    services = deleted_services(found, git)
    return list(plan_guards(found, services, git, there(*gone, *kept), SETTINGS, deletions))


def test_a_service_is_deleted_when_its_host_goes() -> None:
    """One whose host another ServiceEntry keeps was only renamed; in another namespace it is another host."""
    found = writes(entry(app="billing"))
    assert deleted_services(found, commit()) == (Key("ServiceEntry", "shop", "billing"),)
    assert deleted_services(found, commit(entry("renamed", app="billing", hosts=[HOST]))) == ()
    elsewhere = entry("renamed", app="billing", hosts=[HOST], namespace="pay")
    assert len(deleted_services(found, commit(elsewhere))) == 1
    assert deleted_services(writes(VMS[0]), commit()) == ()


@pytest.mark.case("D-03")
def test_D_03_a_fourth_service_needs_a_word() -> None:  # noqa: N802 - named by its case
    """Three may go, four may not, whatever share of all they are; the override says the number."""
    services = [entry(f"s{number}", app="x") for number in range(60)]
    assert on_plan(services[:3], services[3:]) == []
    (guard,) = on_plan(services[:4], services[4:])
    assert (guard.code, guard.override, len(guard.keys)) == (GuardCode.DELETION_BUDGET, "delete-services:4", 4)


def test_services_deleted_within_a_day_count_too() -> None:
    """Two and two are four; one that is still going is not counted twice."""
    services = [entry(f"s{number}", app="x") for number in range(60)]
    recent = [Key("ServiceEntry", "shop", name) for name in ("gone1", "gone2")]
    (guard,) = on_plan(services[:2], services[2:], replace(BUDGET, recent=recent))
    assert "2 services would be deleted, and 2 were deleted within 24 hours" in guard.message
    again = [Key("ServiceEntry", "shop", "s0"), Key("ServiceEntry", "shop", "s1")]
    assert on_plan(services[:2], services[2:], replace(BUDGET, recent=again)) == []


@pytest.mark.case("D-03")
def test_D_03_all_objects_or_a_large_share_need_a_word() -> None:  # noqa: N802 - named by its case
    """An empty folder deletes nothing by itself; nor does a third of a larger one. Records go with their VMs."""
    (guard,) = on_plan([VMS[0]], [])
    assert (guard.code, guard.override) == (GuardCode.MASS_DELETION, "delete-objects:1")
    assert "1 of 1 objects would be deleted, all" in guard.message
    many = [vm(f"v{number}", "10.0.0.1") for number in range(10)]
    assert on_plan(many[:3], many[3:]) == []
    (guard,) = on_plan(many[:4], many[4:])
    assert "4 of 10 objects would be deleted, more than 30% of all" in guard.message
    assert on_plan(many[:2], many[2:4]) == []


def test_a_deletion_waits_for_its_time() -> None:
    """From when it was first seen; each time has its guard; a person may name what not to wait for."""
    found = writes(*VMS[:3])
    seen = {Key.of(VMS[0]): LONG_AGO, Key.of(VMS[1]): NOW - timedelta(minutes=10)}
    deletions = Deletions(NOW, seen)
    guards = list(prune_guards(found, SETTINGS, deletions))
    assert [(one.until, [key.name for key in one.keys]) for one in guards] == [
        (NOW + timedelta(minutes=20), ["vm2"]),
        (NOW + timedelta(minutes=30), ["vm3"]),
    ]
    assert {one.override for one in guards} == {""}
    named = replace(deletions, prune_now=["WorkloadEntry/shop/vm2"])
    assert [one.keys[0].name for one in prune_guards(found, SETTINGS, named)] == ["vm3"]
    assert list(prune_guards(found, SETTINGS, replace(deletions, prune_now=["all"]))) == []
    later = Deletions(NOW + timedelta(minutes=30), dict.fromkeys((Key.of(one) for one in VMS), NOW))
    assert list(prune_guards(found, SETTINGS, later)) == []


def test_a_vms_record_goes_by_the_name_of_its_workload_entry() -> None:
    """One name for both, and so only one is told; a record alone has its own."""
    found = writes(VMS[0], machine("vm1"), machine("vm2"))
    (guard,) = prune_guards(found, SETTINGS, BUDGET)
    assert "while: WorkloadEntry/shop/vm1, VirtualMachine/shop/vm2 (at once" in guard.message
    named = replace(BUDGET, prune_now=["WorkloadEntry/shop/vm1"])
    assert [str(key) for guard in prune_guards(found, SETTINGS, named) for key in guard.keys] == ["VirtualMachine shop/vm2"]


def test_a_service_goes_by_name_unless_it_is_known_to_be_quiet() -> None:
    """What leads only to it waits with it; what leads elsewhere too does not."""
    one = entry(app="billing")
    both = route("both", to=[(HOST, "", 50), ("ledger.internal", "", 50)])
    found = writes(one, rule(), route(to=[(HOST, "", 100)]), both, VMS[0])
    key = Key.of(one)
    (guard,) = service_guards(found, [key], BUDGET)
    assert (guard.code, guard.override) == (GuardCode.DELETE_SERVICE, "delete:ServiceEntry/shop/billing")
    assert {(each.kind, each.name) for each in guard.keys} == {
        ("ServiceEntry", "billing"),
        ("DestinationRule", "billing"),
        ("VirtualService", "billing"),
    }
    assert "traffic that nobody can see" in guard.message
    (busy,) = service_guards(found, [key], replace(BUDGET, quiet={key: False}))
    assert "had requests within the last hour" in busy.message
    assert list(service_guards(found, [key], replace(BUDGET, quiet={key: True}))) == []
    assert list(service_guards(found, [], BUDGET)) == []


def endpoints(before: list[Document], later: list[Document], *gone: Document, pods: int = 0) -> list[Guard]:
    """The guards on billing's endpoints when these are updated or deleted."""
    seen = there(*before, pods=[pod(f"p{number}") for number in range(pods)])
    old = {Key.of(one): one for one in before}
    changes = [deleting(one) for one in gone] + [updating(old[Key.of(one)], one) for one in later]
    start = end = world(*before, pods=seen.pods)
    for change in changes:
        end = after(end, change)
    return list(endpoint_guards(start, end, [("shop", HOST)], writes_of(changes, seen), SETTINGS))


def test_a_third_of_the_endpoints_may_go_at_once() -> None:
    """One of three may, two of three may not, one of two may not; Pods count as endpoints."""
    mesh = [entry(app="billing"), *VMS[:3]]
    assert endpoints(mesh, [], VMS[0]) == []
    (guard,) = endpoints(mesh, [], VMS[0], VMS[1])
    assert (guard.code, guard.override) == (GuardCode.ENDPOINT_BUDGET, f"endpoints:shop/{HOST}")
    assert f"{HOST} would lose 2 of 3 endpoints; at most 1/3 may go at once" in guard.message
    assert [key.name for key in guard.keys] == ["vm1", "vm2"]
    assert len(endpoints(mesh[:3], [], VMS[0])) == 1
    assert endpoints(mesh[:3], [], VMS[0], pods=1) == []


def test_an_endpoint_that_keeps_its_name_or_its_address_is_not_lost() -> None:
    """A VM with a new address, and one with a new name."""
    mesh = [entry(app="billing"), *VMS[:2]]
    assert endpoints(mesh, [vm("vm1", "10.0.9.9")]) == []
    inline = entry(endpoints=["10.0.0.1", "10.0.0.2"])
    assert endpoints([inline, *VMS[:2]], [entry(app="billing")]) == []


def test_endpoints_that_a_service_entry_drops_count_as_well() -> None:
    """Inline ones, and those that a narrower selector leaves out."""
    inline = entry(endpoints=["10.0.0.1", "10.0.0.2"])
    (guard,) = endpoints([inline], [entry(endpoints=["10.0.0.1"])])
    assert [key.name for key in guard.keys] == ["billing"]
    mesh = [entry(app="billing"), vm("a", "10.0.0.1", labels={"v": "1"}), vm("b", "10.0.0.2")]
    narrow = entry(workloadSelector={"labels": {"app": "billing", "v": "1"}})
    assert len(endpoints(mesh, [narrow])) == 1


def test_a_group_counts_as_the_entries_that_it_owns() -> None:
    """They go with it."""
    owned = VMS[0] | {"metadata": {**VMS[0]["metadata"], "ownerReferences": [{"kind": "WorkloadGroup", "name": "vms"}]}}
    group = document("WorkloadGroup", "vms", spec={"template": {}})
    start = world(entry(app="billing"), VMS[1], group)
    start = replace(start, documents=start.documents.put(Key.of(owned), owned))
    start = after(start, updating(owned, owned))
    (write,) = writes_of([deleting(group)], there(group))
    end = after(start, write.change)
    (guard,) = endpoint_guards(start, end, [("shop", HOST)], [write], replace(SETTINGS, max_lost_endpoints=Fraction(1, 3)))
    assert guard.keys == (Key.of(group),)


def test_a_service_that_goes_as_a_whole_is_not_counted_by_endpoints() -> None:
    """It has a guard of its own."""
    one = entry(app="billing")
    assert endpoints([one, *VMS[:2]], [], one, *VMS[:2]) == []
