"""Health on a real API server, under the rights that `deploy/` gives: a report becomes a condition, and that another split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from reconciler.core.drain import Drain
from reconciler.core.health.conditions import Condition
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.wanted import DRAINED_ANNOTATION
from reconciler.cycle.run import Cycle
from tests.adapters.cluster_kubernetes.worlds import RealWorld, settings
from tests.building import service_entry, workload_entry
from tests.real.apiserver import ApiServer
from tests.real.rights import deployed_rules
from tests.worlds import World


@dataclass
class Mesh:
    """The service billing on two VMs of one namespace, one of which reports."""

    world: World
    real: RealWorld
    cycle: Cycle

    def report(self, name: str, health: str, address: str) -> None:
        """A VM says how it is."""
        self.world.registry.report(Key("VirtualMachine", self.real.namespace, name), {"health": health, "address": address})

    def settled(self) -> Report:
        """Run until nothing is left to do."""
        for _ in range(5):
            found = self.cycle.run("apply", write=True)
            if not found.results:
                break
        return found

    def live(self, name: str) -> Document:
        """An entry as the server holds it."""
        found = self.real.cluster.get(Key("WorkloadEntry", self.real.namespace, name))
        assert found is not None
        return found.document

    def share(self, name: str) -> tuple[Fraction, Fraction]:
        """The predicted share of a VM before and after what is due."""
        found = self.cycle.run("plan", write=False)
        assert found.plan
        (unit,) = [one for one in found.plan.units if one.name == f"health {self.real.namespace}"]
        before, after = (
            sum((one.share for split in splits for one in split.endpoints if one.name == name), Fraction(0))
            for splits in (unit.before, unit.after)
        )
        return before, after


@pytest.fixture
def mesh(api_server: ApiServer, namespace: str, tmp_path: Path) -> Iterator[Mesh]:
    """A target that may do what the deployed roles allow, and a commit."""
    token = api_server.account(namespace, "writer", deployed_rules("mesh-reconciler-.*")).token
    kubeconfig = api_server.write_kubeconfig(tmp_path / "kubeconfig", token)
    real, world = RealWorld(api_server, namespace, settings(kubeconfig, namespace)), World()
    asked = {"annotations": {HEALTH_CHECKED: "true"}}
    entries = [workload_entry(f"vm{number}", address=f"10.0.0.{number}") for number in (1, 2)]
    documents = [service_entry(workloadSelector={"labels": {"app": "billing"}}), *entries]
    world.commit(
        {**one, "metadata": {**one["metadata"], "namespace": namespace, **(asked if one in entries else {})}}
        for one in documents
    )
    yield Mesh(world, real, world.process(cluster=real.cluster))
    real.cluster.close()


def test_a_vm_leaves_and_comes_back_by_its_condition(mesh: Mesh) -> None:
    """Condition first, annotation second; then ill, and well again, beside a condition of istiod's."""
    mesh.settled()
    assert "annotations" not in mesh.live("vm1")["metadata"]
    for name, address in (("vm1", "10.0.0.1"), ("vm2", "10.0.0.2")):
        mesh.report(name, "healthy", address)
    assert mesh.settled().verdict is Verdict.IN_SYNC
    assert mesh.live("vm2")["metadata"]["annotations"] == {HEALTH_CHECKED: "true"}
    key = Key("WorkloadEntry", mesh.real.namespace, "vm2")
    bound = {"type": "istio.io/WaypointBound", "status": "True"}
    conditions = [bound, *mesh.live("vm2")["status"]["conditions"]]
    mesh.real.edit(key, {"status": {"conditions": conditions}}, "pilot-discovery", subresource="status")

    mesh.report("vm2", "unhealthy", "10.0.0.2")
    assert mesh.share("vm2") == (Fraction(1, 2), Fraction(0))
    assert mesh.settled().verdict is Verdict.IN_SYNC
    left = Condition.of(mesh.live("vm2"))
    assert (left and left.healthy, bound in mesh.live("vm2")["status"]["conditions"]) == (False, True)

    mesh.report("vm2", "healthy", "10.0.0.2")
    assert mesh.share("vm2") == (Fraction(0), Fraction(1, 2))
    assert mesh.settled().verdict is Verdict.IN_SYNC
    back = Condition.of(mesh.live("vm2"))
    assert back
    assert back.healthy


def test_a_vm_leaves_without_its_labels_and_comes_back_with_them(mesh: Mesh) -> None:
    """Where no condition of it counts: the server takes the entry without any label, and holds what it was before."""
    mesh.settled()
    before = mesh.live("vm2")["spec"]
    now = mesh.world.clock.now()
    drain = {"draining": True, "drain": Drain("ann", now, now).document}
    key = Key("VirtualMachine", mesh.real.namespace, "vm2")
    mesh.world.registry.report(key, {"health": "unknown", "address": "10.0.0.2", **drain})
    mesh.settled()
    out = mesh.live("vm2")
    assert (out["spec"], DRAINED_ANNOTATION in out["metadata"]["annotations"]) == ({"address": "10.0.0.2", "weight": 1}, True)
    assert mesh.cycle.run("diff", write=False).verdict is Verdict.IN_SYNC
    mesh.report("vm2", "healthy", "10.0.0.2")
    mesh.settled()
    back = mesh.live("vm2")
    assert (back["spec"], DRAINED_ANNOTATION in back["metadata"]["annotations"]) == (before, False)
