"""The story that the demo pushes: one service moves from inline endpoints to WorkloadEntries, and Pods join it."""

from dataclasses import dataclass

from reconciler.core.resources import Pod

FOLDER = "production/shop/svc1"
HOST = "svc1.internal.com"

_ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: svc1
  namespace: shop
spec:
  hosts:
    - svc1.internal.com
  location: MESH_INTERNAL
  resolution: STATIC
  ports:
    - number: 80
      name: http
      protocol: HTTP
      targetPort: 8080
"""

_INLINE = """\
  endpoints:
    - address: 10.20.1.31
      labels: {app: svc1, platform: vm}
      serviceAccount: svc1
    - address: 10.20.1.32
      labels: {app: svc1, platform: vm}
      serviceAccount: svc1
"""

_SELECTOR = """\
  workloadSelector:
    labels:
      app: svc1
"""

_ACCOUNT = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: svc1
  namespace: shop
"""


def _workload(number: int, weight: int) -> str:
    return f"""\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: svc1-vm-{number}
  namespace: shop
spec:
  address: 10.20.1.3{number}
  labels:
    app: svc1
    platform: vm
  serviceAccount: svc1
  weight: {weight}
"""


def _workloads(weight: int) -> str:
    return "---\n".join(_workload(number, weight) for number in (1, 2))


@dataclass(frozen=True, slots=True)
class Chapter:
    """One thing that happens: files that are pushed (path -> text), or Pods that become ready."""

    title: str
    files: tuple[tuple[str, str], ...] = ()
    pods: tuple[Pod, ...] = ()


def _pod(number: int) -> Pod:
    return Pod(
        namespace="shop",
        name=f"svc1-7d9c5b6f4-{number}",
        ip=f"10.1.0.{number}",
        labels={"app": "svc1", "platform": "pod"},
        ready=True,
        service_account="svc1",
        owner="ReplicaSet/svc1-7d9c5b6f4",
    )


CHAPTERS = (
    Chapter(
        "svc1 enters the mesh with inline endpoints: two VMs",
        files=((f"{FOLDER}/account.yaml", _ACCOUNT), (f"{FOLDER}/service-entry.yaml", _ENTRY + _INLINE)),
    ),
    Chapter(
        "inline endpoints become WorkloadEntries behind a selector, in one write of the ServiceEntry",
        files=((f"{FOLDER}/workload-entries.yaml", _workloads(1)), (f"{FOLDER}/service-entry.yaml", _ENTRY + _SELECTOR)),
    ),
    Chapter(
        "the VMs' weights are raised before the first Pod is ready, so that two Pods will get 10 %",
        files=((f"{FOLDER}/workload-entries.yaml", _workloads(9)),),
    ),
    Chapter("two Pods with the same labels become ready and join; nothing is to be written", pods=(_pod(1), _pod(2))),
)
