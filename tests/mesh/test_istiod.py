"""The parts of the mesh alone, without the reconciler: what is written at the API server is how requests go."""

from __future__ import annotations

from pathlib import Path

from tests.mesh.manifests import PODS, VMS, Billing
from tests.mesh.sidecar import Sidecar
from tests.real.apiserver import ApiServer
from tests.real.istiod_process import Istiod
from tests.real.pods import create_pod, set_pod_status
from tests.waiting import becomes


def test_istiod_tells_envoy_who_serves_with_which_weight(
    api_server: ApiServer, namespace: str, istiod: Istiod, envoy: Path, tmp_path: Path
) -> None:
    """A list of addresses, then WorkloadEntries and a Pod behind a selector; then the Pod is not ready any more."""
    kube, billing = api_server.kube, Billing(namespace, 8080)
    kube.apply(billing.inline(VMS))
    with Sidecar(envoy, tmp_path / "envoy", istiod, namespace, billing.host) as sidecar:
        assert becomes(lambda: sidecar.endpoints() == dict.fromkeys(VMS, 1)), sidecar.endpoints()
        for machine in billing.machines(VMS):
            kube.apply({**machine, "spec": {**machine["spec"], "weight": 9}})
        kube.apply(billing.behind())
        create_pod(kube, namespace, "billing-1", {"app": "billing"}, PODS[0])
        assert becomes(lambda: sidecar.endpoints() == {**dict.fromkeys(VMS, 9), PODS[0]: 1}), sidecar.endpoints()
        set_pod_status(kube, namespace, "billing-1", PODS[0], ready=False)
        assert becomes(lambda: sidecar.endpoints() == dict.fromkeys(VMS, 9)), sidecar.endpoints()
