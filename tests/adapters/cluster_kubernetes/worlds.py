"""A namespace of the real API server as the world of a cluster test, and impatient settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesCluster, KubernetesSettings, Patience
from reconciler.core.kinds import MANAGED
from reconciler.core.resources import Document, Key
from tests.contracts.cluster import MISSING, OURS
from tests.real.apiserver import ApiServer
from tests.real.pods import create_pod
from tests.real.scaling import put_autoscaler, put_deployment

#: As the adapter's own, only faster: a test waits for nothing longer than it must.
IMPATIENT = Patience(attempts=4, longest=10.0, first_pause=0.01, longest_pause=0.05, jitter=0.01, longest_retry_after=0.3)


def settings(kubeconfig: Path, *namespaces: str, **more: Any) -> KubernetesSettings:
    """Settings for a test: short pauses, short waits."""
    base = KubernetesSettings(
        kubeconfig,
        namespaces=namespaces,
        reading=IMPATIENT,
        writing=IMPATIENT,
        relist_interval=timedelta(minutes=1),
        watch_pause=0.5,
    )
    return replace(base, **more)


class RealWorld:
    """A namespace of the run's API server; the adapter may be pointed elsewhere (at a proxy) by its settings."""

    def __init__(self, server: ApiServer, namespace: str, chosen: KubernetesSettings | None = None) -> None:
        self.server, self.namespace = server, namespace
        self.api = KubernetesApi(chosen or settings(server.kubeconfig, namespace, MISSING))
        self.cluster = KubernetesCluster(self.api, OURS)

    def create(self, document: Document, manager: str) -> None:
        self.server.kube.create(document, manager)

    def edit(self, key: Key, patch: Document, manager: str, *, subresource: str = "") -> None:
        part = f"/{subresource}" if subresource else ""
        self.server.kube.patch(_named(key), patch, part=part, manager=manager)

    def apply_as(self, document: Document, manager: str, *, force: bool = False) -> None:
        self.server.kube.apply(document, manager, force=force)

    def remove(self, key: Key) -> None:
        self.server.kube.delete(_named(key))

    def put_pod(self, name: str, ip: str, labels: Mapping[str, str], *, ready: bool = True) -> None:
        create_pod(self.server.kube, self.namespace, name, labels, ip, ready=ready)

    def put_service(self, name: str, selector: Mapping[str, str]) -> None:
        spec = {"selector": dict(selector), "ports": [{"port": 80}]}
        metadata = {"name": name, "namespace": self.namespace}
        self.server.kube.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})

    def put_deployment(self, name: str, replicas: int, labels: Mapping[str, str]) -> None:
        put_deployment(self.server.kube, self.namespace, name, replicas, labels)

    def put_autoscaler(self, name: str, target: str, bounds: tuple[int, int], *, current: int, desired: int) -> None:
        put_autoscaler(self.server.kube, self.namespace, name, target, bounds, current=current, desired=desired)


def _named(key: Key) -> Document:
    metadata = {"name": key.name, **({"namespace": key.namespace} if key.namespace else {})}
    return {"apiVersion": MANAGED[key.kind].api_version, "kind": key.kind, "metadata": metadata}
