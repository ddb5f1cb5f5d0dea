"""The adapter keeps the cluster's promises on a real API server."""

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.core.kinds import MANAGED
from reconciler.core.ownership import declared, encode, owned
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


SELECTOR = {"matchLabels": {"app": "billing"}}
ROUTE = [
    {"destination": {"host": "billing.internal", "subset": "vm"}, "weight": 90},
    {"destination": {"host": "b"}, "weight": 10},
]
SPECS: dict[str, dict[str, Any]] = {
    "AuthorizationPolicy": {"selector": SELECTOR, "action": "DENY", "rules": [{"from": [{"source": {"namespaces": ["x"]}}]}]},
    "DestinationRule": {
        "host": "billing.internal",
        "subsets": [{"name": "vm", "labels": {"platform": "vm"}}],
        "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 5}}, "portLevelSettings": [{"port": {"number": 80}}]},
    },
    "Gateway": {
        "selector": {"istio": "ingress"},
        "servers": [{"hosts": ["*"], "port": {"name": "h", "number": 80, "protocol": "HTTP"}}],
    },
    "PeerAuthentication": {"selector": SELECTOR, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"80": {"mode": "DISABLE"}}},
    "ProxyConfig": {"environmentVariables": {"A": "b"}, "image": {"imageType": "debug"}, "concurrency": 0},
    "RequestAuthentication": {"selector": SELECTOR, "jwtRules": [{"issuer": "https://issuer.example"}]},
    "ServiceEntry": {"hosts": ["billing.internal"], "ports": [{"name": "http", "number": 80}], "resolution": "NONE"},
    "Sidecar": {"workloadSelector": {"labels": {"app": "a"}}, "egress": [{"hosts": ["./*"]}], "outboundTrafficPolicy": {}},
    "Telemetry": {"selector": SELECTOR, "tracing": [{"randomSamplingPercentage": 1.5}], "metrics": []},
    "VirtualService": {"hosts": ["billing.internal"], "http": [{"route": ROUTE, "timeout": "5s"}]},
    "WorkloadEntry": {"address": "10.0.0.1", "ports": {"http": 8080}, "labels": {}, "weight": 0},
    "WorkloadGroup": {
        "metadata": {"labels": {"a": "b"}},
        "template": {"ports": {"http": 1}},
        "probe": {"tcpSocket": {"port": 1}},
    },
}


@pytest.mark.parametrize("kind", [kind.name for kind in MANAGED.values() if kind.group])
def test_what_we_declare_of_a_kind_is_what_the_server_gives_us(api_server: ApiServer, namespace: str, kind: str) -> None:
    """For every kind of Istio's that we write: the same fields, the same text, and a second apply moves nothing."""
    world = RealWorld(api_server, namespace)
    metadata = {"name": "one", "namespace": namespace, "labels": {"a.b/c": "d"}, "annotations": {"e": "f"}}
    document = {"apiVersion": MANAGED[kind].api_version, "kind": kind, "metadata": metadata, "spec": SPECS[kind]}
    live = world.cluster.apply(document)
    (owner,) = live.owners
    assert owned(owner) == declared(document)
    assert encode(owned(owner)) == owner.fields
    assert live.document == document
    assert world.cluster.apply(document, uid=live.uid, resource_version=live.resource_version) == live
    world.cluster.close()
