"""The packed agent as a process, against a registry on a real socket."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.agents import AgentProcess
from tests.agent.registry_server import Document, RegistryServer
from tests.real.git_https import Authority
from tests.waiting import becomes

#: Resident memory that an agent may take, in KiB: 25 MB.
MOST_MEMORY = 25_000_000 // 1_024


def workload(name: str, probe: Document | None = None) -> Document:
    """A workload as the registry names it."""
    return {"namespace": "shop", "name": name, "epoch": 1, "probe": probe, "draining": False}


@pytest.fixture
def registry() -> Iterator[RegistryServer]:
    """A registry that gives one workload for the token `t1`."""
    server = RegistryServer(tokens={"t1": workload("billing-1")}).start()
    yield server
    server.stop()


def oldest_python() -> str:
    """The oldest Python that the agent promises to run on; skips the test where there is none."""
    found = shutil.which("python3.9")
    for one in (found, *map(str, Path.home().glob(".pyenv/versions/3.9.*/bin/python"))):
        if one and subprocess.run([one, "-c", ""], capture_output=True, timeout=30, check=False).returncode == 0:
            return one
    pytest.skip("Python 3.9, the oldest that the agent runs on, is not installed")


@pytest.mark.parametrize("which", ["ours", "oldest"])
def test_a_life_over_tls(which: str, tmp_path: Path, authority: Authority) -> None:
    """Join, report over one connection with a credential that changes each time, leave; little memory, nothing secret said."""
    python = sys.executable if which == "ours" else oldest_python()
    server = RegistryServer(authority.server, rotating=True, tokens={"t1-secret": workload("billing-1")}).start()
    agent = AgentProcess(tmp_path, {"server": server.url, "caFile": str(authority.certificate)}, python)
    agent.give("t1-secret")
    with agent:
        assert becomes(lambda: server.count("/v1/heartbeat") >= 3)
        memory = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{agent.pid}/status").read_text("utf-8"))
        assert agent.end() == 0
    server.stop()
    assert memory is not None
    assert int(memory[1]) < MOST_MEMORY
    first, *beats, last = server.requests
    assert (first.path, first.body["token"], first.body["addresses"]) == ("/v1/join", "t1-secret", ["127.0.0.1"])
    assert first.body["versions"].keys() == {"agent", "python"}
    assert beats[0].body["workloads"] == [
        {"namespace": "shop", "name": "billing-1", "health": "healthy", "reason": "no probe is asked for"}
    ]
    credentials = [one.credential for one in (*beats, last)]
    assert len(set(credentials)) == len(credentials)
    assert last.path == "/v1/leave"
    assert server.connections <= 2  # one for the join, one for all that follows
    assert (agent.state / "credential").read_text() == credentials[-1]
    assert list((agent.state / "tokens").iterdir()) == []
    assert not any(secret in agent.log for secret in (*server.good, "t1-secret"))


def test_a_registry_that_nobody_has_signed_for(tmp_path: Path, authority: Authority) -> None:
    """An unknown certificate gets neither token nor credential."""
    server = RegistryServer(authority.server).start()
    agent = AgentProcess(tmp_path, {"server": server.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: "certificate is not accepted" in agent.log)
    server.stop()
    assert server.requests == []
    assert (agent.state / "tokens" / "token").exists()


def test_health_that_changes(tmp_path: Path, registry: RegistryServer) -> None:
    """A change is told at once, however long the registry wants to hear nothing."""
    registry.pause = 3_600
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        registry.tokens["t1"] = workload("billing-1", {"tcpSocket": {"host": "127.0.0.1", "port": port}, "periodSeconds": 1})
        agent = AgentProcess(tmp_path, {"server": registry.url})
        agent.give("t1")
        with agent:
            assert becomes(lambda: registry.healths("billing-1") == ["healthy"])
            listener.close()
            assert becomes(lambda: registry.healths("billing-1") == ["healthy", "unhealthy"])
    assert registry.requests[-1].body["workloads"][0]["reason"] == "Connection refused"


def test_an_outage_of_the_registry(tmp_path: Path, registry: RegistryServer) -> None:
    """The agent comes back with the same credential, and says once that the registry was gone and once that it is back."""
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 1)
        registry.stop()
        assert becomes(lambda: agent.log.count("the registry takes no report") >= 3)
        before = registry.count("/v1/heartbeat")
        registry.start()
        assert becomes(lambda: registry.count("/v1/heartbeat") > before)
        assert becomes(lambda: "takes our reports again" in agent.log)
    assert agent.log.count("WARNING the registry takes no report") == 1
    assert registry.count("/v1/join") == 1


def test_a_connection_that_was_idle_for_too_long(tmp_path: Path, registry: RegistryServer) -> None:
    """The registry may close it between two reports; the next one goes over a new one, and nobody is told."""
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 1)
        registry.cut()
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 3)
    assert "takes no report" not in agent.log
    assert registry.count("/v1/join") == 1


def test_killed_and_started_again(tmp_path: Path, registry: RegistryServer) -> None:
    """It rejoins by its own credential, without a token, also where a successor was stored and never used."""
    registry.rotating = True
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 1)
        assert agent.end(signal.SIGKILL) == -signal.SIGKILL
    before = registry.count("/v1/heartbeat")
    with agent:
        assert becomes(lambda: registry.count("/v1/heartbeat") > before)
    assert registry.count("/v1/join") == 1
    assert registry.count("/v1/leave") == 0


def test_a_restart_does_not_make_ill(tmp_path: Path, registry: RegistryServer) -> None:
    """Of what it has not probed yet it says nothing, so that its upgrade moves no traffic; SIGINT does not leave."""
    probe = {"tcpSocket": {"port": 1}, "initialDelaySeconds": 600}
    registry.tokens["t1"] = workload("billing-1", probe)
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 2)
        assert agent.end(signal.SIGINT) == 0
    assert registry.healths("billing-1") == []
    assert registry.count("/v1/leave") == 0


def test_several_workloads_with_one_credential(tmp_path: Path, registry: RegistryServer) -> None:
    """A second token, dropped while the agent runs, adds a workload; both are in each report from then on."""
    registry.tokens["t2"] = workload("ledger-1", {"exec": {"command": ["true"]}})
    registry.rotating = False
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: registry.healths("billing-1"))
        agent.give("t2", "second")
        assert becomes(lambda: registry.healths("ledger-1"))
    join = [one for one in registry.requests if one.path == "/v1/join"][1]
    assert join.credential in registry.good
    last = registry.requests[-1]
    assert [(one["name"], one["health"]) for one in last.body["workloads"]] == [
        ("billing-1", "healthy"),
        ("ledger-1", "unknown"),
    ]
    assert "allowExec is off" in last.body["workloads"][1]["reason"]
    assert last.credential == join.credential


def test_a_credential_that_the_registry_has_forgotten(tmp_path: Path, registry: RegistryServer) -> None:
    """A new token is found soon, however long nothing was to be said, and brings it back; the log says what was wrong."""
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("t1")
    with agent:
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 1)
        registry.pause, before = 3_600, registry.count("/v1/heartbeat")
        assert becomes(lambda: registry.count("/v1/heartbeat") > before)
        registry.good.clear()
        registry.tokens["t2"] = workload("billing-1")
        agent.give("t2")
        assert becomes(lambda: not list((agent.state / "tokens").iterdir()))
    assert "our credential is refused (credential-unknown)" in agent.log
    assert (agent.state / "credential").read_text() in registry.good


def test_a_token_that_was_used(tmp_path: Path, registry: RegistryServer) -> None:
    """It is sent once and set aside; the agent waits for a good one."""
    agent = AgentProcess(tmp_path, {"server": registry.url})
    agent.give("used")
    with agent:
        assert becomes((agent.state / "tokens" / "token.refused").exists)
        agent.give("t1")
        assert becomes(lambda: registry.count("/v1/heartbeat") >= 1)
    assert [one.body["token"] for one in registry.requests if one.path == "/v1/join"] == ["used", "t1"]
    assert "the join token is not accepted: HTTP status 409 (token-used)" in agent.log


def test_configurations_that_cannot_be(tmp_path: Path) -> None:
    """The process ends with 1 and says what is wrong."""
    with AgentProcess(tmp_path, {"server": "registry", "port": 1}) as agent:
        assert agent.ended() == 1
    assert "port: is not known" in agent.log
    assert "Traceback" not in agent.log
