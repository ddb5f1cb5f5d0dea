"""The harness over the real parts itself: what it starts is what the tests believe it to be."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import urllib3

from tests.real import pods
from tests.real.apiserver import ApiServer
from tests.real.apiserver_process import ApiServerProcess
from tests.real.crds import Which, crd_documents, istio_version
from tests.real.kube import Document, Kube, Refused
from tests.real.kubectl import Kubectl
from tests.real.proxy import Proxy

NETWORKING = "networking.istio.io/v1"


def service_entry(namespace: str, **spec: object) -> Document:
    """A small ServiceEntry that Istio accepts."""
    wanted = {"hosts": ["svc1.internal.com"], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]}
    return {
        "apiVersion": NETWORKING,
        "kind": "ServiceEntry",
        "metadata": {"namespace": namespace, "name": "svc1"},
        "spec": {**wanted, "location": "MESH_INTERNAL", "resolution": "STATIC", **spec},
    }


def test_server_is_ready_with_istios_kinds(api_server: ApiServer) -> None:
    """The shared server answers and serves every kind of Istio's CRDs."""
    assert api_server.kube.request("GET", "/readyz") == "ok"
    kinds = {resource["kind"] for resource in api_server.kube.request("GET", f"/apis/{NETWORKING}")["resources"]}
    assert {"ServiceEntry", "WorkloadEntry", "WorkloadGroup", "DestinationRule", "VirtualService"} <= kinds


def test_server_side_apply_keeps_managers_apart(api_server: ApiServer, namespace: str) -> None:
    """A field applied by one manager is refused to another one, who is told whose it is."""
    kube = api_server.kube
    kube.apply(service_entry(namespace), manager="first")
    kube.apply(service_entry(namespace), manager="first")
    assert kube.get(service_entry(namespace))["metadata"]["generation"] == 1
    with pytest.raises(Refused, match='conflict with "first"') as refused:
        kube.apply(service_entry(namespace, resolution="DNS"), manager="second")
    assert refused.value.status == 409


def test_cel_rules_of_the_crds_hold(api_server: ApiServer, namespace: str) -> None:
    """The server refuses what Istio's own CEL rules refuse: endpoints and workloadSelector at once."""
    both = service_entry(namespace, endpoints=[{"address": "10.0.0.1"}], workloadSelector={"labels": {"app": "svc1"}})
    with pytest.raises(Refused, match="only one of WorkloadSelector or Endpoints can be set") as refused:
        api_server.kube.create(both)
    assert refused.value.status == 422


def test_view_only_account_reads_and_cannot_write(api_server: ApiServer, namespace: str, tmp_path: Path) -> None:
    """An account with view rules lists what is there and gets 403 for every write, by its kubeconfig too."""
    viewer = api_server.account(namespace, "viewer")
    assert viewer.list(NETWORKING, "ServiceEntry", namespace) == []
    with pytest.raises(Refused) as refused:
        viewer.apply(service_entry(namespace), dry_run=True)
    assert refused.value.status == 403
    assert viewer.token in api_server.write_kubeconfig(tmp_path / "viewer", viewer.token).read_text(encoding="utf-8")


def test_pods_become_ready_without_a_kubelet(api_server: ApiServer, namespace: str) -> None:
    """A Pod gets the address and readiness that the test gives it, and goes at once when deleted."""
    created = pods.create_pod(api_server.kube, namespace, "a", {"app": "svc1"}, "127.0.2.1")
    assert created["status"]["podIP"] == "127.0.2.1"
    assert {condition["status"] for condition in created["status"]["conditions"]} == {"True"}
    pods.delete_pod(api_server.kube, namespace, "a")
    assert api_server.kube.list("v1", "Pod", namespace) == []


def test_namespaces_are_never_shared(namespace: str, new_namespace: Callable[[str], str]) -> None:
    """Every namespace handed out is another one."""
    assert len({namespace, new_namespace("web"), new_namespace("web")}) == 3


def test_kubectl_works_as_another_person(kubectl: Kubectl, api_server: ApiServer, namespace: str) -> None:
    """What kubectl creates carries kubectl's manager, so adoption can be tested against the real thing."""
    document = f"apiVersion: {NETWORKING}\nkind: WorkloadEntry\nmetadata: {{name: vm1}}\nspec: {{address: 10.0.0.1}}\n"
    kubectl.within(namespace)("create", "-f", "-", stdin=document)
    (entry,) = api_server.kube.list(NETWORKING, "WorkloadEntry", namespace)
    assert entry["metadata"]["managedFields"][0]["manager"] == "kubectl-create"


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_crds_of_both_ends_are_complete(istio_crds: Callable[[Which], Path], which: Which) -> None:
    """Both pinned CRD files hold the kinds a mesh repository holds, with CEL rules."""
    text = istio_crds(which).read_text(encoding="utf-8")
    kinds = {document["spec"]["names"]["kind"] for document in crd_documents(which)}
    assert {"ServiceEntry", "WorkloadEntry", "Sidecar", "ProxyConfig", "Telemetry"} <= kinds
    assert "x-kubernetes-validations" in text
    assert istio_version("lowest") < istio_version("newest")


def test_postgresql_gives_each_test_an_empty_database(postgresql: str) -> None:
    """The database exists, is empty and can be written."""
    with psycopg.connect(postgresql) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert tables == (0,)
        connection.execute("CREATE TABLE t (id integer)")


def test_killed_server_comes_back_with_its_data(restartable_api_server: ApiServerProcess) -> None:
    """After kill and start the same kubeconfig finds the same objects, and history before a compaction is gone."""
    process = restartable_api_server
    kube = process.server.kube
    kube.create_namespace("kept")
    first_page = kube.request("GET", "/api/v1/namespaces?limit=1")
    process.pause()
    with pytest.raises(urllib3.exceptions.TimeoutError):
        kube.pool.request("GET", f"{kube.url}/readyz", timeout=0.2)
    process.resume()
    process.kill()
    with pytest.raises(urllib3.exceptions.HTTPError):
        kube.get({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})
    process.start()
    assert kube.get({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kept"}})["metadata"]["uid"]
    process.forget_history()
    with pytest.raises(Refused) as refused:
        kube.request("GET", f"/api/v1/namespaces?limit=1&continue={first_page['metadata']['continue']}")
    assert refused.value.status == 410


def test_proxy_passes_everything_on_when_asked_for_nothing(proxied_api_server: ApiServer, namespace: str) -> None:
    """Reads, writes and a kubectl-sized answer come through unchanged."""
    kube = proxied_api_server.kube
    kube.apply(service_entry(namespace))
    assert kube.get(service_entry(namespace))["spec"]["hosts"] == ["svc1.internal.com"]
    assert len(kube.request("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]) > 10


def test_proxy_answers_in_place_of_the_server(proxied_api_server: ApiServer, api_server_proxy: Proxy) -> None:
    """A canned answer goes to the next matching requests only, headers included."""
    api_server_proxy.respond(429, b"slow down", {"Retry-After": "7"}, method="GET", path=r"^/version$", times=1)
    kube = proxied_api_server.kube
    assert kube.request("GET", "/readyz") == "ok"
    answer = kube.pool.request("GET", f"{kube.url}/version")
    assert (answer.status, answer.headers["Retry-After"], answer.data) == (429, "7", b"slow down")
    assert kube.request("GET", "/version")["major"] == "1"
    assert [request.path for request in api_server_proxy.requests] == ["/readyz", "/version", "/version"]


def test_proxy_hides_the_outcome_of_a_write(
    proxied_api_server: ApiServer, api_server_proxy: Proxy, api_server: ApiServer, namespace: str
) -> None:
    """Reset: the server never heard of it. Lost answer: the server has done it, and the client cannot know."""
    api_server_proxy.reset(method="PATCH")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        proxied_api_server.kube.apply(service_entry(namespace))
    assert api_server.kube.list(NETWORKING, "ServiceEntry", namespace) == []
    api_server_proxy.lose_answer(method="PATCH")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        proxied_api_server.kube.apply(service_entry(namespace))
    assert len(api_server.kube.list(NETWORKING, "ServiceEntry", namespace)) == 1


def test_proxy_is_slow_silent_and_cut_short(proxied_api_server: ApiServer, api_server_proxy: Proxy) -> None:
    """Delay and black hole show as timeouts, a truncated answer as a broken one, and healing ends it all."""
    kube = proxied_api_server.kube
    api_server_proxy.delay(5)
    with pytest.raises(urllib3.exceptions.TimeoutError):
        kube.pool.request("GET", f"{kube.url}/version", timeout=0.2)
    api_server_proxy.heal()
    api_server_proxy.black_hole()
    with pytest.raises(urllib3.exceptions.TimeoutError):
        kube.pool.request("GET", f"{kube.url}/version", timeout=0.2)
    api_server_proxy.heal()
    api_server_proxy.truncate(10, path="/version")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        kube.request("GET", "/version")
    assert kube.request("GET", "/version")["major"] == "1"


def test_proxy_cuts_a_running_watch(proxied_api_server: ApiServer, api_server_proxy: Proxy, namespace: str) -> None:
    """A watch delivers events as they happen, and breaks off in the middle when the proxy cuts."""
    kube: Kube = proxied_api_server.kube
    path = f"/apis/{NETWORKING}/namespaces/{namespace}/serviceentries?watch=true"
    headers = {"Authorization": f"Bearer {kube.token}"}
    watch = kube.pool.request("GET", f"{kube.url}{path}", headers=headers, preload_content=False)
    kube.apply(service_entry(namespace))
    pieces = watch.stream(65536)
    assert b'"ADDED"' in next(pieces)
    api_server_proxy.cut()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        list(pieces)
    watch.release_conn()


def test_proxy_passes_bytes_of_other_protocols(postgresql: str) -> None:
    """In front of PostgreSQL a session works until it is cut."""
    host_and_port = postgresql.partition("@")[2].partition("/")[0]
    with Proxy(f"tcp://{host_and_port}") as proxy:
        with psycopg.connect(postgresql.replace(host_and_port, f"127.0.0.1:{proxy.port}")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            proxy.cut()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plain:
            proxy.black_hole()
            plain.settimeout(0.2)
            plain.send(b"hello")
            with pytest.raises(TimeoutError):
                plain.recv(1)
            began = time.monotonic()
            proxy.heal()
            with pytest.raises(OSError, match="reset"):
                plain.recv(1)
            assert time.monotonic() - began < 5


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_missing_part_is_loud(tmp_path: Path, ci: str, status: int) -> None:
    """Where a part can be had in no way, its tests are left out with one closing line that says why; with CI set they fail."""
    nothing = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    only = ["-p", "no:cacheprovider", "-p", "no:xdist", "-k", "ready_with_istios_kinds", str(Path(__file__).resolve())]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *only],
        env={**nothing, "CI": ci},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    loud, last = done.stdout.splitlines()[-2:]
    assert loud.startswith("REAL PARTS MISSING, tests were left out: kube-apiserver: no Go")
    assert last == "real parts: none"
    assert done.returncode == status, done.stdout


def test_parts_can_be_left_out(pytestconfig: pytest.Config) -> None:
    """Tests with a real part carry the marker, so that -m 'not real' runs the others only."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "-q", "-m", "not real"]
    done = subprocess.run(
        [*command, Path(__file__)], cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=50, check=False
    )
    names = {line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line}
    assert "test_missing_part_is_loud[-0]" in names
    assert "test_server_is_ready_with_istios_kinds" not in names
