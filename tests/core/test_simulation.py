"""One write after the other against building the world anew each time."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.changes import Action, Change
from reconciler.core.resources import Document, Key
from reconciler.core.simulation import after, registered_by
from reconciler.core.world import World
from tests.building import document
from tests.core import oracle
from tests.core.meshes import creating, deleting, entry, pod, record, service, updating, vm, world
from tests.core.test_plan_properties import meshes

PODS, SERVICES = (pod("p0", app="a"), pod("p1", app="b")), (service(app="a"),)


def content(found: World) -> dict[str, Any]:
    """All that a world says, in comparable form."""
    return {
        "documents": dict(found.documents),
        "picked": {key: dict(members) for key, members in found.picked.items()},
        "members": {space: dict(members) for space, members in found.members.items() if members},
        "rules": dict(found.rules),
        "routes": dict(found.routes),
        "backends": {key: (one.hosts, one.selector) for key, one in found.backends.items()},
        "hosts": [sorted(index.covered("*")) for index in (found.backends_by_host, found.rules_by_host, found.routes_by_host)],
        "spaces": {space: keys for space, keys in found.backends_by_namespace.items() if keys},
    }


@settings(max_examples=60, deadline=None)
@given(before=meshes(), later=meshes(), order=st.randoms(use_true_random=False))
def test_stepping_gives_what_building_gives(before: list[Document], later: list[Document], order: Any) -> None:
    """Whatever the order of writes, the world after them is the world of the documents after them."""
    old, new = ({Key.of(one): one for one in each} for each in (before, later))
    changes = [creating(one) for key, one in new.items() if key not in old]
    changes += [updating(old[key], one) for key, one in new.items() if key in old]
    changes += [deleting(one) for key, one in old.items() if key not in new]
    order.shuffle(changes)
    stepped, documents = World.build(old, PODS, SERVICES), old
    for change in changes:
        stepped, documents = after(stepped, change), oracle.step(documents, change)
        assert content(stepped) == content(World.build(documents, PODS, SERVICES))


def test_a_hand_over_changes_nothing() -> None:
    """Only who owns fields."""
    one = entry(app="billing")
    found = world(one)
    assert after(found, Change(Key.of(one), Action.HAND_OVER, one, one, managers=("helm",))) is found


def test_a_record_counts_as_soon_as_it_is_gone() -> None:
    """Without a record, nobody knows the health any more."""
    one = vm("vm1", "10.0.0.1")
    ill = record(one, health="unhealthy", address="10.0.0.1")
    later = after(world(entry(app="billing"), one, ill), deleting(ill))
    assert [member.healthy for _, member in later.endpoints("shop", "billing.internal", 80)] == [None]


def test_a_group_takes_the_entries_that_it_owns_with_it() -> None:
    """As the garbage collector does; entries that only carry its name in Git stay."""
    owned = vm("auto-10.0.0.1", "10.0.0.1")
    owned["metadata"]["ownerReferences"] = [{"kind": "WorkloadGroup", "name": "auto", "uid": "1", "apiVersion": "v1"}]
    group = document("WorkloadGroup", "auto", spec={"template": {}})
    before = World.build({Key.of(one): one for one in (entry(app="billing"), owned, vm("vm2", "10.0.0.2"), group)})
    assert registered_by(Key.of(group), before.documents) == [Key.of(owned)]
    later = after(before, deleting(group))
    assert [member.key.name for _, member in later.endpoints("shop", "billing.internal", 80)] == ["vm2"]
