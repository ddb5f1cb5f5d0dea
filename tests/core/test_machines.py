"""The registry's records for WorkloadEntries."""

from typing import Any

import pytest

from reconciler.core.machines import machine_of, machines_of
from reconciler.core.resources import DesiredState, Key, Manifest, Revision
from reconciler.errors import Place


def entry(annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    """Return a WorkloadEntry of Git."""
    metadata: dict[str, Any] = {"name": "vm-1", "namespace": "shop", "labels": {"app": "billing"}}
    if annotations:
        metadata["annotations"] = annotations
    document = {"apiVersion": "networking.istio.io/v1", "kind": "WorkloadEntry", "metadata": metadata, "spec": spec}
    return Manifest(Key.of(document), document, Place("a.yaml", 3, 1), "blob")


def test_a_record_says_what_the_entry_says() -> None:
    """Same name and namespace, effective labels, and only what is there."""
    spec = {
        "address": "10.0.0.1",
        "ports": {"http": 8080},
        "labels": {"platform": "vm"},
        "serviceAccount": "billing",
        "weight": 7,
    }
    machine = machine_of(entry({"mesh-reconciler.io/group": "billing"}, **spec))
    assert machine is not None
    assert machine.key == Key("VirtualMachine", "shop", "vm-1")
    assert machine.place == Place("a.yaml", 3, 1)
    assert machine.document == {
        "apiVersion": "mesh-reconciler.io/v1alpha1",
        "kind": "VirtualMachine",
        "metadata": {"name": "vm-1", "namespace": "shop"},
        "spec": {
            "address": "10.0.0.1",
            "ports": {"http": 8080},
            "labels": {"platform": "vm", "app": "billing"},
            "serviceAccount": "billing",
            "group": "billing",
        },
    }


@pytest.mark.parametrize("address", ["vm.example.com", "unix:///run/a.sock", ""])
def test_no_agent_reports_from_a_name_or_a_socket(address: str) -> None:
    """Such entries are exempt from the registry."""
    assert machine_of(entry(address=address)) is None


def test_an_annotation_exempts_an_entry() -> None:
    """A VM without an agent has no record."""
    assert machine_of(entry({"mesh-reconciler.io/registry": "none"}, address="10.0.0.1")) is None


def commit(*manifests: Manifest) -> dict[Key, Manifest]:
    """The manifests of a commit."""
    return {one.key: one for one in manifests}


def group(namespace: str = "shop", **spec: Any) -> Manifest:
    """A WorkloadGroup."""
    return Manifest(Key("WorkloadGroup", namespace, "billing"), {"spec": spec}, Place("b.yaml", 1, 1), "blob")


VM = entry({"mesh-reconciler.io/group": "billing"}, address="10.0.0.1")
PROBE = {"httpGet": {"port": 8080}}


def test_a_record_carries_the_probe_of_its_group() -> None:
    """So that the agent knows what to ask; without a group, or in another namespace, there is none."""
    (machine,) = machines_of(commit(VM, group(probe=PROBE))).values()
    assert machine.document["spec"]["probe"] == PROBE
    for other in (commit(VM, group("web", probe=PROBE)), commit(VM, group()), commit(VM)):
        (machine,) = machines_of(other).values()
        assert "probe" not in machine.document["spec"]


def test_what_has_not_changed_is_the_very_same_record() -> None:
    """Who compares goes by that; another entry or another probe makes another record."""
    first = commit(VM, group(probe=PROBE))
    last = DesiredState(Revision("a" * 40), manifests=first, machines=machines_of(first))
    ((key, record),) = last.machines.items()
    assert machines_of(first, last)[key] is record
    assert machines_of(commit(VM, group(probe={"tcpSocket": {"port": 1}})), last)[key] != record
    assert machines_of(commit(VM), last)[key] != record
    moved = entry({"mesh-reconciler.io/group": "billing"}, address="10.0.0.2")
    assert machines_of(commit(moved, group(probe=PROBE)), last)[key] != record
    assert machines_of(commit(entry({"mesh-reconciler.io/registry": "none"}, address="10.0.0.1")), last) == {}
