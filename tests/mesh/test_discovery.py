"""What the real istiod says that it tells proxies, as our adapter reads it, is what Envoy has a moment later."""

from __future__ import annotations

from pathlib import Path

from reconciler.adapters.discovery_istiod import IstiodDiscovery, IstiodSettings
from tests.mesh.manifests import PODS, VMS, Billing
from tests.mesh.sidecar import Sidecar
from tests.real.apiserver import ApiServer
from tests.real.istiod_process import Istiod
from tests.real.pods import create_pod, set_pod_status
from tests.waiting import becomes


def test_istiod_lists_what_envoy_gets(
    api_server: ApiServer, namespace: str, istiod: Istiod, envoy: Path, tmp_path: Path
) -> None:
    """VMs with a weight and a Pod behind a selector, then the Pod is not ready any more."""
    kube, billing = api_server.kube, Billing(namespace, 8080)
    discovery = IstiodDiscovery(IstiodSettings((istiod.url,)))

    def listed() -> object:
        (told,) = discovery.told()
        return told.get((namespace, billing.host))

    for machine in billing.machines(VMS):
        kube.apply({**machine, "spec": {**machine["spec"], "weight": 9}})
    kube.apply(billing.behind())
    create_pod(kube, namespace, "billing-1", {"app": "billing"}, PODS[0])
    with Sidecar(envoy, tmp_path / "envoy", istiod, namespace, billing.host) as sidecar:
        together = {**dict.fromkeys(VMS, 9), PODS[0]: 1}
        assert becomes(lambda: listed() == together), listed()
        assert becomes(lambda: sidecar.endpoints() == together), sidecar.endpoints()
        set_pod_status(kube, namespace, "billing-1", PODS[0], ready=False)
        assert becomes(lambda: listed() == dict.fromkeys(VMS, 9)), listed()
        assert becomes(lambda: sidecar.endpoints() == dict.fromkeys(VMS, 9)), sidecar.endpoints()
