"""The lease in the cluster, on a real API server."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesSettings
from reconciler.adapters.lease_kubernetes import KubernetesLease
from reconciler.errors import Fenced, Rejected, Unavailable
from tests.contracts.clock import SetClock
from tests.contracts.lease import LeaseContract, Views, acquire
from tests.real.apiserver import ApiServer
from tests.real.proxy import Proxy


@pytest.fixture
def view(api_server: ApiServer, namespace: str) -> Views:
    """Each view has connections of its own."""
    settings = KubernetesSettings(api_server.kubeconfig)
    return lambda clock: KubernetesLease(KubernetesApi(settings), "shop", namespace, clock.monotonic)


class TestKubernetesLease(LeaseContract):
    """The contract, on kube-apiserver."""


def test_people_can_read_it(view: Views, api_server: ApiServer, namespace: str) -> None:
    """It is an ordinary Lease: who, since when, renewed when, for how long."""
    clock = SetClock()
    acquire(view(clock), "laptop-1", clock, generation=2)
    name = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"namespace": namespace, "name": "mesh-reconciler-shop"},
    }
    lease = api_server.kube.get(name)
    assert lease["spec"] == {
        "holderIdentity": "laptop-1",
        "leaseDurationSeconds": 30,
        "leaseTransitions": 1,
        "acquireTime": "2026-03-01T12:00:00.000000Z",
        "renewTime": "2026-03-01T12:00:00.000000Z",
    }
    assert lease["metadata"]["annotations"] == {"mesh-reconciler.io/store": "store-1", "mesh-reconciler.io/generation": "2"}


@pytest.mark.case("A-03")
def test_a_lost_answer_is_settled_by_asking_again(
    proxied_api_server: ApiServer, api_server_proxy: Proxy, namespace: str
) -> None:
    """A holder whose renewal may or may not have arrived still holds it, in the same epoch."""
    clock = SetClock()
    lease = KubernetesLease(
        KubernetesApi(KubernetesSettings(proxied_api_server.kubeconfig)), "shop", namespace, clock.monotonic
    )
    api_server_proxy.lose_answer(method="POST", path="leases")
    with pytest.raises(Unavailable):
        acquire(lease, "a", clock)
    assert acquire(lease, "a", clock).epoch == 1


def test_a_missing_namespace_is_named(api_server: ApiServer) -> None:
    """The error says which namespace to create."""
    clock = SetClock()
    lease = KubernetesLease(KubernetesApi(KubernetesSettings(api_server.kubeconfig)), "shop", "not-there", clock.monotonic)
    assert lease.current() is None
    with pytest.raises(Rejected, match="namespace not-there does not exist"):
        acquire(lease, "a", clock)


def test_a_lease_that_somebody_made_by_hand_is_respected(view: Views, api_server: ApiServer, namespace: str) -> None:
    """Annotations may be missing or odd; the holder counts all the same."""
    metadata = {"name": "mesh-reconciler-shop", "namespace": namespace, "annotations": {"mesh-reconciler.io/generation": "²"}}
    spec = {"holderIdentity": "hand", "leaseDurationSeconds": 60}
    api_server.kube.create({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})
    clock = SetClock()
    lease = view(clock)
    current = lease.current()
    assert current is not None
    assert (current.holder, current.store, current.epoch, current.generation) == ("hand", "", 0, 0)
    with pytest.raises(Fenced):
        lease.acquire("a", "store", timedelta(seconds=30), now=datetime(2026, 1, 1, tzinfo=UTC))
    clock.pass_time(timedelta(seconds=60))
    assert acquire(lease, "a", clock).epoch == 1
