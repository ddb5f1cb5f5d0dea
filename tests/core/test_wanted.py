"""What is written of a manifest: marked, and without what others say."""

from typing import Any

import pytest

from reconciler.core.resources import Document, Key
from reconciler.core.wanted import declared_document, marked_for, wanted_now
from tests.building import desired, document, machine, service_entry, workload_entry


def test_everything_carries_the_mark_of_the_target() -> None:
    """Objects of both stores are marked, in the order of Git; the content is Git's."""
    entry, record = workload_entry(), machine()
    documents = wanted_now(desired(service_entry(), entry, record), "prod")
    assert [key.kind for key in documents] == ["ServiceEntry", "WorkloadEntry", "VirtualMachine"]
    assert {marked_for(one["metadata"]["labels"]) for one in documents.values()} == {"prod"}
    assert documents[Key.of(entry)]["spec"] == entry["spec"]


def test_what_a_commit_leaves_alone_is_the_very_same_value() -> None:
    """So that who goes by that looks at what changed; whatever was read anew is made anew."""
    service, record = service_entry(), machine()
    first = desired(service, workload_entry(weight=1), record)
    before = wanted_now(first, "prod")
    second = desired(service, workload_entry(weight=1), record, document("Namespace", "shop", namespace=""))
    after = wanted_now(second, "prod", (first, before))
    assert after == wanted_now(second, "prod")
    assert {key.kind for key in after if after[key] is before.get(key)} == {"ServiceEntry", "VirtualMachine"}


def test_nothing_of_git_is_changed_in_place() -> None:
    """The manifest stays as it was read."""
    entry = workload_entry(locality=None)
    declared_document(entry, "prod")
    assert entry == workload_entry(locality=None)


@pytest.mark.case("D-01")
@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"spec": {"a": 1}, "status": {"b": 2}}, {"spec": {"a": 1}}),
        ({"spec": {"a": None, "b": {"c": None}}}, {"spec": {"b": {}}}),
        ({"spec": {"a": [{"b": None, "c": 1}], "d": []}}, {"spec": {"a": [{"c": 1}], "d": []}}),
        ({"spec": {"labels": {}}}, {"spec": {"labels": {}}}),
        ({"spec": None}, {}),
    ],
)
def test_nulls_and_status_are_not_written(given: Document, written: Document) -> None:
    """A null is no value (the server would refuse it), empty maps and lists are; a status is never ours."""
    content = declared_document(document("WorkloadEntry", "vm1", **given), "prod")
    assert {name: content[name] for name in content if name not in ("apiVersion", "kind", "metadata")} == written


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("annotations", {"istio.io/connectedAt": "now", "istio.io/workloadController": "istiod"}),
        ("annotations", {"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        ("annotations", {}),
        ("labels", {"networking.istio.io/tunnel": "http"}),
        ("ownerReferences", [{"kind": "WorkloadGroup", "name": "g"}]),
        ("finalizers", ["example.org/hold"]),
    ],
)
def test_metadata_of_others_is_not_written(part: str, content: Any) -> None:
    """What istiod, kubectl and the server write stays theirs, even where somebody pasted it into Git."""
    one = declared_document(document("WorkloadEntry", "vm1", **{part: content}), "prod")
    assert one["metadata"] == {"name": "vm1", "namespace": "shop", "labels": {"mesh-reconciler.io/target": "prod"}}
