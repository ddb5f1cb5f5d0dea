"""Why a change is due, and which fields are fought over."""

import pytest

from reconciler.core.adoption import Adoption, judge_unowned
from reconciler.core.causes import explain, flips
from reconciler.core.changes import ABSENT, Cause, ObjectDiff, State
from reconciler.core.comparison import Subject
from reconciler.core.diff import Differ, compare_object
from reconciler.core.orphans import orphans
from reconciler.core.owned import Conflicts, Rules
from reconciler.core.resources import Document, LiveObject, Manifest
from reconciler.core.wanted import wanted_now
from tests.building import TARGET, desired, edited, live, machine, observed, owner, wanted, workload_entry, written

TAKE = Rules(TARGET, Conflicts.TAKE)


def difference(one: Document, there: LiveObject, rules: Rules = TAKE) -> ObjectDiff:
    """Where an object stands that Git says to be `one`."""
    (manifest,) = (*desired(one).manifests.values(), *desired(one).machines.values())
    assert isinstance(manifest, Manifest)
    found = compare_object(wanted(one), there, None, manifest, rules)
    assert found is not None
    return found


def explained(found: ObjectDiff, last: Document | None, *fights: str) -> ObjectDiff:
    """The same with what was last written (None: nothing known) and the store's fights."""
    (result,) = explain([found], {} if last is None else {found.key: wanted(last)}, {found.key: fights})
    return result


def causes(found: ObjectDiff) -> set[Cause]:
    """The causes of an object's changes."""
    return {change.cause for change in found.changes}


BY_GIT = difference(workload_entry(weight=2), written(workload_entry(weight=1)))
BY_HAND = difference(
    workload_entry(weight=1), edited(written(workload_entry(weight=1)), "kubectl-edit", "spec", "weight", to=7)
)
DELETED = difference(workload_entry(weight=1), edited(written(workload_entry(weight=1)), "x", "spec", "weight", to=None))


@pytest.mark.parametrize(
    ("found", "last", "cause"),
    [
        (BY_GIT, workload_entry(weight=1), Cause.GIT),
        (BY_GIT, None, Cause.GIT),
        (BY_HAND, workload_entry(weight=1), Cause.DRIFT),
        (BY_HAND, None, Cause.DRIFT),
        (BY_HAND, workload_entry(weight=3), Cause.GIT),
        (DELETED, workload_entry(weight=1), Cause.DRIFT),
        (DELETED, workload_entry(), Cause.GIT),
        (difference(machine(weight=2), live(wanted(machine(weight=1)))), machine(weight=2), Cause.DRIFT),
        (difference(machine(weight=2), live(wanted(machine(weight=1)))), machine(weight=1), Cause.GIT),
    ],
)
def test_a_change_is_gits_where_git_asks_for_what_was_not_written(
    found: ObjectDiff, last: Document | None, cause: Cause
) -> None:
    """Drift is live against what we wrote, while Git still wants that; all changes of an object share the cause."""
    assert causes(explained(found, last)) == {cause}


def test_one_new_field_makes_the_whole_update_gits() -> None:
    """A write that was asked for is not counted as a repair."""
    there = edited(written(workload_entry(weight=1)), "x", "spec", "weight", to=7)
    found = difference(workload_entry(weight=1, network="n"), there)
    assert causes(explained(found, workload_entry(weight=1))) == {Cause.GIT}


def test_a_yielded_field_has_no_say_in_the_cause() -> None:
    """It is not written: the rest of the object decides."""
    there = edited(written(workload_entry(weight=1, network="n")), "x", "spec", "weight", to=7)
    there = edited(there, "x", "spec", "network", to=None)
    found = difference(workload_entry(weight=3, network="n"), there, Rules(TARGET))
    assert causes(explained(found, workload_entry(weight=1, network="n"))) == {Cause.DRIFT}


@pytest.mark.parametrize(
    ("last", "cause"), [(workload_entry(), Cause.DRIFT), (workload_entry(weight=9), Cause.GIT), (None, Cause.GIT)]
)
def test_an_object_that_is_gone_although_we_wrote_it_is_drift(last: Document | None, cause: Cause) -> None:
    """Somebody deleted it."""
    git = desired(workload_entry())
    (found,) = Differ().diff(git, wanted_now(git, TARGET), observed(), TAKE, frozenset())
    assert causes(explained(found, last)) == {cause}


def test_the_column_last_written_is_filled_everywhere() -> None:
    """In the object's rows and in its changes' rows, element by element; absent where we wrote no such field."""
    found = explained(BY_HAND, workload_entry(weight=1))
    assert [row.written for row in found.fields] == [1]
    assert [row.written for change in found.changes for row in change.fields] == [1, 1]
    assert [row.written for row in explained(BY_HAND, None).fields] == [ABSENT]


def test_adoptions_and_deletions_keep_their_cause() -> None:
    """They have their own reasons."""
    there = live(workload_entry(), owner("kubectl-create", workload_entry()))
    subject = Subject(there.key, wanted(workload_entry()), wanted(workload_entry()), there)
    adopted = judge_unowned(subject, Adoption(everything=True))
    (orphan,) = orphans({}, observed(written(workload_entry())), TARGET, frozenset())
    assert causes(explained(adopted, workload_entry())) == {Cause.ADOPTION}
    assert causes(explained(orphan, workload_entry())) == {Cause.GIT}


@pytest.mark.case("A-07", "A-13")
@pytest.mark.parametrize(
    ("found", "last", "counted"),
    [
        (BY_HAND, workload_entry(weight=1), (("spec.weight", "kubectl-edit"),)),
        (DELETED, workload_entry(weight=1), (("spec.weight", ""),)),
        (BY_GIT, workload_entry(weight=1), ()),
        (BY_HAND, None, ()),
        (
            difference(
                workload_entry(weight=1),
                edited(written(workload_entry(weight=1)), "x", "spec", "weight", to=7),
                Rules(TARGET),
            ),
            workload_entry(weight=1),
            (),
        ),
    ],
)
def test_only_what_we_would_write_again_counts_as_a_flip(
    found: ObjectDiff, last: Document | None, counted: tuple[tuple[str, str], ...]
) -> None:
    """With the managers, none where a webhook or a deletion leaves no name; a field that we leave alone is no fight."""
    assert flips(explained(found, last)) == counted


@pytest.mark.case("A-07")
def test_a_webhook_that_changes_what_we_write_is_a_flip_too() -> None:
    """The field is ours, nobody else's name stands there, and still it is not what we sent."""
    there = live(wanted(workload_entry(weight=7)), *written(workload_entry(weight=5)).owners)
    found = explained(difference(workload_entry(weight=5), there), workload_entry(weight=5))
    assert flips(found) == (("spec.weight", ""),)


@pytest.mark.case("A-07", "A-13")
def test_a_fight_is_left_alone_and_says_how_it_ends() -> None:
    """No write any more; the manager is named."""
    found = explained(BY_HAND, workload_entry(weight=1), "spec.weight kubectl-edit")
    assert (found.state, found.changes) == (State.FIGHT, ())
    assert "kubectl-edit" in found.problems[-1].message
    assert found.problems[-1].field == "spec.weight"


@pytest.mark.parametrize("fight", ["spec.weightier x", "spec.address x"])
def test_another_field_of_a_fight_does_not_hold_this_one(fight: str) -> None:
    """Fields are told apart by their whole path."""
    assert explained(BY_HAND, workload_entry(weight=1), fight).state is State.UPDATE


def test_a_commit_that_changes_the_field_is_tried_again() -> None:
    """A person has decided."""
    found = difference(workload_entry(weight=3), edited(written(workload_entry(weight=1)), "x", "spec", "weight", to=7))
    assert explained(found, workload_entry(weight=1), "spec.weight x").state is State.UPDATE
