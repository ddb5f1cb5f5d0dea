"""The cluster in memory keeps the promises of the real one."""

from collections.abc import Mapping

import pytest

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.core.resources import Autoscaler, Controller, Document, Key, Pod, Service
from tests.contracts.clock import SetClock
from tests.contracts.cluster import OURS, ClusterContract


class MemoryWorld:
    """A cluster in memory with one namespace."""

    def __init__(self) -> None:
        self.namespace = "shop"
        self.cluster = MemoryCluster(SetClock(), OURS)
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}, "kubectl-create")

    def create(self, document: Document, manager: str) -> None:
        self.cluster.create(document, manager)

    def edit(self, key: Key, patch: Document, manager: str, *, subresource: str = "") -> None:
        self.cluster.edit(key, patch, manager, subresource=subresource)

    def apply_as(self, document: Document, manager: str, *, force: bool = False) -> None:
        self.cluster.apply_as(document, manager, force=force)

    def remove(self, key: Key) -> None:
        self.cluster.remove(key)

    def put_pod(self, name: str, ip: str, labels: Mapping[str, str], *, ready: bool = True) -> None:
        self.cluster.put_pod(Pod(self.namespace, name, ip, labels, ready))

    def put_service(self, name: str, selector: Mapping[str, str]) -> None:
        self.cluster.put_service(Service(self.namespace, name, selector))

    def put_deployment(self, name: str, replicas: int, labels: Mapping[str, str]) -> None:
        self.cluster.put_controller(Controller("Deployment", self.namespace, name, replicas, labels))

    def put_autoscaler(self, name: str, target: str, bounds: tuple[int, int], *, current: int, desired: int) -> None:
        self.cluster.put_autoscaler(Autoscaler(self.namespace, name, f"Deployment/{target}", *bounds, current, desired))


class TestMemoryCluster(ClusterContract):
    """The contract, in memory."""

    @pytest.fixture
    def world(self) -> MemoryWorld:
        return MemoryWorld()
