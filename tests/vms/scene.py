"""VMs in a world whose health counts, and what they say of themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from reconciler.core.drain import PATIENCE, Drain
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.records import Health
from reconciler.core.report import Report
from reconciler.core.resources import Document, Key
from tests.building import workload_entry
from tests.worlds import World


def checked(name: str, address: str, /, **annotations: str) -> Document:
    """A WorkloadEntry whose health is to count."""
    entry = workload_entry(name, address=address)
    asked = {HEALTH_CHECKED: "true", **{f"mesh-reconciler.io/{key}": value for key, value in annotations.items()}}
    return {**entry, "metadata": {**entry["metadata"], "annotations": asked}}


VM1, VM2, VM3 = (checked(f"vm{number}", f"10.0.0.{number}") for number in (1, 2, 3))


def report(world: World, name: str, health: str, address: str = "") -> None:
    """A VM says how it is, from its own address unless another one is given."""
    key = Key("VirtualMachine", "shop", name)
    world.registry.report(key, {"health": health, "address": address or f"10.0.0.{name[-1]}"})


def drain(world: World, name: str, within: timedelta = PATIENCE, health: str = "healthy") -> None:
    """Ann takes a VM out of service, which is well, or has been revoked."""
    now = world.clock.now()
    status = {"health": health, "address": f"10.0.0.{name[-1]}", "draining": True}
    said = Drain("ann", now, now + within).document
    world.registry.report(Key("VirtualMachine", "shop", name), {**status, "drain": said})


def settled(world: World, **policy: Any) -> Report:
    """Run until nothing is left to do."""
    process = world.process("settling:1", **policy)
    for _ in range(6):
        last = world.run("apply", process)
        if not last.results:
            break
    process.authority.release()
    return last


@dataclass
class Office:
    """The registry's server: who has joined, and who is drained, which it notes in the record."""

    world: World
    joined: list[Document] = field(default_factory=list)

    def vms(self) -> tuple[Document, ...]:
        return tuple(self.joined)

    def drain(self, vm: Key, *, draining: bool, within: timedelta = PATIENCE) -> None:
        drain(self.world, vm.name, within) if draining else report(self.world, vm.name, "healthy")

    def close(self) -> None: ...


def page(name: str, **more: Any) -> Document:
    """A VM that has joined, as the registry's server shows it."""
    usual = {"health": Health.HEALTHY.value, "lastSeen": "2026-03-01T12:00:00.000Z", "leaseEnds": "2026-03-01T12:00:30.000Z"}
    quiet = {"agent": "a1", "agentState": "active", "address": "", "serviceAccount": "", "heldBy": [], "flapping": False}
    return {"namespace": "shop", "name": name, "claimed": True, **usual, **quiet, **more}
