"""What stays although Git dropped it, and where nothing can be written."""

from dataclasses import replace

import pytest

from reconciler.core.edges import Write
from reconciler.core.keeping import missing_namespaces, used_accounts
from reconciler.core.plans import GuardCode
from reconciler.core.resources import Document, Key
from reconciler.core.writes import writes_of
from tests.building import document
from tests.core.meshes import commit, creating, deleting, entry, namespace, pod, record, there, vm

SHOP = namespace()
ACCOUNT = document("ServiceAccount", "billing")


def gone(*documents: Document) -> list[Write]:
    """The writes that delete these."""
    return writes_of([deleting(one) for one in documents], there(*documents))


def test_an_account_stays_while_anything_runs_under_it() -> None:
    """A Pod (without a name it is the default one), or an object that Git keeps."""
    found = gone(ACCOUNT)
    (guard,) = used_accounts(
        found, commit(), there(pods=[pod("p2", service_account="billing"), pod("p1", service_account="billing")])
    )
    assert (guard.code, guard.override) == (GuardCode.ACCOUNT_IN_USE, "")
    assert "since Pod shop/p1 and 1 more runs under it" in guard.message
    assert (
        list(used_accounts(found, commit(), there(pods=[pod("p1"), pod("p2", service_account="billing", namespace="pay")])))
        == []
    )
    default = gone(document("ServiceAccount", "default"))
    assert len(list(used_accounts(default, commit(), there(pods=[pod("p1")])))) == 1
    (kept,) = used_accounts(found, commit(vm("vm1", "10.0.0.1", serviceAccount="billing")), there())
    assert "WorkloadEntry shop/vm1 runs under it" in kept.message


@pytest.mark.case("D-06")
def test_D_06_a_namespace_that_is_not_there_or_going_stops_only_its_own_objects() -> None:  # noqa: N802 - its case
    """Unless Git makes it; the VM registry has no namespaces."""
    one = vm("vm1", "10.0.0.1")
    changes = [creating(one), creating(record(one)), creating(entry(app="x", namespace="pay"))]
    (guard,) = missing_namespaces(writes_of(changes, there()), there(namespace("pay")))
    assert (guard.code, guard.keys) == (GuardCode.NAMESPACE, (Key.of(one),))
    assert guard.message == "the namespace shop does not exist and is not in Git"
    made = [*changes, creating(SHOP)]
    assert list(missing_namespaces(writes_of(made, there()), there(namespace("pay")))) == []
    seen = there(SHOP, namespace("pay"))
    key = Key.of(SHOP)
    going = replace(seen, objects={**seen.objects, key: replace(seen.objects[key], deleting=True)})
    (guard,) = missing_namespaces(writes_of(changes, there()), going)
    assert guard.message == "the namespace shop is being deleted"


def test_nothing_is_concluded_where_namespaces_are_not_read() -> None:
    """None seen, or not readable."""
    found = writes_of([creating(vm("vm1", "10.0.0.1"))], there())
    assert list(missing_namespaces(found, there())) == []
    assert list(missing_namespaces(found, replace(there(namespace("pay")), unread=frozenset({""})))) == []
