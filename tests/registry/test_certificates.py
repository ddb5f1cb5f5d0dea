"""Certificates between agents and the registry's server: real ones, that are not good, not yet, any more, or another's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.fleet_http import HttpFleet
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.adapters.outbound.operators import OperatorSettings
from reconciler.agent.config import Config
from reconciler.agent.registry import Registry
from reconciler.core.resources import Key
from reconciler.errors import InvalidInput, Unavailable
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from reconciler.registry.server import Tls
from tests.agent.agents import AgentProcess
from tests.contracts.registry import record
from tests.real.git_https import Authority
from tests.real.processes import free_ports
from tests.registry.served import OPERATOR, Agent, Served, served
from tests.registry.test_agents import QUICK
from tests.waiting import SOON, becomes

Files = tuple[Path, Path]
LOCAL = "IP:127.0.0.1,DNS:localhost"
EXPIRED, EARLY, ELSEWHERE = (LOCAL, (-9, -2)), (LOCAL, (2, 9)), ("DNS:registry.example.org", (-1, 2))


def trusting(authority: Authority, shown: Files | None = None) -> ssl.SSLContext:
    """What a client knows, and what it shows."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if shown:
        context.load_cert_chain(*shown)
    return context


@pytest.mark.case("K-06")
@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("expired", EXPIRED, "has expired; renew it, or is this machine's clock wrong?"),
        ("early", EARLY, "not yet valid; renew it, or is this machine's clock wrong?"),
        ("elsewhere", ELSEWHERE, "`server` must be one of its names"),
    ],
)
def test_an_agent_says_what_is_wrong_with_a_certificate(
    authority: Authority, name: str, given: tuple[str, tuple[int, int]], reason: str
) -> None:
    """And what to do; nothing is sent to whoever shows it."""
    names, days = given
    with served(tls=Tls(*authority.issue(name, names, days)), trust=trusting(authority)) as server:
        config = Config("127.0.0.1", server.port, ca_file=str(authority.certificate))
        answer = Registry(config).report([], "a-credential")
    assert (answer.status, "its certificate is not accepted" in answer.reason, reason in answer.reason) == (0, True, True)


@pytest.mark.case("K-06")
def test_a_vm_outlasts_an_expired_certificate_of_the_server(authority: Authority, tmp_path: Path) -> None:
    """Its credential stays, its last health stays in the mesh until its lease is over, and it goes on once that is renewed."""
    registry, fleet, port = MemoryRegistry(SystemClock()), MemoryFleet(), free_ports(1)[0]
    registry.put(record("vm-1"))

    def health() -> object:
        live = registry.get(Key("VirtualMachine", "shop", "vm-1"))
        return live.document["status"]["health"] if live else None

    def serving(files: Files) -> AbstractContextManager[Served]:
        rules = ServerRules(DoorRules(OPERATOR), QUICK)
        return served(rules, fleet, registry, Tls(*files), trusting(authority), port=port)

    agent = AgentProcess(tmp_path, {"server": f"https://127.0.0.1:{port}", "caFile": str(authority.certificate)})
    with agent:
        with serving(authority.server) as server:
            agent.give(server.token())
            assert becomes(lambda: health() == "healthy")
        credential = (agent.state / "credential").read_text()
        with serving(authority.issue("lapsed", *EXPIRED)):
            assert becomes(lambda: "certificate has expired; renew it, or is this machine's clock wrong?" in agent.log)
            assert health() == "healthy"
            assert becomes(lambda: health() == "unhealthy")
        assert (agent.state / "credential").read_text() == credential
        with serving(authority.issue("renewed", LOCAL)):
            assert becomes(lambda: health() == "healthy")
    assert "the registry takes our reports again" in agent.log


@pytest.mark.case("K-06")
@pytest.mark.parametrize("given", [("DNS:vm-1", (-9, -2)), None])
def test_an_agent_whose_own_certificate_is_not_good_says_so(
    authority: Authority, given: tuple[str, tuple[int, int]] | None
) -> None:
    """It is the server that refuses it, whether it says so or only ends the connection."""
    config = Config("127.0.0.1", 0, ca_file=str(authority.certificate))
    if given:
        certificate, key = authority.issue("old-agent", *given)
        config = config._replace(cert_file=str(certificate), key_file=str(key))
    tls = Tls(*authority.server, authority.certificate)
    with served(tls=tls, trust=trusting(authority)) as server:
        ours = Registry(config._replace(port=server.port)).report([], "a-credential")
    with outspoken(authority) as port:
        another = Registry(config._replace(port=port)).report([], "a-credential")
    assert (ours.status, another.status) == (0, 0)
    assert ours.reason == "it ended the connection: it may want a certificate that is good, see `certFile`"
    assert "it does not accept our certificate, or wants one" in another.reason
    assert not given or "expired" in another.reason


@contextmanager
def outspoken(authority: Authority) -> Iterator[int]:
    """A server of TLS 1.2 on a port: certificates are a part of that handshake, so that it says why it refuses one."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    context.load_cert_chain(*authority.server)
    context.verify_mode, context.maximum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_2

    def refuse() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(SOON)


@pytest.fixture
def server(authority: Authority) -> Iterator[Served]:
    """A server that asks clients for certificates; as who asks it shows that of vm-1."""
    files = authority.issue("vm-1", "DNS:vm-1.shop")
    with served(tls=Tls(*authority.server, authority.certificate), trust=trusting(authority, files)) as found:
        yield found


def showing(server: Served, authority: Authority, name: str, names: str) -> Served:
    """The same server, to whoever has another certificate."""
    return replace(server, tls=trusting(authority, authority.issue(name, names)))


def test_operators_show_a_certificate_where_one_is_asked_for(authority: Authority, tmp_path: Path) -> None:
    """Any that the authorities have signed; without one, or with a file that holds none, they are told what is missing."""
    token, shown = tmp_path / "operator", tmp_path / "operator.pem"
    token.write_text(OPERATOR)
    certificate, key = authority.issue("operator", "DNS:ann")
    shown.write_bytes(certificate.read_bytes() + key.read_bytes())
    with served(tls=Tls(*authority.server, authority.certificate), trust=trusting(authority, (certificate, key))) as server:
        without = OperatorSettings(f"https://127.0.0.1:{server.port}", token, authority.certificate)
        assert HttpFleet(replace(without, certificate_file=shown)).vms() == ()
        with pytest.raises(Unavailable, match=r"may want a(nother)? certificate of ours"):
            HttpFleet(without).vms()
        with pytest.raises(InvalidInput, match="holds no certificate with its key"):
            HttpFleet(replace(without, certificate_file=certificate)).vms()


@pytest.mark.case("V-01")
@pytest.mark.parametrize("names", ["DNS:vm-2.shop", "DNS:vm-1.shop,DNS:vm-2.shop", ""])
def test_a_credential_is_of_no_use_with_another_certificate(server: Served, authority: Authority, names: str) -> None:
    """Neither to report nor to join nor to leave, though its authority is the same; whom it belongs to notices nothing."""
    agent = Agent(server)
    agent.join(server.token())
    assert agent.beat().status == 200
    assert server.vm("vm-1")["certificate"] == "DNS:vm-1.shop"
    thief = replace(agent, served=showing(server, authority, "thief", names))
    token = server.token("vm-2")
    refused = [thief.beat(), thief.join(token), thief.leave()]
    assert [(one.status, one.body["code"]) for one in refused] == [(403, "credential-bound")] * 3
    assert (server.vm("vm-1")["agentState"], server.vm("vm-1")["health"]) == ("active", "healthy")
    assert agent.beat().status == 200
    assert agent.join(token).status == 201


def test_a_renewed_certificate_is_the_same_one(server: Served, authority: Authority) -> None:
    """With the same names, under another key."""
    agent = Agent(server)
    agent.join(server.token())
    agent.served = showing(server, authority, "vm-1-renewed", "DNS:vm-1.shop")
    assert agent.beat().status == 200


def test_one_without_names_is_known_by_itself(server: Served, authority: Authority) -> None:
    """So that another one without names is another one; a new token binds the VM to that."""
    agent = Agent(showing(server, authority, "bare", ""))
    agent.join(server.token())
    assert server.vm("vm-1")["certificate"].startswith("sha256:")
    agent.served = showing(server, authority, "bare-renewed", "")
    assert agent.beat().status == 403
    again = Agent(agent.served, "127.0.0.2")
    assert (again.join(server.token()).status, again.beat().status) == (201, 200)


def test_who_joined_before_certificates_were_asked_for_is_bound_at_the_next_beat(authority: Authority) -> None:
    """That is noted; from then on no other one will do."""
    fleet, files = MemoryFleet(), authority.issue("vm-1", "DNS:vm-1.shop")
    with served(fleet=fleet, tls=Tls(*authority.server), trust=trusting(authority)) as server:
        agent = Agent(server)
        agent.join(server.token())
        assert server.vm("vm-1")["certificate"] == ""
    asking = Tls(*authority.server, authority.certificate)
    with served(fleet=fleet, tls=asking, trust=trusting(authority, files)) as server:
        agent.served = server
        assert agent.beat().status == 200
        assert ("certificate", "DNS:vm-1.shop") in [(one.entry.action, one.entry.detail) for one in fleet.audit()]
        agent.served = showing(server, authority, "thief", "DNS:vm-2.shop")
        assert agent.beat().status == 403
