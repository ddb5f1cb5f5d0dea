"""A commit as the rules see it."""

from reconciler.core.analysis.commit import Commit
from reconciler.core.resources import Document, Key, Manifest
from reconciler.errors import Place
from tests.core.analysis.commits import document, service, workload


def commit(*documents: Document) -> Commit:
    """Return the commit of these documents."""
    return Commit.of({Key.of(one): Manifest(Key.of(one), one, Place("a.yaml")) for one in documents})


def test_who_selects_whom_is_known_in_both_directions() -> None:
    """By all labels of the selector, within a namespace."""
    both = {"labels": {"app": "a", "platform": "vm"}}
    vm = workload("vm", labels={"app": "a", "platform": "vm"})
    seen = commit(service("s", workloadSelector=both), service("t"), vm, workload("pod", labels={"app": "a"}))
    picked, chosen = Key("ServiceEntry", "shop", "s"), Key("WorkloadEntry", "shop", "vm")
    assert [one.key for one in seen.matched[picked]] == [chosen]
    assert {key: [one.key for one in services] for key, services in seen.selecting.items()} == {chosen: [picked]}


def test_exact_hosts_come_before_patterns() -> None:
    """As Istio looks them up."""
    seen = commit(service("wide", hosts=["*.internal"]), service("narrow", hosts=["a.internal"]))
    assert [one.key.name for one in seen.serving("a.internal")] == ["narrow", "wide"]
    assert [one.key.name for one in seen.serving("b.internal")] == ["wide"]
    assert list(seen.serving("internal")) == []


def test_declared_names_are_kept_by_namespace() -> None:
    """Of one kind at a time."""
    seen = commit(document("ServiceAccount", "a"), document("ServiceAccount", "b", namespace="bank"), service("c"))
    assert seen.declared("ServiceAccount") == {"shop": {"a"}, "bank": {"b"}}
