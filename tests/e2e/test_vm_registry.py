"""The agent and the registry's server, each a process of its own, over TLS."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.enrolment.vm import EnrolledVM
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.resources import Key
from reconciler.ports import VMRegistry
from reconciler.settings import load
from reconciler.wiring import join_tokens, system_clock, vm_registry
from tests.agent.agents import AgentProcess
from tests.e2e.command import Command, Running
from tests.real.git_https import Authority
from tests.real.processes import free_ports
from tests.waiting import becomes

KEY = Key(VIRTUAL_MACHINE, "shop", "billing-1")
VM = EnrolledVM("shop", "billing-1", "billing", "127.0.0.1", "billing")
#: Soon, and with a brake that forgets: it would hold the second departure of the only VM.
PACE = {"HEARTBEAT": "1s", "LEASE": "4s", "SWEEP": "1s", "BRAKE_WINDOW": "1s"}


@dataclass(frozen=True, slots=True)
class Fleet:
    """A registry with one record, and its server as a command."""

    folder: Path
    command: Command
    authority: Path
    registry: VMRegistry

    @contextmanager
    def serving(self, port: int) -> Iterator[int]:
        """Run the server on a port; yields the port."""
        with self.command.start("registry", "serve", "--listen", f"127.0.0.1:{port}") as server:
            yield _port(server)
            assert server.end() == 0

    def agent(self, name: str, port: int) -> AgentProcess:
        """Return an agent with a folder of its own."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return AgentProcess(folder, {"server": f"https://127.0.0.1:{port}", "caFile": str(self.authority)})

    def token(self, port: int) -> str:
        """Ask the server for a join token, as `vm bootstrap` does."""
        operator = self.folder / "data" / "default" / "operator.token"
        tokens = join_tokens(f"https://127.0.0.1:{port}", operator, self.authority)
        return tokens.issue(VM, ("127.0.0.0/8",), timedelta(hours=1))

    @property
    def status(self) -> dict[str, str]:
        """What the registry says of the VM, as the reconciler reads it."""
        record = self.registry.get(KEY)
        assert record
        status: dict[str, str] = record.document["status"]
        return status

    def is_said_to_be(self, health: str, reason: str = "") -> bool:
        """Wait until the registry says so, for a reason that holds these words."""
        return becomes(lambda: self.status["health"] == health and reason in self.status.get("reason", ""))


def _port(server: Running) -> int:
    number = server.wait_for("listens at port")
    found = re.search(r"port (\d+)", server.lines[number - 1])
    assert found
    server.wait_for("startup complete")
    return int(found[1])


@pytest.fixture
def fleet(tmp_path: Path, authority: Authority) -> Iterator[Fleet]:
    """A registry that the reconciler has written a record into."""
    certificate, key = authority.server
    variables = {f"RECONCILER_REGISTRY_SERVER__{name}": value for name, value in PACE.items()} | {
        "RECONCILER_REGISTRY_SERVER__CERTIFICATE_FILE": str(certificate),
        "RECONCILER_REGISTRY_SERVER__CERTIFICATE_KEY_FILE": str(key),
        "RECONCILER_DATA": str(tmp_path / "data"),
    }
    registry = vm_registry(load({"data": tmp_path / "data"}), system_clock())
    assert registry
    metadata = {"name": KEY.name, "namespace": KEY.namespace}
    spec = {"address": "127.0.0.1", "serviceAccount": "billing"}
    registry.put({"apiVersion": f"{OURS}/v1alpha1", "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": spec})
    yield Fleet(tmp_path, Command(tmp_path, variables), authority.certificate, registry)
    registry.close()


def test_a_vm_comes_and_goes(fleet: Fleet) -> None:
    """Joined, gone when it says so, back by its own credential, also after the server's restart, lost when it is killed."""
    with fleet.serving(free_ports(1)[0]) as port:
        agent = fleet.agent("vm", port)
        agent.give(fleet.token(port))
        with agent:
            assert fleet.is_said_to_be("healthy")
            assert agent.end() == 0
            assert fleet.is_said_to_be("unhealthy", "left")
        with agent:
            assert fleet.is_said_to_be("healthy")
            agent.end(signal.SIGINT)
    with fleet.serving(port), agent:
        assert becomes(lambda: agent.log.count("reporting for shop/billing-1") == 3)
        assert fleet.status["health"] == "healthy"
        agent.end(signal.SIGKILL)
        assert fleet.is_said_to_be("unhealthy", "no sign of life")
    assert "refused" not in agent.log


def test_a_stolen_credential(fleet: Fleet) -> None:
    """Once both have used it, neither counts: both say so, and the VM's last health stands until an operator looks."""
    rotating = fleet.command.with_variables(RECONCILER_REGISTRY_SERVER__ROTATE="2s")
    with replace(fleet, command=rotating).serving(free_ports(1)[0]) as port:
        agent, thief = fleet.agent("vm", port), fleet.agent("thief", port)
        agent.give(fleet.token(port))
        credential = agent.state / "credential"
        with agent:
            assert fleet.is_said_to_be("healthy")
            first = credential.read_text()
            shutil.copytree(agent.state, thief.state)
            assert becomes(lambda: credential.read_text() != first)
            second = credential.read_text()
            assert becomes(lambda: credential.read_text() != second)  # the successor has been used
            with thief:
                assert becomes(lambda: "credential-" in thief.log)
            assert becomes(lambda: "our credential is refused (credential-copied): two machines have used it" in agent.log)
            assert fleet.status["health"] == "healthy"
            agent.give(fleet.token(port), "new")
            assert becomes(lambda: "the registry takes our reports again" in agent.log)
    assert first not in thief.log
