"""Who leaves load balancing and who may not, over any sequence of reports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.changes import Action, Change
from reconciler.core.drain import Drain
from reconciler.core.health.brakes import Brake
from reconciler.core.health.conditions import Condition
from reconciler.core.health.deciding import Decision, decide
from reconciler.core.health.drains import drains_of
from reconciler.core.health.moves import leaving
from reconciler.core.health.vitals import Vital, Vitals
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.outcome import outcome
from reconciler.core.plans import GuardCode
from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.wanted import wanted_now
from reconciler.core.world import World
from tests.building import TARGET, desired, live, observed, written
from tests.core.meshes import NOW, entry, pod, record, route, rule, vm

FREE = Brake(percent=100)


def checked(number: int, *, healthy: bool = True, **more: Any) -> Document:
    """A VM whose health counts, with its condition."""
    found = vm(f"vm{number}", f"10.0.0.{number}", **more)
    annotated = {**found["metadata"], "annotations": {HEALTH_CHECKED: "true"}}
    return {**found, "metadata": annotated, "status": {"conditions": [Condition(healthy, "ReportedHealthy").document]}}


def status(of: Document, health: str, **more: Any) -> Document:
    """A record of the registry with what its VM says."""
    found = record(of, health=health, address=of["spec"]["address"])
    return {**found, "status": {**found["status"], **more}}


def looked(*documents: Document, pods: Any = (), **settings: Any) -> Decision:
    """What is decided over these live objects and records."""
    fleet = vitals(*documents)
    world = World.build({Key.of(one): one for one in documents}, pods)
    return decide(fleet, world, settings.get("brake", FREE), settings.get("overrides", ()), settings.get("now", NOW))


def vitals(*documents: Document) -> tuple[Vital, ...]:
    """The VMs among these live objects, of which Git says the same."""
    machines = [one for one in documents if one["kind"] == "VirtualMachine"]
    others = [one for one in documents if one not in machines]
    statuses = {Key.of(one): one.get("status") for one in others}
    objects = [written(one) for one in others]
    for one in objects:
        if statuses[one.key]:
            one.document["status"] = statuses[one.key]
    git = desired(*({name: part for name, part in one.items() if name != "status"} for one in others))
    return Vitals().of(wanted_now(git, TARGET), observed(*objects, *map(live, machines)), TARGET)


def names(changes: tuple[Change, ...]) -> list[str]:
    """Whom they are about."""
    return [one.key.name for one in changes]


BILLING = entry(app="billing")
ONE, TWO = checked(1), checked(2)


def test_who_is_ill_leaves_as_long_as_somebody_else_is_well() -> None:
    """The first one; the second would be the last."""
    found = looked(BILLING, ONE, TWO, status(ONE, "unhealthy"), status(TWO, "unhealthy"), pods=[pod("p1")])
    assert (names(found.goes), names(found.held)) == (["vm1", "vm2"], [])
    found = looked(BILLING, ONE, TWO, status(ONE, "unhealthy"), status(TWO, "healthy"))
    assert (names(found.goes), names(found.held), found.services) == (["vm1"], [], frozenset({("shop", "billing.internal")}))


def test_a_subset_that_gets_requests_is_not_emptied_either() -> None:
    """The service has others, but the route's destination has not."""
    subsets = rule(subsets={"old": {"v": "1"}})
    lonely = checked(1, labels={"v": "1"})
    to_it = route(to=[("billing.internal", "old", 100)])
    ill = status(lonely, "unhealthy")
    (guard,) = looked(BILLING, lonely, TWO, ill, status(TWO, "healthy"), subsets, to_it).guards
    assert (guard.code, "subset old" in guard.message) == (GuardCode.LAST_ENDPOINT, True)
    assert names(looked(BILLING, lonely, TWO, ill, status(TWO, "healthy"), subsets).goes) == ["vm1"]


def test_a_drained_vm_leaves_before_the_ill_and_past_the_brake() -> None:
    """A person's will is neither held nor counted by the brake; the last endpoint stays even so."""
    three, tight = checked(3), Brake(percent=0)
    drained = [status(one, "healthy", draining=True) for one in (ONE, TWO)]
    found = looked(BILLING, ONE, TWO, three, *drained, status(three, "healthy"), brake=tight)
    assert names(found.goes) == ["vm1", "vm2"]
    both = looked(BILLING, ONE, TWO, *drained)
    assert [(one.code, one.keys[0].name) for one in both.guards] == [(GuardCode.LAST_ENDPOINT, name) for name in ("vm1", "vm2")]
    named = looked(BILLING, ONE, TWO, *drained, overrides={both.guards[0].override})
    assert (names(named.goes), names(named.held)) == (["vm1"], ["vm2"])


@pytest.mark.parametrize(("size", "expected"), [(1, 1), (4, 1), (10, 3), (40, 10), (1000, 10)])
def test_the_brake_lets_some_go_by_count_and_percent(size: int, expected: int) -> None:
    """Never none, so that a small fleet is not frozen."""
    assert Brake().allowed(size) == expected


def test_who_left_within_the_window_counts_against_the_brake() -> None:
    """The condition itself says when that was."""
    gone = checked(3)
    gone["status"] = {
        "conditions": [Condition(healthy=False, reason="ReportedUnhealthy", since=NOW - timedelta(minutes=4)).document]
    }
    ill = [status(one, "unhealthy") for one in (ONE, gone)]
    found = looked(BILLING, ONE, TWO, gone, *ill, status(TWO, "healthy"), brake=Brake(percent=0))
    assert [(one.code, one.until) for one in found.guards] == [(GuardCode.HEALTH_BRAKE, NOW + timedelta(minutes=6))]
    later = looked(
        BILLING, ONE, TWO, gone, *ill, status(TWO, "healthy"), brake=Brake(percent=0), now=NOW + timedelta(minutes=7)
    )
    assert names(later.goes) == ["vm1"]


Reports = dict[int, tuple[str, bool]]
_HEALTH = st.tuples(st.sampled_from(["healthy", "unhealthy", "unknown"]), st.booleans())


@given(st.lists(st.dictionaries(st.integers(1, 4), _HEALTH, min_size=1), min_size=1, max_size=6), st.integers(0, 100))
def test_no_sequence_of_reports_empties_a_service(said: list[Reports], percent: int) -> None:
    """Whatever VMs say, somebody is always listed, and whoever is well and not drained gets requests in the end."""
    machines = {number: checked(number) for number in range(1, 5)}
    reports: Reports = dict.fromkeys(machines, ("healthy", False))
    for number, news in enumerate(said):
        reports |= news
        records = [status(machines[one], health, draining=drained) for one, (health, drained) in reports.items()]
        found = looked(BILLING, *machines.values(), *records, brake=Brake(percent=percent), now=NOW + timedelta(minutes=number))
        for change in (*found.comes, *found.goes):
            one = int(change.key.name[-1])
            after = outcome(machines[one], change)
            assert after is not None
            machines[one] = after
            listed = World.build({Key.of(each): each for each in (BILLING, *machines.values())})
            assert list(listed.endpoints("shop", "billing.internal", 80))
        for one, (health, drained) in reports.items():
            condition = Condition.of(machines[one])
            assert condition
            assert condition.healthy or health != "healthy" or drained


@given(st.lists(st.sets(st.integers(1, 4)), min_size=1, max_size=6))
def test_no_sequence_of_drains_empties_a_service(said: list[set[int]]) -> None:
    """Of VMs whose health does not count: whoever is let back in comes, whoever is drained goes as long as others are left."""
    machines = {number: vm(f"vm{number}", f"10.0.0.{number}", weight=number) for number in range(1, 5)}
    before = dict(machines)
    for draining in said:
        over = Drain("ann", NOW, NOW).document
        drained = {one: {"draining": True, "drain": over} if one in draining else {} for one in machines}
        records = [status(before[one], "healthy", **more) for one, more in drained.items()]
        documents = (BILLING, *machines.values(), *records)
        fleet, seen = vitals(*documents), live_state(*documents)
        git = {Key.of(one): one for one in before.values()}
        moved = leaving(drains_of(fleet, git, seen, NOW, timedelta(0)), git, seen)
        moved |= {
            key: Change(key, Action.UPDATE, machines[one], before[one])
            for one in machines.keys() - draining
            if machines[one] != before[one] and (key := Key.of(before[one]))
        }
        world = World.build({Key.of(one): one for one in documents})
        found = decide(fleet, world, FREE, (), NOW, moved)
        for change in (*found.comes, *found.goes):
            one = int(change.key.name[-1])
            after = outcome(machines[one], change)
            assert after is not None
            machines[one] = after
            listed = World.build({Key.of(each): each for each in (BILLING, *machines.values())})
            assert list(listed.endpoints("shop", "billing.internal", 80))
        assert all(machines[one] == before[one] for one in machines.keys() - draining)
        assert draining == machines.keys() or all(machines[one] != before[one] for one in draining)


def live_state(*documents: Document) -> ObservedState:
    """What both stores hold, of these documents."""
    machines = [one for one in documents if one["kind"] == "VirtualMachine"]
    return observed(*(written(one) for one in documents if one not in machines), *map(live, machines))
