"""Objects that we write: what of a difference is written, what is left to another manager."""

import pytest

from reconciler.core.adoption import Adoption
from reconciler.core.changes import ABSENT, Action, ObjectDiff, State
from reconciler.core.comparison import Subject
from reconciler.core.owned import Conflicts, Rules, judge_owned
from reconciler.core.ownership import declared, show
from reconciler.core.resources import Document, Key, LiveObject
from tests.building import edited, live, machine, owner, service_entry, wanted, workload_entry, written

YIELD = Rules("test")
TAKE = Rules("test", Conflicts.TAKE)
BY_NAME = Rules("test", adoption=Adoption(keys=frozenset({Key("WorkloadEntry", "shop", "vm1")})))


def judged(one: Document, there: LiveObject, rules: Rules = YIELD) -> ObjectDiff | None:
    """Where an object of ours stands that Git says to be `one`."""
    return judge_owned(Subject(there.key, wanted(one), wanted(one), there), rules)


def found(one: Document, there: LiveObject, rules: Rules = YIELD) -> ObjectDiff:
    """The same of an object that is not in sync."""
    result = judged(one, there, rules)
    assert result is not None
    return result


def test_what_we_wrote_is_in_sync() -> None:
    """A second look right after a write finds nothing."""
    assert judged(service_entry(), written(service_entry())) is None


@pytest.mark.case("D-05")
def test_an_update_sends_the_whole_document_under_preconditions() -> None:
    """Before is what we declared of the live object, after all of Git's; uid and version are those that were looked at."""
    there = edited(written(workload_entry(weight=1)), "x", "metadata", "labels", "team", to="red")
    result = found(workload_entry(weight=2), there)
    (change,) = result.changes
    assert (result.state, change.action, change.after) == (State.UPDATE, Action.UPDATE, wanted(workload_entry(weight=2)))
    assert change.before == wanted(workload_entry(weight=1))
    assert (change.uid, change.resource_version) == (there.uid, there.resource_version)


def test_a_swap_is_one_update() -> None:
    """`endpoints` goes and `workloadSelector` comes in the same write."""
    there = written(service_entry(endpoints=[{"address": "10.0.0.1"}]))
    result = found(service_entry(workloadSelector={"labels": {"app": "a"}}), there)
    assert [(row.path, row.wanted) for row in result.fields] == [
        ("spec.workloadSelector.labels.app", "a"),
        ("spec.endpoints", ABSENT),
    ]
    assert [change.action for change in result.changes] == [Action.UPDATE]


@pytest.mark.case("A-13", "A-14")
def test_a_field_that_somebody_deleted_comes_back() -> None:
    """Nobody owns it, so nobody is in the way; our mark is such a field."""
    there = edited(written(workload_entry()), "x", "metadata", "labels", to=None)
    result = found(workload_entry(), there)
    assert [(row.path, row.managers) for row in result.fields] == [('metadata.labels["mesh-reconciler.io/target"]', ())]
    assert [change.action for change in result.changes] == [Action.UPDATE]


@pytest.mark.case("D-02", "A-13")
def test_a_field_of_another_manager_is_reported_and_left() -> None:
    """Yield: the manager is named, and nothing is written."""
    there = edited(written(workload_entry(weight=5)), "kubectl-edit", "spec", "weight", to=7)
    result = found(workload_entry(weight=5), there)
    assert (result.state, result.changes) == (State.CO_OWNED, ())
    assert [(row.path, row.wanted, row.cluster, row.managers) for row in result.fields] == [
        ("spec.weight", 5, 7, ("kubectl-edit",))
    ]
    (problem,) = result.problems
    assert problem.field == "spec.weight"
    assert "kubectl-edit" in problem.message


@pytest.mark.case("D-02")
def test_other_fields_are_written_around_it() -> None:
    """A field edited by hand does not keep Git's other changes out; it is just not part of the write."""
    there = edited(written(workload_entry(weight=5)), "kubectl-edit", "spec", "weight", to=7)
    result = found(workload_entry(weight=5, locality="a/b"), there)
    (change,) = result.changes
    assert (result.state, change.after) == (State.UPDATE, wanted(workload_entry(locality="a/b")))
    assert change.before == wanted(workload_entry())
    assert [problem.field for problem in result.problems] == ["spec.weight"]


@pytest.mark.case("D-02")
@pytest.mark.parametrize("rules", [TAKE, BY_NAME])
def test_taking_is_a_hand_over_of_exactly_the_contested_fields(rules: Rules) -> None:
    """By policy or by name: the other fields of that manager stay with it, and the update is the whole document."""
    there = edited(written(workload_entry(weight=5)), "kubectl-edit", "spec", "weight", to=7)
    there = edited(there, "kubectl-edit", "metadata", "labels", "team", to="red")
    result = found(workload_entry(weight=5), there, rules)
    over, update = result.changes
    assert over.after is not None
    assert (over.action, over.managers) == (Action.HAND_OVER, ("kubectl-edit",))
    assert [show(path) for path in declared(over.after)] == ["spec.weight"]
    assert over.after["spec"]["weight"] == 7
    assert (update.action, update.after) == (Action.UPDATE, wanted(workload_entry(weight=5)))


@pytest.mark.case("D-02")
def test_a_removal_that_a_co_owner_prevents_goes_on_being_reported() -> None:
    """Our share in the field stays, or the next look would find nothing and the field would be there for good."""
    one = service_entry(exportTo=["."])
    there = written(one, owner("flux", {**one, "spec": {"exportTo": ["."]}}, "Apply"))
    alone = found(service_entry(), there)
    assert (alone.state, alone.changes) == (State.CO_OWNED, ())
    beside = found(service_entry(resolution="NONE"), there)
    (change,) = beside.changes
    assert change.after == wanted(service_entry(exportTo=["."], resolution="NONE"))
    assert [problem.field for problem in beside.problems] == ["spec.exportTo"]


@pytest.mark.case("D-02")
def test_taking_a_removal_takes_the_share_of_the_co_owner_first() -> None:
    """After the hand-over the update removes the field."""
    one = service_entry(exportTo=["."])
    there = written(one, owner("flux", {**one, "spec": {"exportTo": ["."]}}, "Apply"))
    over, update = found(service_entry(), there, TAKE).changes
    assert over.after is not None
    assert (over.managers, over.after["spec"]) == (("flux",), {"exportTo": ["."]})
    assert update.after == wanted(service_entry())


def test_a_removed_port_of_which_another_manager_holds_a_field_stays() -> None:
    """Only what is ours in the item stays declared."""
    ports = [{"name": "http", "number": 80, "protocol": "HTTP"}, {"name": "tls", "number": 443, "protocol": "TLS"}]
    one = service_entry(ports=ports)
    theirs = {**one, "spec": {"ports": [{"name": "tls", "targetPort": 8443}]}}
    there = written(one, owner("x", theirs))
    there = live(
        {**there.document, "spec": {**there.document["spec"], "ports": [ports[0], {**ports[1], "targetPort": 8443}]}},
        *there.owners,
    )
    result = found(service_entry(ports=ports[:1], resolution="NONE"), there)
    assert result.changes[0].after is not None
    assert result.changes[0].after["spec"]["ports"] == ports


def test_an_equal_field_that_we_lost_is_shared_again() -> None:
    """No value changes; without the write a later removal in Git would have no effect."""
    there = edited(edited(written(workload_entry(weight=5)), "x", "spec", "weight", to=9), "x", "spec", "weight", to=5)
    result = found(workload_entry(weight=5), there)
    assert [(row.path, row.managers) for row in result.fields] == [("spec.weight", ("x",))]
    assert [change.after for change in result.changes] == [wanted(workload_entry(weight=5))]


def test_a_record_of_the_registry_is_updated_as_a_whole() -> None:
    """It has one writer."""
    result = found(machine(address="10.0.0.2"), live({**wanted(machine(network="n"))}))
    assert [(row.path, row.wanted, row.registry) for row in result.fields] == [
        ("spec.address", "10.0.0.2", "10.0.0.1"),
        ("spec.network", ABSENT, "n"),
    ]
    assert [change.after for change in result.changes] == [wanted(machine(address="10.0.0.2"))]
