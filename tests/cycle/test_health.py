"""The health of VMs in a cycle: what the registry hears becomes conditions, and these what Istio sends requests to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.adoption import Adoption
from reconciler.core.changes import Action
from reconciler.core.health.brakes import Brake
from reconciler.core.health.codes import Code
from reconciler.core.health.conditions import Condition, Reason
from reconciler.core.health.states import STATES
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.plans import GuardCode, Mode
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Key
from reconciler.cycle.status import read_status
from reconciler.errors import Conflict, Rejected, Unavailable
from reconciler.reports import words
from tests.building import document
from tests.vms.scene import VM1, VM2, VM3, Office, checked, drain, page, report, settled
from tests.worlds import TARGET, Hooked, World, mixed

#: Lets everybody go.
FREE = Brake(percent=100)


def condition(world: World, name: str) -> Condition:
    """The condition of a VM, which must have one."""
    live = world.live("WorkloadEntry", name)
    assert live is not None
    found = Condition.of(live.document)
    assert found is not None
    return found


def counts(world: World, name: str) -> bool:
    """Whether Istio goes by a VM's condition."""
    live = world.live("WorkloadEntry", name)
    assert live is not None
    return HEALTH_CHECKED in live.annotations


def in_use(world: World, name: str) -> bool:
    """Whether a VM is there and gets requests."""
    return world.live("WorkloadEntry", name) is not None and condition(world, name).healthy


def endpoints(one: Report, *, after: bool = True) -> set[str]:
    """Who gets requests, as the units about health predict it."""
    units = [unit for unit in one.plan.units if unit.name.startswith("health")] if one.plan else []
    found = [split for unit in units for split in (unit.after if after else unit.before)]
    return {endpoint.name for split in found for endpoint in split.endpoints}


@pytest.fixture
def world() -> World:
    """Three VMs behind billing, all well, all with health that counts."""
    world = World()
    world.commit(mixed(VM1, VM2, VM3))
    world.run()
    for name in ("vm1", "vm2", "vm3"):
        report(world, name, "healthy")
    settled(world)
    return world


def test_health_counts_only_once_a_good_condition_stands() -> None:
    """Entries are made without the annotation; a good report brings the condition, and only that the annotation."""
    world = World()
    world.commit(mixed(VM1, VM2))
    first = world.run()
    assert first.verdict is Verdict.APPLIED
    assert not counts(world, "vm1")
    told = "health does not count yet, before a first good report: shop/vm1, shop/vm2"
    assert told in [one.message for one in world.run("plan").problems]
    report(world, "vm1", "healthy")
    report(world, "vm2", "unhealthy")
    plan = world.run("plan")
    assert (plan.verdict, world.run().verdict) == (Verdict.CHANGES, Verdict.APPLIED)
    assert [(name, condition(world, name).healthy, counts(world, name)) for name in ("vm1", "vm2")] == [
        ("vm1", True, False),
        ("vm2", False, False),
    ]
    assert settled(world).verdict is Verdict.IN_SYNC
    assert (counts(world, "vm1"), counts(world, "vm2")) == (True, False)
    report(world, "vm2", "healthy")
    settled(world)
    assert counts(world, "vm2")


def test_a_vm_leaves_when_it_is_ill_and_comes_back_when_it_is_well(world: World) -> None:
    """The plan says so beforehand, with the split; the annotation stays."""
    report(world, "vm2", "unhealthy")
    plan = world.run("plan")
    assert plan.verdict is Verdict.CHANGES
    assert (endpoints(plan, after=False), endpoints(plan)) == ({"vm1", "vm2", "vm3"}, {"vm1", "vm3"})
    applied = world.run()
    assert (applied.verdict, [(one.key.name, one.action) for one in applied.results]) == (
        Verdict.APPLIED,
        [("vm2", Action.CONDITION)],
    )
    left = condition(world, "vm2")
    assert (left.healthy, left.reason, left.since) == (False, Reason.REPORTED_UNHEALTHY, world.clock.now())
    assert settled(world).verdict is Verdict.IN_SYNC
    report(world, "vm2", "healthy")
    assert endpoints(world.run("plan")) == {"vm1", "vm2", "vm3"}
    settled(world)
    assert condition(world, "vm2").healthy
    assert counts(world, "vm2")


def test_nothing_is_asked_or_written_while_nobody_says_anything_new(world: World) -> None:
    """A sign of life is no news, and a look after it is free."""
    process = world.process()
    world.serve(process)
    world.pass_time(seconds=10)
    report(world, "vm2", "healthy")
    assert process.nothing_new()
    report(world, "vm2", "unhealthy")
    assert not process.nothing_new()


@pytest.mark.case("V-10")
def test_a_report_from_another_address_speaks_against_the_entry(world: World) -> None:
    """A rebuilt VM must not make its old address look well."""
    report(world, "vm2", "healthy", address="10.0.0.99")
    settled(world)
    found = condition(world, "vm2")
    assert (found.healthy, found.reason) == (False, Reason.ADDRESS_DIFFERS)
    assert "10.0.0.99" in found.message


def test_the_last_endpoint_stays_however_ill(world: World) -> None:
    """The service is not emptied by reports; a person who names it may do so, for this once."""
    for name in ("vm1", "vm2"):
        report(world, name, "unhealthy")
        settled(world, brake=FREE)
    report(world, "vm3", "unhealthy")
    held = world.run("apply", world.process(brake=FREE))
    (guard,) = held.guards
    assert (held.verdict, guard.code, held.results) == (Verdict.REFUSED, GuardCode.LAST_ENDPOINT, ())
    assert "billing.internal port 80" in guard.message
    world.run("apply", world.process(brake=FREE), allow=frozenset({guard.override}))
    assert not condition(world, "vm3").healthy
    world.pass_time(seconds=1)
    report(world, "vm3", "healthy")
    settled(world, brake=FREE)
    report(world, "vm3", "unhealthy")
    (again,) = world.run("plan", world.process(brake=FREE)).guards
    assert again.override not in ("", guard.override)


def test_where_all_are_ill_at_once_nobody_leaves(world: World) -> None:
    """Whoever answers some requests is better than nobody."""
    for name in ("vm1", "vm2", "vm3"):
        report(world, name, "unhealthy")
    found = world.run(cycle=world.process(brake=FREE))
    assert {guard.code for guard in found.guards} == {GuardCode.LAST_ENDPOINT}
    assert not found.results


def test_a_brake_holds_many_and_says_whom(world: World) -> None:
    """One may leave within the window, as a floor; the next one when its time has come."""
    for name in ("vm1", "vm2"):
        report(world, name, "unhealthy")
    found = world.run()
    assert [(one.key.name, one.action) for one in found.results] == [("vm1", Action.CONDITION)]
    (guard,) = found.guards
    assert world.run("plan").verdict is Verdict.CHANGES
    assert (guard.code, guard.until) == (GuardCode.HEALTH_BRAKE, world.clock.now() + timedelta(minutes=10))
    assert "vm2 stays for now" in guard.message
    assert words.headline(world.run("plan")) == "Changes are due: 1 VM in or out of load balancing, 8 in sync."
    world.pass_time(minutes=11)
    world.run()
    assert not condition(world, "vm2").healthy


def test_what_istiod_keeps_is_istiods(world: World) -> None:
    """Where it has put its name on an entry, its word counts and ours is not written."""
    world.cluster.edit(
        Key("WorkloadEntry", "shop", "vm2"),
        {"metadata": {"annotations": {"istio.io/workloadController": "istiod-1"}}},
        "pilot-discovery",
    )
    report(world, "vm2", "unhealthy")
    assert settled(world).verdict is Verdict.IN_SYNC
    assert condition(world, "vm2").healthy


def test_conditions_of_others_live_on(world: World) -> None:
    """One that is put there between look and write, too."""
    key = Key("WorkloadEntry", "shop", "vm2")
    bound = {"type": "istio.io/WaypointBound", "status": "True"}
    late: list[bool] = []

    def meanwhile(name: str, *_: Any) -> None:
        if name == "set_conditions" and not late:
            late.append(True)
            live = world.cluster.get(key)
            assert live is not None
            conditions = [*live.document["status"]["conditions"], bound]
            world.cluster.edit(key, {"status": {"conditions": conditions}}, "pilot-discovery", subresource="status")

    report(world, "vm2", "unhealthy")
    found = world.run(cycle=world.process(cluster=Hooked(world.cluster, meanwhile)))
    assert found.verdict is Verdict.APPLIED
    live = world.cluster.get(key)
    assert live is not None
    assert [one["type"] for one in live.document["status"]["conditions"]] == ["istio.io/WaypointBound", "Healthy"]
    assert not condition(world, "vm2").healthy


def test_a_condition_that_somebody_else_changed_meanwhile_is_not_overwritten(world: World) -> None:
    """What was decided on has moved: the next look decides anew."""
    key = Key("WorkloadEntry", "shop", "vm2")

    def meanwhile(name: str, *_: Any) -> None:
        if name == "set_conditions":
            stands = [{"type": "Healthy", "status": "False", "reason": "Probe", "message": "by hand"}]
            world.cluster.edit(key, {"status": {"conditions": stands}}, "kubectl-edit", subresource="status")

    report(world, "vm2", "unhealthy")
    found = world.run(cycle=world.process(cluster=Hooked(world.cluster, meanwhile)))
    assert found.verdict is Verdict.FAILED
    assert condition(world, "vm2").reason == "Probe"
    assert settled(world).verdict is Verdict.IN_SYNC
    assert condition(world, "vm2").reason == "Probe"


def test_assumed_health_counts_and_is_repeated() -> None:
    """Nobody reports, Git says so, and so does every plan."""
    world = World()
    world.commit(mixed(checked("vm1", "10.0.0.1", health="assumed", registry="none"), VM2))
    settled(world)
    assert counts(world, "vm1")
    assert condition(world, "vm1").reason == Reason.ASSUMED
    told = [one.message for one in world.run("plan").problems if one.code == Code.ASSUMED]
    assert told == ["health is assumed, and reported by nobody: shop/vm1"]


def test_a_group_says_whose_word_counts_for_its_vms() -> None:
    """The annotation of the WorkloadGroup counts where the entry has none of its own."""
    world = World()
    group = document("WorkloadGroup", "billing", annotations={"mesh-reconciler.io/health": "assumed"}, spec={"template": {}})
    world.commit([*mixed(checked("vm1", "10.0.0.1", group="billing"), VM2), group])
    settled(world)
    assert (counts(world, "vm1"), counts(world, "vm2")) == (True, False)


@pytest.mark.parametrize("observed", [{"mode": Mode.OBSERVE}, {}])
def test_health_is_only_shown_where_all_is_only_observed(world: World, observed: dict[str, Any]) -> None:
    """By the target's mode, or by a mark on the Namespace."""
    if not observed:
        world.cluster.edit(
            Key("Namespace", "", "shop"), {"metadata": {"annotations": {"mesh-reconciler.io/mode": "observe"}}}, "kubectl"
        )
    report(world, "vm2", "unhealthy")
    found = world.run(cycle=world.process(**observed))
    assert (found.verdict, found.results) == (Verdict.CHANGES, ())
    assert endpoints(found) == {"vm1", "vm3"}
    assert condition(world, "vm2").healthy


def test_a_vm_that_leaves_is_no_reason_to_take_another_one_out(world: World) -> None:
    """Git removes vm1 while vm2 and vm3 become ill: what keeps the service alive is not counted twice."""
    world.commit(mixed(VM2, VM3))
    for name in ("vm2", "vm3"):
        report(world, name, "unhealthy")
    for _ in range(4):
        world.run(cycle=world.process(brake=FREE))
        world.pass_time(minutes=31)
        healthy = [name for name in ("vm1", "vm2", "vm3") if in_use(world, name)]
        assert "vm1" in healthy


def test_a_condition_is_never_what_was_last_written(world: World) -> None:
    """The journal knows of it, and Git's content stays what it was."""
    before = world.store.written()
    report(world, "vm2", "unhealthy")
    settled(world)
    assert world.store.written() == before
    assert [one.action for one in world.store.settled(0)][-1] == Action.CONDITION


def test_a_refused_condition_fails_the_run_and_nothing_else(world: World) -> None:
    """It is tried again with the next look."""

    def refuse(name: str, *_: Any) -> None:
        if name == "set_conditions":
            raise Conflict("not now")

    report(world, "vm2", "unhealthy")
    assert world.run(cycle=world.process(cluster=Hooked(world.cluster, refuse))).verdict is Verdict.FAILED
    assert world.run().verdict is Verdict.APPLIED


@pytest.mark.case("V-10")
def test_where_git_registry_and_vm_disagree_diff_and_history_say_so(world: World) -> None:
    """By name, as long as it is so; the history hears of the change though nothing else has changed."""
    world.commit(mixed(VM1, VM2, VM3, checked("vm4", "10.0.0.4")))
    process = world.process()
    for _ in range(3):
        world.serve(process)
    report(world, "vm2", "healthy", address="10.0.0.99")
    found = {one.object: one.code for one in world.run("diff").problems if one.code in STATES}
    assert found == {"WorkloadEntry shop/vm2": Code.ADDRESS_CHANGED, "WorkloadEntry shop/vm4": Code.MISSING}
    for _ in range(3):
        world.serve(process)
    (last,) = world.store.history(1)
    assert {one["code"] for one in last.report["problems"]} & STATES.keys() == set(found.values())
    report(world, "vm4", "unhealthy")
    world.serve(process)
    world.serve(process)
    (last,) = world.store.history(1)
    assert {one["code"] for one in last.report["problems"]} & STATES.keys() == {Code.ADDRESS_CHANGED}


@pytest.mark.case("V-10")
def test_labels_that_differ_between_cluster_and_registry_have_a_name(world: World) -> None:
    """With Git's, in `diff`, `status` and beside the VM; a commit that is still to be written is no such thing, nor a drain."""

    def found(report: Report) -> dict[str, str]:
        return {one.object: one.message for one in report.problems if one.code == Code.OTHER_LABELS}

    world.edit("WorkloadEntry", "vm2", {"spec": {"labels": {"app": "pay"}}})
    told = "label app: Git billing, cluster pay, registry billing: services pick it by those in the cluster"
    assert found(world.run("diff")) == {"WorkloadEntry shop/vm2": told}
    world.run()
    rows = read_status(TARGET, world.store, world.lease(), world.clock.now()).rows()
    assert ("VM", f"WorkloadEntry shop/vm2: {told} (other-labels)") in rows
    world.edit("WorkloadEntry", "vm2", {"spec": {"labels": {"app": "billing"}}})
    drain(world, "vm3")
    for _ in range(3):
        world.pass_time(seconds=20)
        assert found(world.run()) == {}
    moved = [{**one, "spec": {**one["spec"], "labels": {"app": "billing", "tier": "gold"}}} for one in (VM1, VM2, VM3)]
    world.commit(mixed(*moved))
    assert found(world.run("diff")) == {}
    assert found(world.run()) == {}


@pytest.mark.parametrize("fails", [Unavailable("no answer"), Rejected("no token")])
def test_what_has_joined_is_asked_for_by_those_who_look(world: World, fails: Exception) -> None:
    """A registry's server that cannot be asked is a note, and changes nothing else; a service never asks it."""
    joined = [page("vm9", claimed=False), page("vm1", serviceAccount="root"), page("vm2", agentState="locked")]
    cycle = world.process(office=Office(world, joined))
    assert {one.object: one.code for one in world.run("plan", cycle).problems} == {
        "VirtualMachine shop/vm9": Code.UNCLAIMED,
        "VirtualMachine shop/vm1": Code.OTHER_IDENTITY,
        "VirtualMachine shop/vm2": Code.CREDENTIAL_COPIED,
    }

    def refuse(*_: Any) -> None:
        raise fails

    silent = world.process(office=Hooked(Office(world, joined), refuse))
    told = world.run("diff", silent)
    assert (told.verdict, told.problems) == (Verdict.IN_SYNC, ())
    assert any("registry-unavailable" in note for note in told.notes)
    assert not any("registry-unavailable" in note for note in world.serve(silent).notes)


def test_a_registry_that_cannot_be_read_says_nothing_about_vms(world: World) -> None:
    """The state has a name, and no condition is touched."""

    def refuse(name: str, *_: Any) -> None:
        if name == "observe":
            raise Unavailable("the database is away")

    report(world, "vm2", "unhealthy")
    found = world.run("apply", world.process(registry=Hooked(world.registry, refuse)))
    assert (found.verdict, "registry-unavailable" in found.reason) == (Verdict.UNAVAILABLE, True)
    assert condition(world, "vm2").healthy


def test_a_fight_over_a_condition_ends_with_a_report(world: World) -> None:
    """Whoever changes it back again and again is named, and is let alone until a person has decided."""
    key = Key("WorkloadEntry", "shop", "vm2")
    other = [{"type": "Healthy", "status": "False", "reason": "Probe"}]
    for _ in range(3):
        world.cluster.edit(key, {"status": {"conditions": other}}, "other-controller", subresource="status")
        assert world.run().verdict is Verdict.APPLIED
        assert condition(world, "vm2").healthy
    world.cluster.edit(key, {"status": {"conditions": other}}, "other-controller", subresource="status")
    found = world.run()
    assert [(one.code, "other-controller" in one.message) for one in found.warnings] == [(Code.FOUGHT, True)]
    assert (found.results, condition(world, "vm2").reason) == ((), "Probe")
    world.run(adoption=Adoption(keys=frozenset({Key("Condition", "shop", "vm2")})))
    assert condition(world, "vm2").healthy
    assert world.store.fights() == {}


def test_status_tells_who_is_out_and_where_requests_go_since(world: World) -> None:
    """From the store alone, as of the last change."""
    report(world, "vm2", "unhealthy")
    process = world.process()
    for _ in range(2):
        world.serve(process)
    shown = dict(read_status(TARGET, world.store, world.lease(), world.clock.now()).rows())
    assert shown["VM"] == "WorkloadEntry shop/vm2: gets no requests: its probe fails"
    assert shown["traffic"].startswith("billing.internal:80  vm 100.0 % (2), since health changed at ")
    report(world, "vm2", "healthy")
    for _ in range(2):
        world.serve(process)
    shown = dict(read_status(TARGET, world.store, world.lease(), world.clock.now()).rows())
    assert ("VM" in shown, "vm 100.0 % (3)" in shown["traffic"]) == (False, True)
