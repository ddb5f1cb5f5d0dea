"""The server as a process sees it: TLS, secrets in files, settings, the end."""

import http.client
import socket
import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.core.fleet import values
from reconciler.core.fleet.audit import Entry, broken_at
from reconciler.core.fleet.keeping import Keeping, agent_id
from reconciler.core.fleet.leases import Pace
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.values import AgentState
from reconciler.errors import InvalidInput, Unavailable
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from reconciler.registry.keyfile import kept
from reconciler.registry.rules import server_rules, signer
from reconciler.registry.server import RegistryServer, Tls
from reconciler.settings import RegistryServerSettings, load
from reconciler.wiring import registry_server
from tests.real.git_https import Authority
from tests.registry.served import OPERATOR, Agent, Served, served
from tests.waiting import becomes


def test_agents_join_over_tls(authority: Authority) -> None:
    """With the authority that they know; plain HTTP gets no answer there."""
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    with served(tls=Tls(*authority.server), trust=trust) as server:
        assert Agent(server).join(server.token()).status == 201
        with pytest.raises((http.client.HTTPException, OSError)):
            Served(server.port, server.fleet, server.registry).ask("GET", "/healthz")


def test_clients_must_show_a_certificate_where_that_is_asked(authority: Authority) -> None:
    """One of the authority that is named; a stranger does not get as far as a request."""
    certificate, key = authority.server
    stranger = ssl.create_default_context(cafile=str(authority.certificate))
    known = ssl.create_default_context(cafile=str(authority.certificate))
    known.load_cert_chain(certificate, key)
    with served(tls=Tls(certificate, key, authority.certificate), trust=known) as server:
        assert Agent(server).join(server.token()).status == 201
        with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
            Served(server.port, server.fleet, server.registry, stranger).ask("GET", "/healthz")


def test_tls_files_that_are_none_are_named(tmp_path: Path) -> None:
    """When it starts, not at the first handshake."""
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match="the TLS files cannot be used"):
        RegistryServer(_nothing, "127.0.0.1", 0, Tls(tmp_path / "x.pem", tmp_path / "x.pem"))


def test_a_port_that_is_taken_is_named() -> None:
    """As what it is."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Unavailable, match=r"cannot listen at .* port"):
        RegistryServer(_nothing, "127.0.0.1", taken.getsockname()[1])


async def _nothing(scope: object, receive: object, send: object) -> None:
    """An application that answers nobody."""


def test_secrets_are_made_once_for_their_owner_only(tmp_path: Path) -> None:
    """The next start finds the same; every file has its own."""
    first, second = kept(tmp_path / "a" / "x.key"), kept(tmp_path / "y.key")
    assert kept(tmp_path / "a" / "x.key") == first != second
    assert (tmp_path / "a" / "x.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.case("S-09")
def test_secrets_that_are_open_to_others_or_short_are_refused(tmp_path: Path) -> None:
    """With what to do about it, and without the secret; a group may read one, as Kubernetes mounts them."""
    path = tmp_path / "x.key"
    (secret,) = kept(path)
    path.chmod(0o640)
    assert kept(path) == (secret,)
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="run `chmod 600") as refused:
        kept(path)
    assert secret not in str(refused.value)
    path.chmod(0o600)
    path.write_text("short\n")
    with pytest.raises(InvalidInput, match="at least 32 characters"):
        kept(path)


def test_keys_are_exchanged_by_a_second_line() -> None:
    """The first one signs; what an older one has signed is still good."""
    from tests.core.fleet.test_credentials import CREDENTIAL

    old, new = signer("production", ["o" * 40]), signer("production", ["n" * 40, "o" * 40])
    assert new.read(old.text(CREDENTIAL)) == CREDENTIAL
    assert new.text(CREDENTIAL) != old.text(CREDENTIAL)


def test_settings_become_rules() -> None:
    """A network that is none, and a lease that one lost beat would end, are refused at the start."""
    own = RegistryServerSettings()
    assert server_rules(own, "t").pace.lease == own.lease
    with pytest.raises(InvalidInput, match=r"written as 10\.0\.0\.0/8"):
        server_rules(own.model_copy(update={"proxies": ("10.0.0.1/8",)}), "t")
    with pytest.raises(InvalidInput, match="a lease must be"):
        server_rules(own.model_copy(update={"lease": own.heartbeat}), "t")


def test_the_server_is_put_together_from_settings(tmp_path: Path) -> None:
    """With files of its own in the data folder; it listens before it runs."""
    settings = load({"data": tmp_path, "registry_server": {"listen": "127.0.0.1:0"}})
    with registry_server(settings) as server:
        assert server.port
    assert {path.name for path in (tmp_path / "default").iterdir()} >= {"registry.key", "operator.token", "registry.db"}
    for wrong in ({"registry": "none"}, {"registry_server": {"client_ca_file": tmp_path / "ca.pem"}}):
        with pytest.raises(InvalidInput), registry_server(load({"data": tmp_path, **wrong})):
            pass


def test_one_target_s_credentials_are_none_elsewhere() -> None:
    """Though both share a key."""
    from tests.core.fleet.test_credentials import CREDENTIAL

    one = signer("production", ["o" * 40])
    with pytest.raises(Exception, match="needs a new join token"):
        replace(one, target="staging").read(one.text(CREDENTIAL))


@pytest.mark.case("L-06")
def test_what_is_over_is_forgotten_when_the_server_looks_around() -> None:
    """Tokens, agents and entries of the audit log that have stayed as long as they are kept; the log begins after them."""
    fleet, clock = MemoryFleet(), SystemClock()
    with served(fleet=fleet) as server:
        Agent(server).join(server.token())
        server.operate("POST", "/v1/tokens", {"namespace": "shop", "name": "vm-2", "ttl": 0.001})
    old = values.Agent(agent_id(clock.now() - timedelta(days=400), "a"), clock.now(), clock.now(), 1, "n", AgentState.REVOKED)
    fleet.save(Decision((old,), (Entry(clock.now(), "ann", "revoke", old.id),)))
    quick = Pace(heartbeat=timedelta(seconds=0.2), lease=timedelta(seconds=3), sweep=timedelta(seconds=0.5))
    keeping = Keeping(dead=timedelta(milliseconds=1))
    with served(ServerRules(DoorRules(OPERATOR), quick, keeping=keeping), fleet) as server:
        assert becomes(lambda: old.id not in {row.id for row in fleet.changes().rows if isinstance(row, values.Agent)})
        assert [one["name"] for one in server.operate("GET", "/v1/tokens").body["tokens"]] == ["vm-1"]
        assert fleet.audit()[0].entry.action == "token-issued"
        assert fleet.audit()[-1].entry.detail == "1 tokens, 1 agents, 0 names"
    keeping = Keeping(audit=timedelta(milliseconds=1))
    with served(ServerRules(DoorRules(OPERATOR), quick, keeping=keeping), fleet):
        assert becomes(lambda: fleet.extent().cut.number > 0)
        assert broken_at(fleet.audit(), fleet.extent().cut) is None
