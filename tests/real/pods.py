"""Pods without a kubelet: the test plays the kubelet and writes their status."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real.kube import Document, Kube


def pod(namespace: str, name: str) -> Document:
    """The least of a Pod: enough to name it in a request."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name}}


def create_pod(
    kube: Kube,
    namespace: str,
    name: str,
    labels: Mapping[str, str],
    ip: str,
    *,
    ready: bool = True,
    service_account: str = "default",
    ports: Mapping[str, int] | None = None,
    owner: str = "",
) -> Document:
    """Create a running Pod with an address. Loopback addresses such as 127.0.2.1 are accepted by the server.

    `owner` is its controller, such as `ReplicaSet/billing-7d9c5b6f4`, which need not exist.
    """
    wanted = pod(namespace, name)
    wanted["metadata"]["labels"] = dict(labels)
    if owner:
        kind, _, owned_by = owner.partition("/")
        reference = {"apiVersion": "apps/v1", "kind": kind, "name": owned_by, "uid": owned_by, "controller": True}
        wanted["metadata"]["ownerReferences"] = [reference]
    container_ports = [{"name": port_name, "containerPort": number} for port_name, number in (ports or {}).items()]
    wanted["spec"] = {
        "nodeName": "test-node",
        "serviceAccountName": service_account,
        "containers": [{"name": "app", "image": "example.com/app:1", "ports": container_ports}],
    }
    kube.create(wanted)
    return set_pod_status(kube, namespace, name, ip, ready=ready)


def set_pod_status(kube: Kube, namespace: str, name: str, ip: str, *, ready: bool) -> Document:
    """What a kubelet writes: phase, addresses and the two conditions that decide about readiness."""
    conditions = [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")]
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": conditions}
    return kube.patch(pod(namespace, name), {"status": status}, part="/status", manager="kubelet")


def delete_pod(kube: Kube, namespace: str, name: str) -> None:
    """Delete a Pod at once."""
    kube.delete(pod(namespace, name))
