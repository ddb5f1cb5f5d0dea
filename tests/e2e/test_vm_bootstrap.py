"""A VM from Git to its first report: applied, bootstrapped from a real API server, joined by the script, the agent running."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.command import Ended, Running
from tests.e2e.site import Site
from tests.waiting import SOON

GROUP = """\
apiVersion: v1
kind: ServiceAccount
metadata: {{name: billing, namespace: {namespace}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: {{name: billing, namespace: {namespace}}}
spec:
  metadata: {{labels: {{app: billing, version: v2}}}}
  template: {{serviceAccount: billing, network: vms, ports: {{http: 8080}}}}
  probe: {{tcpSocket: {{port: 8080}}}}
"""
VM = """\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata:
  name: billing-{number}
  namespace: {namespace}
  annotations: {{mesh-reconciler.io/group: billing}}
spec: {{address: 10.20.1.{number}, serviceAccount: billing, labels: {{app: billing}}}}
"""
MESH = "trustDomain: shop.example\ndefaultConfig:\n  discoveryAddress: istiod.istio-system.svc:15012\n"
ISTIOS = {"cluster.env", "hosts", "istio-token", "mesh.yaml", "root-cert.pem"}


@pytest.fixture
def mesh(site: Site) -> Site:
    """A target with two VMs, applied; its namespace has what istiod puts there and what Istio's own has."""
    files = {"group.yaml": GROUP.format(namespace=site.namespace)}
    files |= {f"{number}.yaml": VM.format(namespace=site.namespace, number=number) for number in (1, 2)}
    site.repository.commit(files)
    site.reconciler("apply", "--yes", code=0)
    values = json.dumps({"global": {"multiCluster": {"clusterName": "east"}}})
    for name, data in (
        ("istio", {"mesh": MESH}),
        ("istio-sidecar-injector", {"values": values}),
        ("istio-ca-root-cert", {"root-cert.pem": "ROOT\n"}),
    ):
        metadata = {"name": name, "namespace": site.namespace}
        site.kube.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    return site


@pytest.fixture
def registry(mesh: Site) -> Iterator[Running]:
    """The registry's server of the target."""
    with mesh.reconciler.start("registry", "serve", "--listen", "127.0.0.1:0") as server:
        server.wait_for("startup complete")
        yield server
        assert server.end() == 0


def url(registry: Running) -> str:
    """Where agents and operators reach a server."""
    found = re.search(r"listens at port (\d+)", "\n".join(registry.lines))
    assert found
    return f"http://127.0.0.1:{found[1]}"


def bootstrap(mesh: Site, *arguments: str) -> Ended:
    """Run the command, for the istiod of the test's own namespace."""
    return mesh.reconciler("vm", "bootstrap", "--istio-namespace", mesh.namespace, *arguments, code=0)


def join(folder: Path, root: Path) -> None:
    """Run the script, for a file system below `root`."""
    subprocess.run(["sh", folder / "join.sh"], env={**os.environ, "ROOT": str(root)}, timeout=SOON, check=True)  # noqa: S607


def run_agent(root: Path, registry: Running) -> None:
    """Run the agent that the script has placed, with its state below `root`, until it has joined; then let it leave."""
    config = json.loads((root / "etc/reconciler-agent/agent.json").read_text())
    (root / "agent.json").write_text(json.dumps({**config, "stateDir": str(root / "var/lib/reconciler-agent")}))
    packed = root / "usr/local/lib/reconciler-agent/reconciler-agent.pyz"
    agent = subprocess.Popen([sys.executable, "-I", packed, "--config", root / "agent.json"], stderr=subprocess.DEVNULL)
    try:
        registry.wait_for("healthy VirtualMachine")  # or unhealthy
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(SOON) == 0
    finally:
        agent.kill()
        agent.wait(SOON)


def test_from_git_to_the_first_report(mesh: Site, registry: Running, tmp_path: Path) -> None:
    """The files are Istio's and ours and for nobody else; the script puts them in place; the agent joins with the token."""
    folder, root = tmp_path / "vm", tmp_path / "root"
    server = ("--server", url(registry), "--operator-token", str(mesh.data / "operator.token"), "--join-from", "127.0.0.0/8")
    told = bootstrap(mesh, f"{mesh.namespace}/billing-1", *server, "--ingress-ip", "192.0.2.7", "-o", str(folder))
    secrets = [(folder / name).read_text() for name in ("istio-token", "join-token")]
    assert not any(secret in told.out + told.err for secret in secrets)
    assert {one.name for one in folder.iterdir()} >= ISTIOS
    assert {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {0o600}
    claims = secrets[0].split(".")[1]
    claims = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    assert json.loads(claims)["sub"] == f"system:serviceaccount:{mesh.namespace}:billing"
    proxy = yaml.safe_load((folder / "mesh.yaml").read_text())["defaultConfig"]
    assert proxy["readinessProbe"] == {"tcpSocket": {"port": 8080}}
    assert proxy["proxyMetadata"]["TRUST_DOMAIN"] == "shop.example"
    environment = (folder / "cluster.env").read_text().splitlines()
    assert {"ISTIO_META_CLUSTER_ID='east'", "ISTIO_META_NETWORK='vms'", "CANONICAL_REVISION='v2'"} <= set(environment)

    join(folder, root)
    placed = {str(one.relative_to(root)): stat.S_IMODE(one.stat().st_mode) for one in root.rglob("*") if one.is_file()}
    assert placed.pop(next(name for name in placed if name.startswith("var/lib/reconciler-agent/tokens/"))) == 0o600
    assert placed == {
        "etc/certs/root-cert.pem": 0o644,
        "etc/hosts": 0o644,
        "etc/istio/config/mesh": 0o644,
        "etc/reconciler-agent/agent.json": 0o644,
        "etc/systemd/system/reconciler-agent.service": 0o644,
        "usr/local/lib/reconciler-agent/reconciler-agent.pyz": 0o755,
        "var/lib/istio/envoy/cluster.env": 0o600,
        "var/run/secrets/tokens/istio-token": 0o600,
    }
    assert not {"istio-token", "join-token"} & {one.name for one in folder.iterdir()}

    run_agent(root, registry)
    registry.wait_for(f"joined VirtualMachine {mesh.namespace}/billing-1")
    registry.wait_for(f"left VirtualMachine {mesh.namespace}/billing-1")


def test_a_whole_group(mesh: Site, tmp_path: Path) -> None:
    """Each VM has its own files; a second time new tokens take the place of old ones, also where the script has run."""
    given = ("--group", f"{mesh.namespace}/billing", "--server", "https://registry.example.org", "--to", str(tmp_path / "all"))
    told = bootstrap(mesh, *given, "-o", "dir")
    assert "warning: nobody knows where VMs reach istiod" in told.err
    assert "without a join token the agent waits for one" in told.out
    folders = [tmp_path / "all" / name for name in ("billing-1", "billing-2")]
    first = [(one / "istio-token").read_text() for one in folders]
    assert len(set(first)) == 2
    join(folders[0], tmp_path / "root")
    bootstrap(mesh, *given, "-o", "dir", "--ingress-ip", "192.0.2.7")
    second = (folders[0] / "istio-token").read_text()
    for _ in range(2):
        join(folders[0], tmp_path / "root")
        assert (tmp_path / "root/var/run/secrets/tokens/istio-token").read_text() == second
    assert second not in first
    assert (tmp_path / "root/etc/hosts").read_text() == f"192.0.2.7 istiod.{mesh.namespace}.svc # by mesh-reconciler\n"
    (tmp_path / "made-before").write_text("mrj1_one\n")
    one = (f"{mesh.namespace}/billing-1", "--join-token", str(tmp_path / "made-before"))
    bootstrap(mesh, *one, *given[2:], "-o", "csv")
    assert "mrj1_one" in (tmp_path / "all" / "vms.csv").read_text()
