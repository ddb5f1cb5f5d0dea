"""Two network namespaces as VMs, each with a workload and an agent, and the registry's server between them, over TLS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key
from reconciler.ports import VMRegistry
from reconciler.settings import load
from reconciler.wiring import join_tokens, system_clock, vm_registry
from tests.agent.agents import AgentProcess
from tests.e2e.command import Command
from tests.real.git_https import Authority
from tests.real.netns import VM, Network
from tests.real.processes import free_ports
from tests.waiting import SOON, becomes

PROBE = {"httpGet": {"port": 8080}, "periodSeconds": 1}
PACE = {"HEARTBEAT": "1s", "LEASE": "4s", "SWEEP": "1s", "BRAKE_WINDOW": "1s"}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[VMRegistry]:
    """The registry as the reconciler reads and writes it."""
    registry = vm_registry(load({"data": tmp_path / "data"}), system_clock())
    assert registry
    yield registry
    registry.close()


@contextmanager
def workload(vm: VM, folder: Path) -> Iterator[None]:
    """Serve something on a VM, for itself alone."""
    command = [*vm.within, sys.executable, "-m", "http.server", "8080", "--bind", "127.0.0.1", "--directory", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait(SOON)


def key(vm: VM) -> Key:
    """The record of a VM."""
    return Key(VIRTUAL_MACHINE, "shop", vm.name)


def add(registry: VMRegistry, vm: VM) -> None:
    """Write the record of a VM, as the reconciler does."""
    metadata = {"name": vm.name, "namespace": "shop"}
    spec = {"address": vm.address, "probe": PROBE}
    registry.put({"apiVersion": f"{OURS}/v1alpha1", "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": spec})


def status(registry: VMRegistry, vm: VM) -> Document:
    """What the registry says of a VM."""
    record = registry.get(key(vm))
    assert record
    found: Document = record.document["status"]
    return found


@pytest.mark.case("V-01", "V-02")
def test_two_vms(tmp_path: Path, network: Network, registry: VMRegistry) -> None:
    """Each is known by its own address and its own workload; one that is cut off is lost, and comes back by itself.

    A token that was made for one is of no use to the other.
    """
    authority = Authority.create(tmp_path / "ca", f"IP:{network.host}")
    (port,), (one, other) = free_ports(1), (network.add(11), network.add(12))
    for vm in (one, other):
        add(registry, vm)
    variables = {f"RECONCILER_REGISTRY_SERVER__{name}": value for name, value in PACE.items()} | {
        "RECONCILER_REGISTRY_SERVER__CERTIFICATE_FILE": str(authority.server[0]),
        "RECONCILER_REGISTRY_SERVER__CERTIFICATE_KEY_FILE": str(authority.server[1]),
        "RECONCILER_REGISTRY_SERVER__OPERATOR_NETWORKS": network.host,
        "RECONCILER_DATA": str(tmp_path / "data"),
    }
    url, ca = f"https://{network.host}:{port}", authority.certificate

    def token(vm: VM) -> str:
        tokens = join_tokens(url, tmp_path / "data" / "default" / "operator.token", ca)
        return tokens.issue(EnrolledVM("shop", vm.name, vm.name, vm.address, ""), (vm.address,), timedelta(hours=1))

    def agent(vm: VM) -> AgentProcess:
        folder = tmp_path / vm.name
        folder.mkdir()
        return AgentProcess(folder, {"server": url, "caFile": str(ca)}, within=vm.within)

    def becomes_so(vm: VM, health: str, reason: str = "") -> bool:
        return becomes(lambda: status(registry, vm)["health"] == health and reason in status(registry, vm).get("reason", ""))

    with Command(tmp_path, variables).start("registry", "serve", "--listen", f"{network.host}:{port}") as server:
        server.wait_for("startup complete")
        first, second = agent(one), agent(other)
        first.give(token(one))
        second.give(token(one), "stolen")
        with workload(one, tmp_path / "ca"), first, second:
            assert becomes_so(one, "healthy")
            assert status(registry, one)["address"] == one.address
            assert becomes(lambda: "not accepted: HTTP status 403 (address-not-allowed)" in second.log)
            second.give(token(other), "own")
            assert becomes_so(other, "unhealthy", "Connection refused")
            with workload(other, tmp_path / "ca"):
                assert becomes_so(other, "healthy")
                assert status(registry, other)["address"] == other.address
                one.cut()
                assert becomes_so(one, "unhealthy", "no sign of life")
                one.connect()
                assert becomes_so(one, "healthy")
                assert status(registry, other)["health"] == "healthy"
            assert first.end() == second.end() == 0
        assert server.end() == 0
