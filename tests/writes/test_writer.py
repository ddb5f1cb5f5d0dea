"""Single writes: what they build on, and when a moved version is no reason to fail."""

import pytest

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.core.changes import Action, Change
from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.errors import Conflict
from reconciler.writes.writer import Writer
from tests.contracts.clock import SetClock

KEY = Key("WorkloadEntry", "shop", "vm-1")


def _workload(weight: int) -> Document:
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadEntry",
        "metadata": {"namespace": "shop", "name": "vm-1"},
        "spec": {"address": "10.0.0.1", "weight": weight},
    }


class Shop:
    """A cluster with one WorkloadEntry of ours, and a writer that has observed it."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster(SetClock(), FIELD_MANAGER)
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        self.cluster.apply(_workload(1))
        self.writer = Writer(self.cluster, None, ObservedState(self.cluster.observe().objects))

    def update(self) -> Change:
        live = self.writer.observed.objects[KEY]
        after = _workload(9)
        return Change(KEY, Action.UPDATE, _workload(1), after, uid=live.uid, resource_version=live.resource_version)

    def weight(self) -> int:
        live = self.cluster.get(KEY)
        assert live is not None
        weight: int = live.document["spec"]["weight"]
        return weight


@pytest.mark.case("A-01")
def test_a_status_that_moved_meanwhile_does_not_fail_a_write() -> None:
    """Istiod reports health between read and write: the version moves, the decision stands, and the write goes through."""
    shop = Shop()
    change = shop.update()
    shop.cluster.edit(KEY, {"status": {"conditions": [{"type": "Healthy", "status": "True"}]}}, "pilot", subresource="status")
    shop.writer.perform(change)
    assert shop.weight() == 9


@pytest.mark.case("C-02")
def test_a_create_that_comes_too_late_changes_nothing() -> None:
    """Somebody else made the object meanwhile: another process of ours, with newer content, or a person."""
    shop = Shop()
    with pytest.raises(Conflict):
        shop.writer.perform(Change(KEY, Action.CREATE, None, _workload(9)))
    assert shop.weight() == 1


@pytest.mark.case("A-01", "D-05")
def test_content_that_moved_meanwhile_fails_the_write() -> None:
    """A person edits the object between read and write: what was decided on is gone, and nothing is written over it."""
    shop = Shop()
    change = shop.update()
    shop.cluster.edit(KEY, {"spec": {"weight": 5}}, "kubectl-edit")
    with pytest.raises(Conflict):
        shop.writer.perform(change)
    assert shop.weight() == 5


@pytest.mark.case("A-08")
def test_an_object_that_was_made_anew_is_not_written_to() -> None:
    """Deleted and created again by somebody: another uid, so neither an update nor a deletion of the old one touches it."""
    shop = Shop()
    update = shop.update()
    shop.cluster.remove(KEY)
    shop.cluster.create(_workload(3), "kubectl-create")
    with pytest.raises(Conflict):
        shop.writer.perform(update)
    delete = Change(KEY, Action.DELETE, _workload(1), None, uid=update.uid, resource_version=update.resource_version)
    with pytest.raises(Conflict):
        shop.writer.perform(delete)
    assert shop.weight() == 3
