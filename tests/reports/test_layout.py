"""How reports are laid out: by unit, what is alike told once."""

from dataclasses import replace

from reconciler.core.changes import Action, FieldDiff, ObjectDiff, State
from reconciler.core.plans import Mode, UnitPlan
from reconciler.core.report import Verdict, Written
from reconciler.core.resources import Key
from reconciler.errors import Problem, Severity
from reconciler.reports import layout
from tests.reports import extremes, samples


def weight(number: int, to: int = 9, namespace: str = "shop") -> ObjectDiff:
    """Return a WorkloadEntry that gets another weight."""
    key = Key("WorkloadEntry", namespace, f"vm-{number}")
    return ObjectDiff(key, State.UPDATE, (FieldDiff("spec.weight", git=to, written=1, cluster=1),), (samples.change(key),))


def test_what_is_alike_is_told_once() -> None:
    """Same kind, namespace, state and rows; an object that differs in another way stands alone."""
    groups = layout.alike([weight(1), weight(2), weight(3, to=5), weight(4, namespace="other"), weight(5)])
    assert [[one.key.name for one in group.objects] for group in groups] == [["vm-1", "vm-2", "vm-5"], ["vm-3"], ["vm-4"]]


def test_values_that_only_look_alike_are_not_alike() -> None:
    """Long values are compared whole, though they are shown in part."""
    rows = [FieldDiff("spec.text", git="x" * 500 + end) for end in "ab"]
    assert len(layout.alike([replace(weight(1), fields=(row,)) for row in rows])) == 2


def test_what_is_made_as_a_whole_is_alike_whatever_is_in_it() -> None:
    """Each field of a new object would say what Git says anyway."""
    (group,) = layout.alike([replace(weight(number, to=number), state=State.CREATE) for number in range(4)])
    assert group.rows == ()
    assert group.name == "WorkloadEntry shop/vm-0, vm-1, vm-2 and 1 more"


def test_problems_keep_objects_apart() -> None:
    """Same rows, other problem: another group; the object's own name in a problem makes no difference."""
    said = [
        replace(weight(number), problems=(Problem("MR5101", f"`--adopt WorkloadEntry/shop/vm-{number}`", Severity.WARNING),))
        for number in (1, 2)
    ]
    assert len(layout.alike([weight(0), *said])) == 2


def test_units_come_in_the_plans_order_and_the_rest_last() -> None:
    """Each with its objects; what no unit holds stands apart."""
    stray = ObjectDiff(Key("ServiceEntry", "shop", "legacy"), State.NOT_ADOPTED)
    report = samples.migration()
    units = layout.units(replace(report, differences=(stray, *report.differences)))
    assert [unit.title for unit in units] == ["base", "shop/billing", "shop/ledger", "left as it is, in no unit of the plan"]
    assert [unit.counts for unit in units] == ["1 create", "3 update, 2 create", "1 delete", "1 not-adopted"]
    assert [unit.urgent for unit in units] == [False, True, True, False]
    assert units[1].remarks == "after base"


def test_without_a_plan_there_are_only_differences() -> None:
    """As after a diff that could not be planned."""
    (only,) = layout.units(samples.every_state())
    assert (only.title, only.plan, only.writes, only.held) == ("differences", None, (), ())


def test_units_that_change_nothing_are_left_out() -> None:
    """A plan lists all units; a report only those with anything to tell."""
    idle = UnitPlan("idle", Mode.ENFORCE, ())
    assert layout.units(samples.report("plan", Verdict.IN_SYNC, plan=samples.plan(idle))) == ()


def test_writes_are_numbered_by_wave_and_folded() -> None:
    """Writes of one wave share their number."""
    billing = layout.units(samples.migration())[1]
    assert [(write.wave, write.action, write.name) for write in billing.writes] == [
        (1, Action.CREATE, "VirtualMachine shop/billing-vm-3"),
        (2, Action.CREATE, "WorkloadEntry shop/billing-vm-3"),
        (3, Action.UPDATE, "WorkloadEntry shop/billing-vm-1, billing-vm-2"),
    ]
    assert [write.name for write in billing.held] == ["ServiceEntry shop/billing"]


def test_outcomes_are_summed_up() -> None:
    """A unit in which anything is not done wants a person."""
    base, billing, ledger = layout.units(samples.failed())
    assert [group.outcome for group in billing.groups] == ["not-started", "failed", "done"]
    assert [group.outcome for group in ledger.groups] == ["unknown"]
    assert (base.urgent, billing.urgent, ledger.urgent) == (False, True, True)
    assert [group.done for group in layout.units(samples.applied())[1].groups] == [True, True, True]


def test_a_mixed_outcome_is_counted() -> None:
    """Three alike, of which one failed."""
    objects = [weight(number) for number in range(3)]
    results = {("u", one.key, Action.UPDATE): Written.DONE for one in objects} | {
        ("u", objects[1].key, Action.UPDATE): Written.FAILED
    }
    (group,) = layout.alike(objects, "u", results)
    assert (group.outcome, group.done) == ("2 done, 1 failed", False)


def test_a_value_that_a_rollout_holds_back_is_told_beside_gits() -> None:
    """Git says one thing, wanted now is another."""
    assert layout.cells(FieldDiff("spec.weight", git=5, wanted=37, cluster=37)) == ("5, now 37", "-", "37", "-")


def test_hundreds_of_objects_are_few_groups() -> None:
    """360 VMs in 60 units make 61 groups."""
    assert sum(len(unit.groups) for unit in layout.units(extremes.large())) == 61


def test_writes_of_earlier_looks_are_told_with_their_number() -> None:
    """Only those that no difference tells of; what is alike goes together, what was not done is told elsewhere."""
    one = samples.applied()
    assert layout.earlier(one) == ()
    again = (*one.results, *(samples.result("shop/billing", key) for key in samples.VMS[:2]))
    failed = samples.result("shop/billing", samples.ENTRY, Action.UPDATE, Written.FAILED, "no")
    assert layout.earlier(replace(one, differences=(), results=(*again, failed))) == (
        "create ServiceAccount shop/billing",
        "create VirtualMachine shop/billing-vm-3",
        "create WorkloadEntry shop/billing-vm-3",
        "update WorkloadEntry shop/billing-vm-1, billing-vm-2 (2 times each)",
    )
