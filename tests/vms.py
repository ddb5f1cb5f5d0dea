"""VMs in a world whose health counts, and what they say of themselves."""

from __future__ import annotations

from typing import Any

from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.report import Report
from reconciler.core.resources import Document, Key
from tests.building import workload_entry
from tests.worlds import World


def checked(name: str, address: str, **annotations: str) -> Document:
    """A WorkloadEntry whose health is to count."""
    entry = workload_entry(name, address=address)
    asked = {HEALTH_CHECKED: "true", **{f"mesh-reconciler.io/{key}": value for key, value in annotations.items()}}
    return {**entry, "metadata": {**entry["metadata"], "annotations": asked}}


VM1, VM2, VM3 = (checked(f"vm{number}", f"10.0.0.{number}") for number in (1, 2, 3))


def report(world: World, name: str, health: str, address: str = "") -> None:
    """A VM says how it is, from its own address unless another one is given."""
    key = Key("VirtualMachine", "shop", name)
    world.registry.report(key, {"health": health, "address": address or f"10.0.0.{name[-1]}"})


def settled(world: World, **policy: Any) -> Report:
    """Run until nothing is left to do."""
    process = world.process("settling:1", **policy)
    for _ in range(6):
        last = world.run("apply", process)
        if not last.results:
            break
    process.authority.release()
    return last
