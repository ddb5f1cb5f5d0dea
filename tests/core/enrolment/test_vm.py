"""What a VM is to be in the mesh: its record over its group's template."""

from typing import Any

from reconciler.core.enrolment.vm import PROXY_CONFIG, EnrolledVM
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key, LiveObject

PROBE = {"httpGet": {"port": 8080}}


def record(**spec: Any) -> LiveObject:
    """A record of the registry."""
    key = Key(VIRTUAL_MACHINE, "shop", "billing-1")
    return LiveObject(key, {"metadata": {"name": key.name, "namespace": key.namespace}, "spec": spec})


def group(annotations: dict[str, str] | None = None, **spec: Any) -> LiveObject:
    """A WorkloadGroup."""
    metadata = {"name": "billing", "namespace": "shop", **({"annotations": annotations} if annotations else {})}
    return LiveObject(Key("WorkloadGroup", "shop", "billing"), {"metadata": metadata, "spec": spec})


def test_a_vm_of_a_group() -> None:
    """What the record leaves out is the template's; labels are joined, the nearer word wins."""
    template = {
        "serviceAccount": "billing",
        "network": "vms",
        "locality": "eu/a",
        "ports": {"http": 8080},
        "labels": {"app": "billing", "tier": "x"},
    }
    metadata = {"labels": {"app": "other", "team": "pay"}, "annotations": {PROXY_CONFIG: "b"}}
    vm = EnrolledVM.of(
        record(address="10.0.0.5", locality="eu/b", labels={"tier": "y"}, group="billing"),
        group({PROXY_CONFIG: "a"}, template=template, metadata=metadata, probe=PROBE),
    )
    assert vm == EnrolledVM(
        namespace="shop",
        name="billing-1",
        workload="billing",
        address="10.0.0.5",
        service_account="billing",
        network="vms",
        locality="eu/b",
        labels={"app": "billing", "team": "pay", "tier": "y"},
        ports={"http": 8080},
        probe=PROBE,
        proxy_configs=("a", "b"),
    )


def test_a_vm_without_a_group() -> None:
    """It is a workload of its own, without a probe."""
    vm = EnrolledVM.of(record(address="10.0.0.5"), None)
    assert vm == EnrolledVM("shop", "billing-1", "billing-1", "10.0.0.5", "default", labels={}, ports={})


def test_a_group_that_says_next_to_nothing() -> None:
    """A template without content is what `istioctl x workload group create` may make."""
    vm = EnrolledVM.of(record(address="10.0.0.5", serviceAccount="own"), group(template={}, metadata=None))
    assert (vm.workload, vm.service_account, vm.ports, vm.probe) == ("billing", "own", {}, None)
