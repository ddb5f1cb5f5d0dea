"""The adapter keeps the cluster's promises on a real API server."""

from collections.abc import Iterator

import pytest

from tests.adapters.cluster_kubernetes.worlds import RealWorld
from tests.contracts.cluster import ClusterContract
from tests.real.apiserver import ApiServer


class TestKubernetesCluster(ClusterContract):
    """The contract, on kube-apiserver and etcd."""

    @pytest.fixture
    def world(self, api_server: ApiServer, namespace: str) -> Iterator[RealWorld]:
        world = RealWorld(api_server, namespace)
        yield world
        world.cluster.close()
