"""The registry's records for WorkloadEntries."""

from typing import Any

import pytest

from reconciler.core.machines import machine_of, with_probe
from reconciler.core.resources import Key, Manifest
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


def test_a_record_carries_the_probe_of_its_group() -> None:
    """So that the agent knows what to ask; without a group, or in another namespace, there is none."""
    machine = machine_of(entry({"mesh-reconciler.io/group": "billing"}, address="10.0.0.1"))
    assert machine is not None
    probe = {"httpGet": {"port": 8080}}

    def group(namespace: str, **spec: Any) -> dict[Key, Manifest]:
        key = Key("WorkloadGroup", namespace, "billing")
        return {key: Manifest(key, {"spec": spec}, Place("b.yaml", 1, 1), "blob")}

    assert with_probe(machine, group("shop", probe=probe)).document["spec"]["probe"] == probe
    for other in (group("web", probe=probe), group("shop"), {}):
        assert with_probe(machine, other) is machine
