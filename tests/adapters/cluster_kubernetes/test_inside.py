"""What a namespace of a real API server holds: everything, of every kind, or an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesCluster
from reconciler.adapters.cluster_kubernetes.inside import METADATA
from reconciler.core.namespaces import Inside
from reconciler.errors import Rejected, Unavailable
from tests.adapters.cluster_kubernetes.conftest import Proxied
from tests.adapters.cluster_kubernetes.worlds import settings
from tests.contracts.cluster import OURS, workload_entry
from tests.real.apiserver import RBAC, ApiServer
from tests.real.proxy import Proxy

#: One of each sort: core and other groups, a custom kind that is not managed, one with several versions, one with two groups.
DOCUMENTS = [
    {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "stringData": {"password": "hunter2"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}},
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more-settings"}},
    {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": "reader"}, "rules": []},
    {"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "lua"}, "spec": {}},
    workload_entry(""),
    {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
    },
]
EXPECTED = {
    Inside("", "Secret", "token"),
    Inside("", "ConfigMap", "settings"),
    Inside("", "ConfigMap", "more-settings"),
    Inside(RBAC.partition("/")[0], "Role", "reader"),
    Inside("networking.istio.io", "EnvoyFilter", "lua"),
    Inside("networking.istio.io", "WorkloadEntry", "vm-1"),
    Inside("autoscaling", "HorizontalPodAutoscaler", "web"),
}
#: How an answer begins whose items come next.
LIST = b'{"kind": "SecretList", "items": '


@pytest.fixture
def full(api_server: ApiServer, namespace: str) -> str:
    """A namespace with one object of each sort."""
    for one in DOCUMENTS:
        api_server.kube.create({**one, "metadata": {**one["metadata"], "namespace": namespace}})
    return namespace


@pytest.fixture
def through_proxy(proxied: Proxied) -> KubernetesCluster:
    """The adapter behind the proxy, reading pages of one object."""
    return proxied(page_size=1).cluster


def test_every_kind_is_listed_once(through_proxy: KubernetesCluster, api_server_proxy: Proxy, full: str) -> None:
    """Whatever its group and however many versions it has, over several pages."""
    found = through_proxy.inside(full)
    assert len(found) == len(set(found))
    assert set(found) >= EXPECTED
    assert set(found) - EXPECTED <= {Inside("", "ServiceAccount", "default"), Inside("", "ConfigMap", "kube-root-ca.crt")}
    assert any("continue=" in one.path for one in api_server_proxy.requests)


def test_nothing_but_names_is_sent(api_server: ApiServer, full: str) -> None:
    """What is in a Secret does not leave the server."""
    api = KubernetesApi(settings(api_server.kubeconfig))
    (secret,) = api.read(f"/api/v1/namespaces/{full}/secrets", accept=METADATA)["items"]
    assert (secret["kind"], secret["metadata"]["name"], secret.keys() & {"data", "type"}) == (
        "PartialObjectMetadata",
        "token",
        set(),
    )
    api.close()


def test_nothing_is_asked_that_cannot_be_listed(through_proxy: KubernetesCluster, api_server_proxy: Proxy, full: str) -> None:
    """Reviews and bindings are questions and deeds, subresources are parts: each request is one for a list."""
    through_proxy.inside(full)
    asked = {one.path.partition("?")[0].rpartition("/")[2] for one in api_server_proxy.requests if f"/{full}/" in one.path}
    assert asked >= {"secrets", "configmaps", "envoyfilters", "leases", "pods"}
    assert not asked & {"localsubjectaccessreviews", "bindings", "status", "namespaces"}


def test_one_kind_that_may_not_be_listed_is_the_end_of_it(api_server: ApiServer, full: str, tmp_path: Path) -> None:
    """An account that may look at all but Secrets: the server's own words name the kind."""
    groups = [group["name"] for group in api_server.kube.request("GET", "/apis")["groups"]]
    core = {one["name"] for one in api_server.kube.request("GET", "/api/v1")["resources"]} - {"secrets"}
    rules = [
        {"apiGroups": groups, "resources": ["*"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": sorted(core), "verbs": ["list"]},
    ]
    token = api_server.account(full, "viewer", rules).token
    viewer = KubernetesCluster(KubernetesApi(settings(api_server.write_kubeconfig(tmp_path / "config", token), full)), OURS)
    with pytest.raises(Rejected, match='cannot list resource "secrets"') as refused:
        viewer.inside(full)
    assert refused.value.status == 403
    viewer.close()


@pytest.mark.parametrize(
    "path",
    ["/api$", "/apis$", "/apis/policy/v1$", "/secrets", "/envoyfilters"],
    ids=["core", "groups", "version", "list", "custom"],
)
def test_one_answer_that_is_missing_is_the_end_of_it(
    through_proxy: KubernetesCluster, api_server_proxy: Proxy, full: str, path: str
) -> None:
    """As of an extension's own server that is down: what it holds nobody knows."""
    api_server_proxy.respond(503, b"service unavailable", path=path, times=None)
    with pytest.raises(Unavailable):
        through_proxy.inside(full)


@pytest.mark.parametrize(
    "answer", [b"{}", LIST + b'{}, "metadata": {}}', LIST + b'[{}], "metadata": {}}', LIST + b"[]}", b"[]", b"x"]
)
@pytest.mark.parametrize("path", ["/apis$", "/apis/policy/v1$", "/secrets"])
def test_an_answer_that_makes_no_sense_is_the_end_of_it(
    through_proxy: KubernetesCluster, api_server_proxy: Proxy, full: str, path: str, answer: bytes
) -> None:
    """It is never taken for an empty list."""
    api_server_proxy.respond(200, answer, {"Content-Type": "application/json"}, path=path, times=None)
    with pytest.raises(Unavailable):
        through_proxy.inside(full)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a?b", "A"])
def test_a_name_that_is_none_reaches_no_server(through_proxy: KubernetesCluster, api_server_proxy: Proxy, name: str) -> None:
    """Above all not the lists of the whole cluster."""
    with pytest.raises(Rejected, match="no name"):
        through_proxy.inside(name)
    assert api_server_proxy.requests == ()


def test_a_namespace_that_is_not_there_holds_nothing(api_server: ApiServer, new_namespace: Callable[[str], str]) -> None:
    """Nor does one that was just made, but for what is made with it."""
    cluster = KubernetesCluster(KubernetesApi(settings(api_server.kubeconfig)), OURS)
    assert cluster.inside("no-such-namespace-here") == ()
    assert {one.kind for one in cluster.inside(new_namespace("new"))} <= {"ServiceAccount", "ConfigMap"}
    cluster.close()
