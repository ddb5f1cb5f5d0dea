"""What the API server makes of an update."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.adoption import Adoption, judge_unowned
from reconciler.core.changes import Action, Change, ObjectDiff, State
from reconciler.core.comparison import Subject
from reconciler.core.owned import Rules, judge_owned
from reconciler.core.resources import Document, LiveObject
from reconciler.core.settling import dry_run_of, judgement, question, refused, settle
from reconciler.errors import Conflict, Rejected, Severity
from tests.building import edited, live, machine, owner, wanted, workload_entry, written


def difference(one: Document, there: LiveObject) -> ObjectDiff:
    """Where an object of ours stands by the local comparison."""
    found = judge_owned(Subject(there.key, wanted(one), wanted(one), there), Rules("test"))
    assert found is not None
    return found


def settled(one: Document, there: LiveObject, answer: LiveObject | Conflict) -> ObjectDiff | None:
    """The same after the server was asked."""
    found = difference(one, there)
    return settle(found, judgement(found, there, answer))


@pytest.mark.case("D-01")
def test_a_value_that_the_server_converts_back_is_no_difference() -> None:
    """Git says 5s, a webhook makes it 5.0s each time: the object is what it would be after the write."""
    there = edited(written(workload_entry(network="5s")), "mesh-reconciler", "spec", "network", to="5.0s")
    there = live(there.document, *written(workload_entry(network="5s")).owners)
    assert settled(workload_entry(network="5s"), there, there) is None


def test_a_difference_that_the_server_would_write_stays() -> None:
    """Of two only the one that would move; the change still sends the whole document."""
    there = live(wanted(workload_entry(network="x", weight=1)), *written(workload_entry(network="y", weight=2)).owners)
    answer = live(wanted(workload_entry(network="x", weight=2)), *there.owners)
    found = settled(workload_entry(network="y", weight=2), there, answer)
    assert found is not None
    assert [row.path for row in found.fields] == ["spec.weight"]
    assert [change.after for change in found.changes] == [wanted(workload_entry(network="y", weight=2))]
    assert found.changes[0].fields == found.fields


def test_a_mutated_answer_that_still_moves_the_field_stays() -> None:
    """The server makes 7 of 5, and live is 6: the write changes something."""
    there = live(wanted(workload_entry(weight=6)), *written(workload_entry(weight=5)).owners)
    answer = live(wanted(workload_entry(weight=7)), *there.owners)
    assert settled(workload_entry(weight=5), there, answer) == difference(workload_entry(weight=5), there)


def test_a_write_that_only_changes_who_owns_what_stays() -> None:
    """No value moves, but a field becomes ours again."""
    there = edited(edited(written(workload_entry(weight=5)), "x", "spec", "weight", to=9), "x", "spec", "weight", to=5)
    assert settled(workload_entry(weight=5), there, written(workload_entry(weight=5))) is not None
    assert settled(workload_entry(weight=5), there, there) is None


@pytest.mark.case("D-02")
def test_a_conflict_names_the_managers_and_ends_the_change() -> None:
    """The server knows owners that the watched copy did not show yet."""
    there = written(workload_entry(weight=1))
    found = settled(workload_entry(weight=2), there, Conflict("no", managers=("kubectl-edit", "x")))
    assert found is not None
    assert (found.state, found.changes) == (State.CO_OWNED, ())
    assert "kubectl-edit, x" in found.problems[0].message


@pytest.mark.case("D-02")
def test_what_is_left_to_another_manager_stays_reported() -> None:
    """The server moves none of it, and that is no reason to fall silent."""
    there = edited(written(workload_entry(weight=5, network="5s")), "x", "spec", "weight", to=7)
    there = replace(there, document={**there.document, "spec": {**there.document["spec"], "network": "5.0s"}})
    found = settled(workload_entry(weight=5, network="5s"), there, there)
    assert found is not None
    assert (found.state, found.changes) == (State.CO_OWNED, ())
    assert [problem.field for problem in found.problems] == ["spec.weight"]


@pytest.mark.case("A-07")
def test_a_refusal_is_shown_in_the_servers_words() -> None:
    """The change stays due, with an error that keeps its unit from starting; a co-owner is named as a hint."""
    there = edited(written(workload_entry(weight=5)), "x", "spec", "weight", to=7)
    found = refused(difference(workload_entry(weight=5, network="n"), there), Rejected("only one of A or B", status=422))
    assert found.changes
    problem = found.problems[-1]
    assert problem.severity is Severity.ERROR
    assert "only one of A or B" in problem.message
    assert "co-owned by x" in problem.message


@pytest.mark.parametrize(
    "answer", [Rejected("forbidden", status=403), Rejected("admission webhook w does not support dry run", status=400)]
)
def test_an_observer_who_may_not_ask_keeps_the_local_comparison(answer: Rejected) -> None:
    """A view-only token, and a webhook that cannot be asked, say nothing about the object."""
    found = difference(workload_entry(weight=2), written(workload_entry(weight=1)))
    assert refused(found, answer) == found


def test_only_updates_of_objects_in_the_cluster_are_asked_about() -> None:
    """Not creates (the Namespace may be in the plan), not adoptions (refused before the hand-over), not the registry."""
    there = live(workload_entry(), owner("kubectl-create", workload_entry()))
    subject = Subject(there.key, wanted(workload_entry()), wanted(workload_entry()), there)
    created = ObjectDiff(there.key, State.CREATE, changes=(Change(there.key, Action.CREATE, None, workload_entry()),))
    assert dry_run_of(difference(workload_entry(weight=2), written(workload_entry()))) == wanted(workload_entry(weight=2))
    assert dry_run_of(judge_unowned(subject, Adoption(everything=True))) is None
    assert dry_run_of(created) is None
    assert dry_run_of(difference(machine(weight=2), live(wanted(machine())))) is None


def test_the_same_question_has_the_same_name_whatever_the_server_counts() -> None:
    """Status, versions and times move without meaning; who owns what, the content, the schema and the wish do not."""
    one, there = wanted(workload_entry(weight=2)), written(workload_entry(), owner("x", workload_entry()))
    name = question(one, there, 1)
    moved = replace(
        there,
        document={**there.document, "status": {"conditions": []}},
        resource_version="99",
        generation=9,
        owners=(
            *(replace(each, time=datetime(2026, 1, 1, tzinfo=UTC)) for each in there.owners[::-1]),
            owner("istiod", workload_entry(), subresource="status"),
        ),
    )
    assert question(one, moved, 1) == name
    others = [
        question(wanted(workload_entry(weight=3)), there, 1),
        question(one, edited(there, "y", "metadata", "labels", "team", to="red"), 1),
        question(one, replace(there, owners=there.owners[:1]), 1),
        question(one, there, 2),
    ]
    assert len({name, *others}) == 5
    assert name.startswith("dry-run/")
