"""Objects that Git does not want: deleted only where mark and ownership both say that they are ours."""

import pytest

from reconciler.core.changes import Action, State
from reconciler.core.orphans import orphans
from reconciler.core.resources import Key, LiveObject
from reconciler.core.wanted import FIELD_MANAGER
from tests.building import (
    TARGET,
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

KEY = Key("WorkloadEntry", "shop", "vm1")
OURS = written(workload_entry())


def judged(there: LiveObject, *, inventory: frozenset[Key] = frozenset()) -> list[State]:
    """The states of what is not wanted."""
    return [one.state for one in orphans({}, observed(there), TARGET, inventory)]


@pytest.mark.case("D-05")
@pytest.mark.parametrize("inventory", [frozenset({KEY}), frozenset()])
def test_an_object_with_mark_and_ownership_is_deleted(inventory: frozenset[Key]) -> None:
    """Also when the inventory was lost; exactly the object that was looked at."""
    (found,) = orphans({}, observed(OURS), TARGET, inventory)
    (change,) = found.changes
    assert (found.state, change.action, change.after) == (State.DELETE, Action.DELETE, None)
    assert (change.uid, change.resource_version) == (OURS.uid, OURS.resource_version)
    assert change.before == OURS.document


@pytest.mark.case("A-14")
@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (edited(OURS, "x", "metadata", "labels", to=None), "took our mark away"),
        (edited(OURS, "x", "metadata", "labels", "mesh-reconciler.io/target", to="other"), "the target other"),
        (live(OURS.document, owner("velero", OURS.document)), "no field of it is ours"),
        (live(OURS.document), "no field of it is ours"),
        (live(OURS.document, owner(FIELD_MANAGER, OURS.document)), "no field of it is ours"),
        (
            live(
                {
                    **OURS.document,
                    "metadata": {**OURS.document["metadata"], "ownerReferences": [{"controller": True, "kind": "X"}]},
                },
                *OURS.owners,
            ),
            "belongs to X",
        ),
    ],
)
def test_an_object_that_is_not_surely_ours_is_reported_and_left(there: LiveObject, reason: str) -> None:
    """Whoever took mark or ownership away meant something by it."""
    (found,) = orphans({}, observed(there), TARGET, frozenset({KEY}))
    assert (found.state, found.changes) == (State.LEFT, ())
    assert reason in found.problems[0].message


@pytest.mark.parametrize(
    "there",
    [
        live(workload_entry(), owner("kubectl-create", workload_entry())),
        live(wanted(workload_entry()), owner(FIELD_MANAGER, workload_entry(), "Apply"), version="1"),
    ],
)
def test_what_neither_inventory_nor_mark_names_is_not_looked_at(there: LiveObject) -> None:
    """Another target's objects, other people's objects: not even reported."""
    unmarked = edited(there, "x", "metadata", "labels", to=None)
    assert judged(unmarked) == []


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": {"istio.io/autoRegistrationGroup": "vms"}},
        {"ownerReferences": [{"kind": "WorkloadGroup", "name": "vms"}]},
    ],
)
def test_what_istiod_registered_is_never_deleted(metadata: dict[str, object]) -> None:
    """Even if it carries all of our marks: istiod deletes it when the VM leaves, and would not bring it back."""
    content = wanted(document("WorkloadEntry", "vm1", spec={"address": "10.0.0.1"}))
    content = {**content, "metadata": {**content["metadata"], **metadata}}
    assert judged(live(content, owner(FIELD_MANAGER, content, "Apply")), inventory=frozenset({KEY})) == []


@pytest.mark.parametrize(("unread", "unserved"), [({"shop"}, set()), (set(), {"WorkloadEntry"})])
def test_nothing_is_concluded_about_what_cannot_be_read(unread: set[str], unserved: set[str]) -> None:
    """A namespace without permission and a kind without a CRD say nothing; other objects are judged all the same."""
    there = observed(OURS, written(document("ServiceEntry", "b", "web", spec={})), unread=unread, unserved=unserved)
    assert [one.key.name for one in orphans({}, there, TARGET, {KEY})] == ["b"]


def test_an_object_on_its_way_out_is_shown_with_what_holds_it() -> None:
    """A finalizer that nobody clears would else be invisible."""
    content = {**OURS.document, "metadata": {**OURS.document["metadata"], "finalizers": ["example.org/hold"]}}
    (found,) = orphans({}, observed(live(content, *OURS.owners, deleting=True)), TARGET, {KEY})
    assert (found.state, found.changes) == (State.TERMINATING, ())
    assert "example.org/hold" in found.problems[0].message


def test_records_of_the_registry_are_deleted_by_mark_or_inventory() -> None:
    """A record that neither names was not made from Git."""
    marked, joined = live(wanted(machine())), live(machine())
    assert judged(marked) == [State.DELETE]
    assert judged(joined, inventory=frozenset({joined.key})) == [State.DELETE]
    assert judged(joined) == []


def test_what_is_wanted_is_no_orphan_and_the_rest_comes_by_key() -> None:
    """The order is the same in every run."""
    there = [written(workload_entry(name)) for name in ("c", "a", "b")]
    found = orphans({there[2].key: {}}, observed(written(service_entry()), *there), TARGET, frozenset())
    assert [one.key.name for one in found] == ["billing", "a", "c"]
