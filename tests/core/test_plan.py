"""From differences to plans: the story that the demo tells, and what may not go wrong on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from reconciler.core.changes import Action
from reconciler.core.plan import make_plan
from reconciler.core.plans import WHOLE, GuardCode, Mode, Plan
from reconciler.core.resources import Document, Key, Revision
from reconciler.core.wanted import MODE_ANNOTATION
from tests.building import document, live, observed
from tests.core.meshes import (
    NOW,
    SETTINGS,
    approved,
    asked,
    commit,
    differences,
    entry,
    guards,
    namespace,
    plan,
    pod,
    record,
    route,
    rule,
    shares,
    there,
    unit,
    vm,
    waves,
)

HOST, LEDGER = "billing.internal", "ledger.internal"
ACCOUNT = document("ServiceAccount", "billing")
SPEC = {"labels": {"app": "billing", "platform": "vm"}, "serviceAccount": "billing"}
INLINE = entry(endpoints=[{"address": f"10.0.0.{number}", **SPEC} for number in (1, 2)])
SELECTING = entry(app="billing")


def vms(weight: int = 1) -> list[Document]:
    """The VMs of the story."""
    return [vm(f"vm{n}", f"10.0.0.{n}", labels={"platform": "vm"}, serviceAccount="billing", weight=weight) for n in (1, 2)]


def records() -> list[Document]:
    """Their records."""
    return [record(one) for one in vms()]


def billing(made: Plan) -> list[list[str]]:
    """What billing's unit writes."""
    return waves(unit(made, "shop/billing"))


def test_the_story_begins_with_inline_endpoints() -> None:
    """The account first, then the service; half and half."""
    made = plan(commit(ACCOUNT, INLINE), there())
    assert billing(made) == [["create ServiceAccount/billing"], ["create ServiceEntry/billing"]]
    assert unit(made, "shop/billing").before == ()
    assert shares(unit(made, "shop/billing").after) == {"billing-0": Fraction(1, 2), "billing-1": Fraction(1, 2)}


def test_the_story_goes_on_with_a_selector_without_an_empty_moment() -> None:
    """Records, VMs, then endpoints and selector in one write of the same object; nobody's share moves."""
    made = plan(commit(ACCOUNT, SELECTING, *vms(), *records()), there(ACCOUNT, INLINE))
    assert billing(made) == [
        ["create VirtualMachine/vm1", "create VirtualMachine/vm2"],
        ["create WorkloadEntry/vm1", "create WorkloadEntry/vm2"],
        ["update ServiceEntry/billing"],
    ]
    assert guards(made) == []
    one = unit(made, "shop/billing")
    assert sorted(shares(one.before).values()) == sorted(shares(one.after).values()) == [Fraction(1, 2), Fraction(1, 2)]


def test_the_story_raises_weights_before_pods_join() -> None:
    """One wave, no share moved yet; then Pods come and nothing is to be written."""
    before, after = there(ACCOUNT, SELECTING, *vms(), *records()), commit(ACCOUNT, SELECTING, *vms(9), *records())
    made = plan(after, before)
    assert billing(made) == [["update WorkloadEntry/vm1", "update WorkloadEntry/vm2"]]
    joined = there(ACCOUNT, SELECTING, *vms(9), *records(), pods=[pod("p1"), pod("p2")])
    assert plan(after, joined).units == ()
    heavier = plan(commit(ACCOUNT, SELECTING, *vms(19), *records()), joined)
    assert unit(heavier, "shop/billing").before[0].share("pod") == Fraction(1, 10)
    assert unit(heavier, "shop/billing").after[0].share("pod") == Fraction(1, 20)


def test_vms_leave_while_pods_answer() -> None:
    """VMs first, then their records, then the account that only they used; the endpoint budget asks."""
    git, seen = commit(SELECTING), there(ACCOUNT, SELECTING, *vms(), *records(), pods=[pod("p1")])
    assert asked(plan(git, seen)) == {f"endpoints:shop/{HOST}"}
    assert billing(approved(git, seen)) == [
        ["delete WorkloadEntry/vm1", "delete WorkloadEntry/vm2"],
        ["delete VirtualMachine/vm1", "delete VirtualMachine/vm2"],
        ["delete ServiceAccount/billing"],
    ]


def test_vms_do_not_leave_while_nobody_else_answers() -> None:
    """Approved or not: no override makes a service empty."""
    git, seen = commit(SELECTING), there(SELECTING, *vms())
    made = approved(git, seen)
    assert [one.code for one in guards(made)] == [GuardCode.UNLAWFUL]
    assert "would leave billing.internal port 80 without a healthy endpoint" in guards(made)[0].message
    assert unit(made, "shop/billing").steps == ()


def test_what_waits_and_has_no_lawful_place_yet_is_told_before_it_is_due() -> None:
    """VMs go in half an hour, by when Pods may answer; until then a warning, and everything else goes on."""
    git, seen = commit(SELECTING, vms(5)[0]), there(SELECTING, *vms())
    made = plan(commit(SELECTING, vm("new", "10.0.0.9", app="x")), there(SELECTING, *vms()), first_seen={})
    one = unit(made, "shop/billing")
    assert [guard.code for guard in one.guards] == [GuardCode.ENDPOINT_BUDGET, GuardCode.PRUNE_AFTER]
    (warning,) = one.problems
    assert "what is held would be refused as things stand: write 2 of 2" in warning.message
    assert waves(unit(made, "WorkloadEntry shop/new")) == [["create WorkloadEntry/new"]]
    assert unit(plan(git, seen, first_seen={}), "shop/billing").problems == ()


@pytest.mark.case("D-08")
def test_D_08_a_new_name_is_made_before_the_old_one_goes() -> None:  # noqa: N802 - named by its case
    """A VM, and a ServiceEntry whose host stays: that one is no deletion of a service."""
    old, new = vm("old", "10.0.0.1"), vm("new", "10.0.0.1")
    made = plan(commit(SELECTING, new), there(SELECTING, old))
    assert billing(made) == [["create WorkloadEntry/new"], ["delete WorkloadEntry/old"]]
    renamed = entry("payments", app="billing", hosts=[HOST])
    made = plan(commit(renamed, old), there(SELECTING, old))
    assert billing(made) == [["create ServiceEntry/payments"], ["delete ServiceEntry/billing"]]
    assert guards(made) == []


@pytest.mark.case("D-03")
def test_D_03_an_empty_folder_deletes_nothing_by_itself() -> None:  # noqa: N802 - named by its case
    """It takes every name that the plan asks for, and these are bound to its digest."""
    mesh = [entry(f"s{number}", endpoints=[f"10.0.0.{number}"]) for number in range(1, 6)]
    made = plan(commit(), there(*mesh))
    assert all(not one.steps for one in made.units)
    names = asked(made)
    assert {"delete-services:5", "delete-objects:5", "delete:ServiceEntry/shop/s1"} <= names
    assert made.units[0].name == WHOLE
    assert all(not one.steps for one in plan(commit(), there(*mesh), overrides=names - {"delete-objects:5"}).units)
    gone = approved(commit(), there(*mesh))
    assert [waves(one) for one in gone.units] == [[[f"delete ServiceEntry/s{number}"]] for number in range(1, 6)]
    assert gone.digest == made.digest


@pytest.mark.case("D-09")
def test_D_09_an_approval_is_void_once_another_commit_is_there() -> None:  # noqa: N802 - named by its case
    """The same content under another commit is another digest; so is other content, or another object beforehand."""
    git, seen = commit(SELECTING, *vms()), there(SELECTING)
    made = plan(git, seen)
    assert plan(replace(git, revision=Revision("b" * 40)), seen).digest != made.digest
    assert plan(commit(SELECTING, *vms(2)), seen).digest != made.digest
    assert plan(git, there(entry(app="other"))).digest != made.digest
    assert plan(git, seen).digest == made.digest


def test_a_digest_stays_while_timers_run_and_health_comes_and_goes() -> None:
    """An approval given now is good half an hour later, and when a VM has reported."""
    kept, gone = vm("vm1", "10.0.0.1"), vm("vm2", "10.0.0.2")
    git = commit(SELECTING, kept)
    found = [
        plan(git, there(SELECTING, kept, gone, record(kept, **status)), now=now)
        for status in ({}, {"health": "healthy"})
        for now in (NOW, NOW + timedelta(days=1))
    ]
    assert len({one.digest for one in found}) == 1


def test_deletions_wait_for_their_time_and_nothing_else_does() -> None:
    """The plan says until when; named, they go at once."""
    mesh = [vm(f"vm{number}", f"10.0.0.{number}") for number in range(1, 5)]
    new = vm("vm9", "10.0.0.9")
    git, seen = commit(SELECTING, *mesh[:3], new), there(SELECTING, *mesh)
    first = {Key.of(mesh[3]): NOW - timedelta(minutes=10)}
    made = plan(git, seen, first_seen=first)
    assert billing(made) == [["create WorkloadEntry/vm9"]]
    (guard,) = guards(made)
    assert (guard.code, guard.until, guard.keys) == (GuardCode.PRUNE_AFTER, NOW + timedelta(minutes=20), (Key.of(mesh[3]),))
    assert [one.key.name for one in unit(made, "shop/billing").held] == ["vm4"]
    at_once = plan(git, seen, first_seen=first, prune_now=["WorkloadEntry/shop/vm4"])
    assert billing(at_once) == [["create WorkloadEntry/vm9"], ["delete WorkloadEntry/vm4"]]


@pytest.mark.case("A-10")
def test_A_10_one_bad_unit_never_blocks_the_others() -> None:  # noqa: N802 - named by its case
    """Forty services, one of them unlawful: thirty-nine go, and wait for nobody."""
    names = [f"s{number:02}" for number in range(40)]
    entries = [entry(name, app=name) for name in names]
    old = [vm(f"{name}-vm", f"10.0.1.{number}", app=name) for number, name in enumerate(names)]
    later = [
        vm(f"{name}-vm", f"10.0.1.{number}", app="none" if name == "s20" else name, weight=5)
        for number, name in enumerate(names)
    ]
    made = approved(commit(*entries, *later), there(*entries, *old))
    assert [one.name for one in made.units if not one.steps] == ["shop/s20"]
    assert all(one.waits_for == () for one in made.units)
    assert [one.code for one in guards(made)] == [GuardCode.UNLAWFUL]


def test_units_wait_for_the_base_they_stand_on() -> None:
    """In a new namespace everything waits for it, in an old one nothing does."""
    mesh = [SELECTING, *vms(), *records(), ACCOUNT]
    made = plan(commit(namespace(), *mesh), there())
    assert [(one.name, one.waits_for) for one in made.units] == [("base shop", ()), ("shop/billing", ("base shop",))]
    assert [one.waits_for for one in plan(commit(namespace(), *mesh), there(namespace())).units] == [()]


def test_who_waits_for_a_unit_that_stands_still_waits_for_those_before_it() -> None:
    """A shared route that is refused lies between a VM that comes and one that goes: they still go one after the other."""
    mesh = [SELECTING, entry("ledger", endpoints=["10.0.1.1"])]
    shared = route("r", to=[(HOST, "none", 50), (LEDGER, "", 50)])
    made = approved(commit(*mesh, vm("new", "10.0.0.9"), shared), there(*mesh, vm("old", "10.0.0.8")))
    assert unit(made, "VirtualService shop/r").steps == ()
    assert "shop/billing" in unit(made, "shop/billing removals").waits_for
    assert unit(made, "shop/billing removals").steps


def test_an_observed_unit_shows_its_steps_and_is_marked() -> None:
    """By setting, by its Namespace, or by itself; the reason is told."""
    quiet = {**SELECTING, "metadata": {**SELECTING["metadata"], "annotations": {MODE_ANNOTATION: "observe"}}}
    other = entry("other", endpoints=["10.0.0.9"])
    made = plan(commit(quiet, *vms(), other), there())
    assert [(one.name, one.mode) for one in made.units] == [("shop/billing", Mode.OBSERVE), ("shop/other", Mode.ENFORCE)]
    one = unit(made, "shop/billing")
    assert len(one.steps) == 1
    assert [problem.message for problem in one.problems] == [
        "shop/billing is only observed: ServiceEntry shop/billing is set to observe in Git"
    ]
    all_quiet = plan(commit(SELECTING, other), there(), settings=replace(SETTINGS, mode=Mode.OBSERVE))
    assert {one.mode for one in all_quiet.units} == {Mode.OBSERVE}


def test_what_needs_an_observed_unit_is_observed_too() -> None:
    """A shared route must not move to a subset that will not be written."""
    old, new = rule(subsets={"v1": {}}), rule(subsets={"v1": {}, "v2": {}})
    shared = [route("r", to=[(HOST, one, 50), (LEDGER, "", 50)]) for one in ("v1", "v2")]
    quiet = {**SELECTING, "metadata": {**SELECTING["metadata"], "annotations": {MODE_ANNOTATION: "observe"}}}
    mesh = [quiet, *vms(), entry("ledger", endpoints=["10.0.1.1"])]
    made = plan(commit(*mesh, new, shared[1]), there(*mesh, old, shared[0]))
    assert {one.name: one.mode for one in made.units} == {
        "shop/billing": Mode.OBSERVE,
        "VirtualService shop/r": Mode.OBSERVE,
    }
    assert "shop/billing, which comes first, is only observed" in unit(made, "VirtualService shop/r").problems[0].message


def test_a_unit_with_an_object_that_is_not_adopted_is_observed() -> None:
    """Its other half must not change alone."""
    foreign = observed(live(SELECTING))
    made = plan(commit(SELECTING, *vms()), foreign)
    assert unit(made, "shop/billing").mode is Mode.OBSERVE
    assert "is not adopted" in unit(made, "shop/billing").problems[0].message


def test_every_plan_states_the_split_before_and_after() -> None:
    """Per service port, with what nobody knows."""
    made = plan(commit(SELECTING, *vms(4)), there(SELECTING, *vms(), pods=[pod("p1")]))
    one = unit(made, "shop/billing")
    assert [(each.service, each.port) for each in one.after] == [(HOST, 80)]
    assert (one.before[0].share("pod"), one.after[0].share("pod")) == (Fraction(1, 3), Fraction(1, 9))
    assert any(note.startswith("health-unknown: ") for note in one.after[0].notes)
    assert any(note.startswith("least-request: approximate") for note in one.after[0].notes)


def test_nothing_to_do_is_an_empty_plan() -> None:
    """With a digest all the same."""
    made = plan(commit(SELECTING), there(SELECTING))
    assert (made.units, made.paused, len(made.digest)) == ((), False, 64)


def test_equal_input_makes_equal_plans() -> None:
    """Whatever the order of files and listings."""
    mesh = [SELECTING, *vms(), *records(), rule(subsets={"v1": {}}), route(to=[(HOST, "v1", 100)]), namespace()]
    one, other = plan(commit(*mesh), there()), plan(commit(*reversed(mesh)), there())
    assert [waves(each) for each in one.units] == [waves(each) for each in other.units]
    assert [each.after for each in one.units] == [each.after for each in other.units]
    assert one.digest == other.digest
    assert one.why == other.why


def test_a_hand_over_comes_before_the_update_and_is_held_with_it() -> None:
    """Adoption is two writes to one object, in this order."""
    git, seen = (
        commit(entry(app="billing", ports=[{"number": 81, "name": "http", "protocol": "HTTP"}]), *vms()),
        there(SELECTING, *vms()),
    )
    (found,) = differences(git, seen)
    update = found.changes[0]
    handed = replace(update, action=Action.HAND_OVER, after=update.before, managers=("helm",))
    both = replace(found, changes=(handed, update))
    made = make_plan(git, seen, [both], now=NOW, settings=SETTINGS)
    assert [one.action for one in unit(made, "shop/billing").held] == [Action.HAND_OVER, Action.UPDATE]
    made = make_plan(git, seen, [both], now=NOW, settings=SETTINGS, overrides=asked(made))
    assert billing(made) == [["hand-over ServiceEntry/billing"], ["update ServiceEntry/billing"]]
