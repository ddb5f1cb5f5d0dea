"""What differs between wanted and observed, object by object, pass after pass."""

from collections.abc import Collection
from dataclasses import replace

import pytest

from reconciler.core.changes import Action, ObjectDiff, State
from reconciler.core.diff import Differ, compare_object
from reconciler.core.owned import Conflicts, Rules
from reconciler.core.resources import DesiredState, Key, ObservedState
from reconciler.core.wanted import wanted_now
from tests.building import (
    TARGET,
    desired,
    document,
    edited,
    live,
    machine,
    observed,
    owner,
    service_entry,
    wanted,
    workload_entry,
    written,
)

RULES = Rules(TARGET)
FLEET = [document("WorkloadEntry", f"vm{number}", spec={"address": f"10.0.0.{number}"}) for number in range(20)]


def diff(
    git: DesiredState, there: ObservedState, *, rules: Rules = RULES, inventory: Collection[Key] = frozenset()
) -> tuple[ObjectDiff, ...]:
    """One comparison that remembers nothing."""
    return Differ().diff(git, wanted_now(git, rules.target), there, rules, inventory)


def states(found: tuple[ObjectDiff, ...]) -> dict[str, State]:
    """States by name of the object."""
    return {one.key.name: one.state for one in found}


def test_the_table_of_outcomes() -> None:
    """One object for each row of the table at the head of the module."""
    git = desired(*(document("WorkloadEntry", name, spec={"address": "10.0.0.1"}) for name in "abcdefg"))
    changed = document("WorkloadEntry", "c", spec={"address": "10.0.0.9"})
    by_hand = document("WorkloadEntry", "d", spec={"address": "10.0.0.1"})
    there = observed(
        written(document("WorkloadEntry", "b", spec={"address": "10.0.0.1"})),
        written(changed),
        live(by_hand, owner("kubectl-create", by_hand)),
        live(by_hand | {"metadata": {**by_hand["metadata"], "name": "e"}}, owner("helm", by_hand)),
        edited(
            written(document("WorkloadEntry", "f", spec={"address": "10.0.0.1"})),
            "kubectl-edit",
            "spec",
            "address",
            to="10.0.0.2",
        ),
        written(document("WorkloadEntry", "g", spec={}), deleting=True),
        written(document("WorkloadEntry", "y", spec={})),
        live(wanted(document("WorkloadEntry", "z", spec={}))),
    )
    assert states(diff(git, there)) == {
        "a": State.CREATE,
        "c": State.UPDATE,
        "d": State.NOT_ADOPTED,
        "e": State.FOREIGN_TOOL,
        "f": State.CO_OWNED,
        "g": State.TERMINATING,
        "y": State.DELETE,
        "z": State.LEFT,
    }


def test_an_empty_git_and_an_empty_world_differ_in_nothing() -> None:
    """Nothing is wanted, nothing is there."""
    assert diff(desired(), observed()) == ()


def test_both_stores_are_compared() -> None:
    """A record of the registry has a difference of its own, beside the WorkloadEntry's."""
    found = diff(desired(workload_entry(), machine()), observed(written(workload_entry())))
    assert [(one.key.kind, one.state) for one in found] == [("VirtualMachine", State.CREATE)]


def test_a_create_carries_the_whole_document_and_its_place() -> None:
    """There is no before; the place in Git goes along."""
    git = desired(service_entry())
    (found,) = diff(git, observed())
    (change,) = found.changes
    assert (change.action, change.before, change.after) == (Action.CREATE, None, wanted(service_entry()))
    assert change.place == found.place == git.manifests[found.key].place


@pytest.mark.case("D-07")
def test_a_file_that_moved_is_no_change() -> None:
    """The path is where an object stands, not what it is."""
    differ, there = Differ(), observed(*map(written, FLEET))
    for path in ("mesh.yaml", "team/mesh.yaml"):
        git = desired(*FLEET, path=path)
        assert differ.diff(git, wanted_now(git, TARGET), there, RULES, frozenset()) == ()


def test_a_difference_says_where_its_object_stands_now() -> None:
    """What is remembered of a comparison must not show the path of an earlier commit."""
    differ, there = Differ(), observed(written(workload_entry(weight=1)))
    for path in ("mesh.yaml", "team/mesh.yaml"):
        git = desired(workload_entry(weight=2), path=path)
        (found,) = differ.diff(git, wanted_now(git, TARGET), there, RULES, frozenset())
        assert found.place is not None
        assert found.place.path == path


@pytest.mark.parametrize(("unread", "unserved"), [({"shop"}, set()), (set(), {"WorkloadEntry"})])
def test_what_cannot_be_read_is_said_and_nothing_else(unread: set[str], unserved: set[str]) -> None:
    """Not "absent, create", not "in sync"."""
    there = observed(unread=unread, unserved=unserved)
    (found,) = diff(desired(workload_entry()), there, inventory={Key("WorkloadEntry", "shop", "gone")})
    assert (found.state, found.changes) == (State.UNREADABLE, ())
    assert found.problems


def test_an_unreadable_cluster_namespace_says_nothing_about_the_registry() -> None:
    """Another store, other permissions."""
    (found,) = diff(desired(machine()), observed(unread={"shop"}))
    assert found.state is State.CREATE


class TestMemory:
    """A pass costs what changed, and never answers from a world that is gone."""

    def test_the_same_world_gives_the_very_same_answer(self) -> None:
        """Nothing is compared again while Git, stores and inventory stand still."""
        differ, git = Differ(), desired(*FLEET)
        documents, there = wanted_now(git, TARGET), observed(*map(written, FLEET[:3]), version="1")
        first = differ.diff(git, documents, there, RULES, frozenset())
        assert differ.diff(git, documents, replace(there), RULES, frozenset()) is first

    def test_a_changed_object_is_seen(self) -> None:
        """By its version, among many that stand still."""
        differ, git = Differ(), desired(*FLEET)
        documents, before = wanted_now(git, TARGET), [written(one) for one in FLEET]
        assert differ.diff(git, documents, observed(*before, version="1"), RULES, frozenset()) == ()
        after = [edited(before[0], "x", "spec", "address", to="10.9.9.9"), *before[1:]]
        found = differ.diff(git, documents, observed(*after, version="2"), RULES, frozenset())
        assert states(found) == {"vm0": State.CO_OWNED}
        assert differ.diff(git, documents, observed(*before, version="3"), RULES, frozenset()) == ()

    def test_an_object_made_anew_is_seen_although_its_version_is_equal(self) -> None:
        """Versions are compared within one life of an object."""
        differ, git = Differ(), desired(workload_entry())
        documents, there = wanted_now(git, TARGET), written(workload_entry())
        assert differ.diff(git, documents, observed(there, version="1"), RULES, frozenset()) == ()
        other = replace(live(workload_entry()), uid="another", resource_version=there.resource_version)
        assert differ.diff(git, documents, observed(other, version="2"), RULES, frozenset())

    def test_a_new_commit_is_seen(self) -> None:
        """The live object stands still, what is wanted does not."""
        differ, there = Differ(), observed(written(workload_entry(weight=1)), version="1")
        for weight, count in ((1, 0), (2, 1), (1, 0)):
            git = desired(workload_entry(weight=weight))
            assert len(differ.diff(git, wanted_now(git, TARGET), there, RULES, frozenset())) == count

    def test_a_changed_record_shows_in_the_row_of_its_workload_entry(self) -> None:
        """The fourth column is as fresh as the third."""
        differ, git = Differ(), desired(workload_entry(weight=2))
        documents, entry = wanted_now(git, TARGET), written(workload_entry(weight=1))
        columns = []
        for weight in (5, 6):
            record = live(machine(weight=weight), version=str(weight))
            (found,) = differ.diff(git, documents, observed(entry, record), RULES, frozenset())
            columns += [row.registry for row in found.fields]
        assert columns == [5, 6]

    def test_other_rules_are_another_comparison(self) -> None:
        """A policy that is switched over counts at once."""
        differ, git = Differ(), desired(workload_entry(weight=5))
        documents = wanted_now(git, TARGET)
        there = observed(edited(written(workload_entry(weight=5)), "x", "spec", "weight", to=7), version="1")
        yielding = differ.diff(git, documents, there, RULES, frozenset())
        taking = differ.diff(git, documents, there, Rules(TARGET, Conflicts.TAKE), frozenset())
        assert [one.state for one in (*yielding, *taking)] == [State.CO_OWNED, State.UPDATE]

    def test_a_grown_inventory_is_seen(self) -> None:
        """An object without a mark becomes a matter of ours when the inventory names it."""
        differ, git = Differ(), desired()
        there = observed(edited(written(workload_entry()), "x", "metadata", "labels", to=None), version="1")
        documents = wanted_now(git, TARGET)
        assert differ.diff(git, documents, there, RULES, frozenset()) == ()
        found = differ.diff(git, documents, there, RULES, frozenset({Key.of(workload_entry())}))
        assert states(found) == {"vm1": State.LEFT}


def test_each_object_is_compared_for_itself() -> None:
    """The answer for one does not depend on the others, so it may be remembered alone."""
    git = desired(workload_entry(weight=2))
    (manifest,) = git.manifests.values()
    there = written(workload_entry(weight=1))
    alone = compare_object(wanted(manifest.document), there, None, manifest, RULES)
    among = diff(desired(workload_entry(weight=2), *FLEET[2:]), observed(there, *map(written, FLEET[2:])))
    assert among == (alone,)
