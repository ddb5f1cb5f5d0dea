"""Manifests as a team writes them: one service, `billing`, on VMs."""

from __future__ import annotations

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: billing
  namespace: {namespace}
spec:
  hosts:
    - billing.{namespace}.internal
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - number: {port}
      name: http
      protocol: HTTP
  workloadSelector:
    labels:
      app: billing
"""

WORKLOAD = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: billing-vm-{number}
  namespace: {namespace}
spec:
  address: 10.20.1.{number}
  labels:
    app: billing
    platform: vm
  weight: {weight}
"""


def entry(namespace: str, port: int = 80) -> str:
    """The ServiceEntry, with a selector."""
    return ENTRY.format(namespace=namespace, port=port)


def workloads(namespace: str, count: int = 3, weight: int = 10) -> str:
    """So many WorkloadEntries, at 10.20.1.1 and on."""
    return "---\n".join(WORKLOAD.format(namespace=namespace, number=at, weight=weight) for at in range(1, count + 1))


def billing(namespace: str, count: int = 3, weight: int = 10, port: int = 80) -> dict[str, str]:
    """The files of the whole service by their paths."""
    return {"billing/service-entry.yaml": entry(namespace, port), "billing/vms.yaml": workloads(namespace, count, weight)}
