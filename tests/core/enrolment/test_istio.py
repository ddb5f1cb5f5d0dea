"""The files of `istioctl x workload entry configure`; expected content was held against what istioctl's own tests expect."""

import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.enrolment.istio import ControlPlane, IstioFiles, SvcIp, cluster_name, istio_files
from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.errors import InvalidInput

VM = EnrolledVM("bar", "foo-1", "foo", "10.10.10.10", "vm-serviceaccount", probe={"httpGet": {"port": 8080}})
PLANE = ControlPlane(revision="rev-1", ingress="10.10.10.11")
MESH = """\
defaultConfig:
  proxyMetadata:
    ISTIO_META_DNS_CAPTURE: "false"
    OURS: "by the mesh"
    THEIRS: "by the mesh"
"""
ANNOTATION = "proxyMetadata:\n  OURS: by the group\n"
ENV = """\
CANONICAL_REVISION='latest'
CANONICAL_SERVICE='foo'
CA_ADDR='istiod-rev-1.istio-system.svc:15012'
ISTIO_INBOUND_PORTS='*'
ISTIO_LOCAL_EXCLUDE_PORTS='22,15090,15021,15020'
ISTIO_METAJSON_LABELS='{"service.istio.io/canonical-name":"foo","service.istio.io/canonical-revision":"latest"}'
ISTIO_META_CLUSTER_ID='Kubernetes'
ISTIO_META_DNS_CAPTURE='true'
ISTIO_META_MESH_ID=''
ISTIO_META_NETWORK=''
ISTIO_META_WORKLOAD_NAME='foo'
ISTIO_NAMESPACE='bar'
ISTIO_SERVICE='foo.bar'
ISTIO_SERVICE_CIDR='*'
ISTIO_SVC_IP='10.10.10.10'
OURS='by the group'
POD_NAMESPACE='bar'
SERVICE_ACCOUNT='vm-serviceaccount'
THEIRS='by the mesh'
TRUST_DOMAIN=''
"""


def variables(files: IstioFiles) -> dict[str, str]:
    """What a shell makes of cluster.env."""
    pairs = (line.split("=", 1) for line in files.cluster_env.splitlines())
    return {name: value[1:-1].replace("'\\''", "'") for name, value in pairs}


def pod_port(name: str, port: int) -> str:
    """A port as istiod reads it."""
    return f'{{"name":"{name}","containerPort":{port},"protocol":""}}'


def test_the_files_of_istioctl() -> None:
    """Environment, mesh configuration and hosts, with the annotation of a group over the mesh's own configuration."""
    files = istio_files(replace(VM, proxy_configs=(ANNOTATION,)), MESH, PLANE, svc_ip=SvcIp.INTERNAL)
    assert files.cluster_env == ENV
    assert files.hosts == "10.10.10.11 istiod-rev-1.istio-system.svc\n"
    proxy = files.mesh["defaultConfig"]
    assert proxy["discoveryAddress"] == "istiod-rev-1.istio-system.svc:15012"
    assert proxy["readinessProbe"] == {"httpGet": {"port": 8080}}
    only_for_the_shell = {
        "CA_ADDR",
        "ISTIO_INBOUND_PORTS",
        "ISTIO_LOCAL_EXCLUDE_PORTS",
        "ISTIO_NAMESPACE",
        "ISTIO_SERVICE",
        "ISTIO_SERVICE_CIDR",
        "ISTIO_SVC_IP",
    }
    assert proxy["proxyMetadata"] == {name: one for name, one in variables(files).items() if name not in only_for_the_shell}
    assert files.mesh.keys() == {"defaultConfig"}


def test_without_a_revision() -> None:
    """The mesh's own address of istiod stays, and no other CA is named; without a gateway nobody knows a host."""
    for plane in (ControlPlane(), ControlPlane(revision="default")):
        files = istio_files(VM, "defaultConfig: {discoveryAddress: 'istiod.istio-system.svc:15012'}", plane)
        assert "CA_ADDR" not in variables(files)
        assert "ISTIO_SVC_IP" not in variables(files)
        assert files.mesh["defaultConfig"]["discoveryAddress"] == "istiod.istio-system.svc:15012"
        assert files.hosts == ""


def test_what_the_mesh_and_the_vm_say() -> None:
    """Trust domain, mesh, network, ports and labels get to their places."""
    labels = {"app": "billing", "version": "v2"}
    vm = replace(VM, network="vms", labels=labels, ports={"http": 8080, "admin": 443})
    found = variables(istio_files(vm, "trustDomain: td\ndefaultConfig: {meshId: m1, statusPort: 15021}", ControlPlane()))
    wanted = {
        "TRUST_DOMAIN": "td",
        "ISTIO_META_MESH_ID": "m1",
        "ISTIO_META_NETWORK": "vms",
        "CANONICAL_SERVICE": "billing",
        "CANONICAL_REVISION": "v2",
        "ISTIO_INBOUND_PORTS": "443,8080",
        "ISTIO_LOCAL_EXCLUDE_PORTS": "22,15090,15021",
        "ISTIO_META_POD_PORTS": f"[{pod_port('admin', 443)},{pod_port('http', 8080)}]",
    }
    assert wanted.items() <= found.items()
    canonical = {"service.istio.io/canonical-name": "billing", "service.istio.io/canonical-revision": "v2"}
    assert json.loads(found["ISTIO_METAJSON_LABELS"]) == labels | canonical


def test_another_status_port_and_an_address_that_is_translated() -> None:
    """As istioctl's --externalIP, and a status port of the mesh's own."""
    found = variables(istio_files(VM, "defaultConfig: {statusPort: 15100}", ControlPlane(), svc_ip=SvcIp.EXTERNAL))
    assert found["ISTIO_LOCAL_EXCLUDE_PORTS"] == "22,15090,15021,15100"
    assert found["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] == "true"


def test_dns_is_left_alone_where_asked() -> None:
    """Then the mesh's own word counts."""
    assert variables(istio_files(VM, MESH, PLANE, capture_dns=False))["ISTIO_META_DNS_CAPTURE"] == "false"
    assert "ISTIO_META_DNS_CAPTURE" not in variables(istio_files(VM, "", PLANE, capture_dns=False))


def test_values_that_a_shell_would_run() -> None:
    """They are quoted: the file is read by root's shell."""
    mesh = """defaultConfig: {proxyMetadata: {A: "it's $(reboot)"}}"""
    assert "A='it'\\''s $(reboot)'\n" in istio_files(VM, mesh, PLANE).cluster_env


def test_auto_registration_is_never_asked_for() -> None:
    """Istiod would make a second WorkloadEntry beside the one of Git."""
    assert "ISTIO_META_AUTO_REGISTER_GROUP" not in istio_files(VM, MESH, PLANE).cluster_env


@pytest.mark.parametrize("mesh", ["[", "- a", "a: 1\n---\nb: 2", "a: &x 1\nb: *x", "defaultConfig: {concurrency: 010}"])
def test_configurations_that_cannot_be_read(mesh: str) -> None:
    """They are named, and nothing is guessed."""
    with pytest.raises(InvalidInput, match="the mesh configuration"):
        istio_files(VM, mesh, PLANE)
    with pytest.raises(InvalidInput, match="a proxy configuration of bar/foo"):
        istio_files(replace(VM, proxy_configs=(mesh,)), "", PLANE)


def test_how_the_cluster_is_called() -> None:
    """It stands in the values of the sidecar injector; nowhere else."""
    assert cluster_name('{"global": {"multiCluster": {"clusterName": "east"}}}') == "east"
    assert cluster_name('{"global": {}}') == ""


@pytest.mark.parametrize("values", ["", "[]", "{}", '{"global": 1}', '{"global": {"multiCluster": []}}'])
def test_values_that_say_nothing(values: Any) -> None:
    """Then a person must say it."""
    with pytest.raises(InvalidInput, match="--cluster-id"):
        cluster_name(values)
