"""After a crash and after a loss: looking tells what took place and what is ours."""

import pytest

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.changes import Action
from reconciler.core.resources import Document, Key, ObservedState, Revision
from reconciler.core.wanted import FIELD_MANAGER, TARGET_LABEL
from reconciler.cycle.recovery import ours_in, recover, settle_open_writes
from reconciler.errors import Fenced, Rejected
from reconciler.ports import JournalEntry
from tests.contracts.clock import SetClock
from tests.worlds import Hooked

KEY = Key("Namespace", "", "shop")
VM = Key("VirtualMachine", "shop", "vm-1")


def _namespace(**labels: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {TARGET_LABEL: "prod", **labels}}}


def _machine() -> Document:
    return {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "VirtualMachine",
        "metadata": {"namespace": "shop", "name": "vm-1"},
        "spec": {"address": "10.0.0.1"},
    }


class After:
    """What is left after a process was killed: both stores, and a journal with open entries."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.cluster = MemoryCluster(self.clock, FIELD_MANAGER)
        self.registry = MemoryRegistry(self.clock)
        self.store = MemoryStore()

    def intend(self, key: Key, action: Action, after: Document | None, uid: str = "") -> None:
        entry = JournalEntry(0, "p", key, action.value, after, uid=uid, started=self.clock.now())
        self.store.intend([entry])

    def settled(self) -> list[JournalEntry]:
        """Read back; returns the journal."""
        self.settle()
        return list(self.store._journal.values())

    def settle(self) -> set[Key]:
        """Read back; returns the keys that count as written."""
        settle_open_writes(self.store, self.cluster, self.registry, self.clock, lambda: None)
        assert self.store.unsettled() == []
        return set(self.store.written())


@pytest.mark.case("S-03", "A-03")
def test_a_write_that_took_place_before_the_kill_is_recorded() -> None:
    """The object stands as the intent says: it was written, and is now known to be."""
    after = After()
    after.intend(KEY, Action.CREATE, _namespace())
    after.cluster.apply(_namespace())
    assert after.settle() == {KEY}


@pytest.mark.case("S-03")
def test_a_write_that_was_never_sent_is_moot() -> None:
    """The object is not there: the intent led to nothing, and the next plan decides anew."""
    after = After()
    after.intend(KEY, Action.CREATE, _namespace())
    assert after.settle() == set()


def test_an_update_that_was_never_sent_leaves_what_was_written_before() -> None:
    """The live object is the older one: what was last written stays as it was recorded."""
    after = After()
    after.intend(KEY, Action.CREATE, _namespace())
    after.cluster.apply(_namespace())
    after.settle()
    after.intend(KEY, Action.UPDATE, _namespace(tier="gold"))
    after.settle()
    assert after.store.written()[KEY] == _namespace()


def test_a_deletion_took_place_when_the_object_is_gone_or_another_one() -> None:
    """Gone, or there under another uid: ours was deleted."""
    after = After()
    live = after.registry.put(_machine())
    after.intend(VM, Action.CREATE, _machine())
    assert after.settle() == {VM}
    after.intend(VM, Action.DELETE, None, uid=live.uid)
    assert after.settle() == {VM}
    after.intend(VM, Action.DELETE, None, uid=live.uid)
    after.registry.delete(VM, uid=live.uid, resource_version=live.resource_version)
    after.registry.put(_machine())
    assert after.settle() == set()


def test_a_deletion_that_waits_for_a_finalizer_took_place() -> None:
    """As when it was answered: the object stands there, being deleted, and nothing of ours keeps it."""
    after = After()
    after.cluster.apply({**_namespace(), "metadata": {**_namespace()["metadata"], "finalizers": ["example.org/hold"]}})
    live = after.cluster.get(KEY)
    assert live is not None
    after.store.widen([KEY])
    after.intend(KEY, Action.DELETE, None, uid=live.uid)
    after.cluster.delete(KEY, uid=live.uid, resource_version=live.resource_version)
    assert [entry.outcome for entry in after.settled()] == ["done"]


def test_an_update_of_an_object_that_was_made_anew_did_not_take_place() -> None:
    """It stands there with the same content, under another uid: that one was not written by this update."""
    after = After()
    after.cluster.apply(_namespace())
    after.intend(KEY, Action.UPDATE, _namespace(), uid="the old one")
    assert after.settle() == set()


@pytest.mark.case("K-05")
def test_what_another_process_has_under_way_is_not_settled() -> None:
    """The lease was lost while the open writes were read back: they may be the new holder's, which knows better."""
    after = After()
    after.intend(KEY, Action.CREATE, _namespace())

    def fence() -> None:
        raise Fenced("another one holds the lease")

    with pytest.raises(Fenced):
        settle_open_writes(after.store, after.cluster, after.registry, after.clock, fence)
    assert [entry.key for entry in after.store.unsettled()] == [KEY]


@pytest.mark.parametrize("action", [Action.CREATE, Action.DELETE])
def test_what_may_not_be_read_back_stays_open_and_holds_up_nothing(action: Action) -> None:
    """No registry is configured any more, and one namespace may not be read: nobody can say, and the rest is settled."""
    after = After()
    lost = Key("WorkloadEntry", "away", "vm1")
    after.intend(VM, action, None if action is Action.DELETE else _machine(), uid="u")
    after.intend(lost, action, None if action is Action.DELETE else {"kind": "WorkloadEntry"}, uid="u")
    after.intend(KEY, Action.CREATE, _namespace())
    after.cluster.apply(_namespace())

    def forbid(name: str, key: Key) -> None:
        if name == "get" and key == lost:
            raise Rejected(f"{key} is forbidden", status=403)

    assert settle_open_writes(after.store, Hooked(after.cluster, forbid), None, after.clock, lambda: None) == 1
    assert {entry.key for entry in after.store.unsettled()} == {VM, lost}
    assert set(after.store.written()) == {KEY}


def test_recover_rebuilds_inventory_and_last_written_from_the_marks() -> None:
    """What carries our mark and ownership is ours again, with the fields that are ours; the rest of the world is not."""
    after = After()
    after.cluster.apply(_namespace(tier="gold"))
    after.cluster.edit(KEY, {"metadata": {"labels": {"by": "hand"}}}, "kubectl-edit")
    foreign: Document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}
    after.cluster.create(foreign, "kubectl-create")
    after.registry.put(_machine())
    observed = ObservedState(after.cluster.observe().objects, after.registry.observe().machines)
    owned = ours_in(observed, "prod")
    recover(after.store, owned, Revision("c" * 40), after.clock)
    assert after.store.inventory() == {KEY, VM}
    assert after.store.written()[KEY]["metadata"]["labels"] == {TARGET_LABEL: "prod", "tier": "gold"}
    assert not after.store.fresh
    assert after.store.unsettled() == []


def test_a_condition_is_decided_anew_and_never_what_was_last_written() -> None:
    """Whatever became of it, the next look sees the object as it is."""
    after = After()
    status = {"conditions": [{"type": "Healthy", "status": "False"}]}
    after.intend(KEY, Action.CONDITION, {**_namespace(), "status": status})
    (entry,) = after.settled()
    assert (entry.outcome, after.store.written()) == ("moot", {})
