"""Agents over HTTP: join, heartbeat, leave, and what is refused."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.agent.conversation import CREDENTIAL
from reconciler.core.fleet.leases import Pace
from reconciler.core.resources import Key
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from reconciler.registry.proving import Proof, Prover
from tests.contracts.registry import key, record
from tests.registry.served import LOOPBACK, OPERATOR, Agent, Served, served
from tests.waiting import becomes

SECOND = timedelta(seconds=1)
#: Leases that end soon enough to wait for.
QUICK = Pace(heartbeat=0.2 * SECOND, lease=3 * SECOND, sweep=0.5 * SECOND)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """Run a server for tests that do not mind each other: each has a VM of its own."""
    with served() as running:
        yield running


def joined(server: Served, name: str, address: str) -> Agent:
    """Return an agent that has joined."""
    agent = Agent(server, address)
    reply = agent.join(server.token(name))
    assert reply.status == 201, reply
    return agent


def test_a_vm_joins_and_reports(server: Served) -> None:
    """The token is exchanged for a credential; the answer says what the workloads are and when to come again."""
    agent = joined(server, "vm-1", "127.0.0.11")
    told = {"namespace": "shop", "name": "vm-1", "epoch": 1, "probe": None, "draining": False}
    assert agent.workloads == [told]
    reply = agent.beat("unhealthy", "http 500")
    assert (reply.status, reply.body) == (200, {"nextIn": 10.0, "credential": None, "workloads": [told]})
    shown = server.vm()
    assert (shown["health"], shown["reason"], shown["address"]) == ("unhealthy", "http 500", "127.0.0.11")
    assert shown["versions"] == {"agent": "1"}


@pytest.mark.case("V-02")
def test_a_token_is_used_once_whoever_is_fast(server: Served) -> None:
    """Eight VMs with one token at the same moment: one joins, the others are told that it was used."""
    token, agents = server.token("vm-2"), [Agent(server, f"127.0.0.{20 + n}") for n in range(8)]
    together = threading.Barrier(8)

    def join(agent: Agent) -> tuple[int, str]:
        together.wait()
        reply = agent.join(token)
        return reply.status, reply.body.get("code", "")

    with ThreadPoolExecutor(8) as threads:
        outcomes = Counter(threads.map(join, agents))
    assert outcomes == {(201, ""): 1, (409, "token-used"): 7}


@pytest.mark.case("V-02", "V-01")
def test_an_address_must_be_allowed_and_true(server: Served) -> None:
    """One outside the token's networks, and one that the request does not come from, get nobody in; the token stays good."""
    token = server.token("vm-3", ["127.0.0.30/32"])
    for address, source in (("127.0.0.31", "127.0.0.31"), ("127.0.0.30", "127.0.0.31"), ("10.0.0.1", "127.0.0.30")):
        body = {"token": token, "addresses": [address], "versions": {}}
        reply = server.ask("POST", "/v1/join", body, source=source, **{"X-Forwarded-For": address})
        assert (reply.status, reply.body["code"]) == (403, "address-not-allowed")
    assert Agent(server, "127.0.0.30").join(token).status == 201


@pytest.mark.case("V-09", "V-11")
def test_bodies_that_say_more_than_they_may_are_refused(server: Served, subtests: pytest.Subtests) -> None:
    """Field by field, with a small answer that repeats nothing."""
    agent = joined(server, "vm-4", "127.0.0.40")
    good = {"workloads": [], "addresses": ["127.0.0.40"], "versions": {}}
    said = {"namespace": "shop", "name": "vm-4", "health": "healthy"}
    bad = {
        "labels": {**good, "labels": {"app": "other"}},
        "a locality": {**good, "workloads": [{**said, "locality": "eu-1"}]},
        "ports": {**good, "workloads": [{**said, "ports": {"http": 80}}]},
        "another health": {**good, "workloads": [{**said, "health": "fine"}]},
        "NUL": {**good, "versions": {"agent": "a\0b"}},
        "a number": {**good, "addresses": [2130706433]},
        "half a surrogate pair": b'{"workloads":[],"addresses":["127.0.0.40"],"versions":{"a":"\\ud800"}}',
        "no JSON": b"{",
        "NaN": b'{"workloads": NaN, "addresses": []}',
        "depth": b"[" * 20_000,
        "a megabyte": b" " * 1_000_000 + b"{}",
        "no body": None,
    }
    for what, body in bad.items():
        with subtests.test(what):
            reply = server.ask("POST", "/v1/heartbeat", body, agent.credential, "127.0.0.40")
            assert 400 <= reply.status < 500
            assert reply.headers["content-type"] == "application/problem+json"
            assert len(str(reply.body)) < 300
    assert agent.beat().status == 200


def test_an_agent_gets_no_more_workloads_than_it_can_carry(server: Served) -> None:
    """The token that would be too much is not spent, and all others go on; what it was given is what it accepts."""
    agent, names = Agent(server), [f"vm-{number:0>59}" for number in range(130)]
    for name in names:
        token = server.token(name)
        reply = agent.join(token)
        if reply.status != 201:
            break
        assert CREDENTIAL.fullmatch(agent.credential)
    assert (reply.status, reply.body["code"], len(agent.workloads)) == (409, "conflict", 128)
    assert (agent.beat().status, len(agent.workloads)) == (200, 128)
    assert Agent(server, "127.0.0.2").join(token).status == 201


def test_reasons_are_made_fit_to_be_shown(server: Served) -> None:
    """An agent that repeats what its probe printed is not refused for it."""
    agent = joined(server, "vm-5", "127.0.0.50")
    assert agent.beat("unhealthy", "\x1b[31mred\0" + "x" * 500).status == 200
    assert len(server.vm("vm-5")["reason"]) == 256
    assert "\0" not in server.vm("vm-5")["reason"]


@pytest.mark.case("V-05")
def test_an_agent_that_floods_is_told_to_wait(server: Served) -> None:
    """And the others are not."""
    agent, other = joined(server, "vm-6", "127.0.0.60"), joined(server, "vm-7", "127.0.0.70")
    replies = [agent.beat() for _ in range(15)]
    refused = next(reply for reply in replies if reply.status != 200)
    assert (refused.status, refused.body["code"]) == (429, "too-many-requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert other.beat().status == 200


@pytest.mark.case("V-02")
def test_who_guesses_is_slowed_down(server: Served) -> None:
    """After ten wrong tokens an address waits, with a right one too; others do not."""
    outcomes = [Agent(server, "127.0.0.80").join(f"mrj1_{n}").status for n in range(12)]
    assert outcomes == [401] * 10 + [429] * 2
    assert Agent(server, "127.0.0.80").join(server.token("vm-8")).status == 429
    joined(server, "vm-9", "127.0.0.90")


def test_a_goodbye_takes_a_vm_out_until_it_is_back(server: Served) -> None:
    """Of a hundred and more; with its credential it returns."""
    agent = joined(server, "vm-10", "127.0.0.100")
    agent.beat()
    assert agent.leave().status == 204
    assert (server.vm("vm-10")["presence"], server.vm("vm-10")["health"]) == ("left", "unhealthy")
    assert agent.beat().status == 200
    assert server.vm("vm-10")["health"] == "healthy"


def test_a_credential_that_is_none_is_refused_everywhere(server: Served) -> None:
    """With 401 and the code that the agent knows."""
    agent = Agent(server, credential="mrc1.e30.AAAA")
    for reply in (agent.beat(), agent.leave(), Agent(server).beat()):
        assert (reply.status, reply.body["code"]) == (401, "credential-unknown")


def test_a_copy_of_a_credential_is_found_out_and_told() -> None:
    """Rotation, superseded credential, both locked; the operator reads it in the audit log and in the list."""
    with served(ServerRules(DoorRules(OPERATOR), Pace(rotate=timedelta(0)))) as server:
        agent = joined(server, "vm-1", "127.0.0.1")
        copy = Agent(server, credential=agent.credential, workloads=agent.workloads)
        assert [agent.beat().status for _ in range(2)] == [200, 200]
        assert (copy.beat().status, agent.beat().body["code"]) == (403, "credential-copied")
        assert (server.vm()["agentState"], server.vm()["health"]) == ("locked", "healthy")
        actions = [entry["action"] for entry in server.operate("GET", "/v1/audit").body["entries"]]
        assert actions == ["token-issued", "joined", "healthy", "credential-copied"]


@pytest.mark.case("V-10")
def test_what_the_fleet_says_is_in_the_records_of_the_registry() -> None:
    """Health, reason, last seen and draining, in one made before the join and in one made long after it.

    Where Git says another address than the VM, both stand in the record: spec is Git's, status the VM's.
    """
    registry = MemoryRegistry(SystemClock())

    def status(name: str) -> dict[str, object]:
        live = registry.get(Key("VirtualMachine", "shop", name))
        assert live is not None
        return dict(live.document["status"])

    registry.put(record("vm-1"))
    with served(ServerRules(DoorRules(OPERATOR), QUICK), registry=registry) as server:
        agent = joined(server, "vm-1", "127.0.0.1")
        agent.join(server.token("vm-2"))
        registry.put(record("vm-2", probe={"httpGet": {"port": 80}}))
        assert becomes(lambda: (agent.beat("unhealthy", "down").status, status("vm-2")["health"]) == (200, "unhealthy"))
        assert becomes(lambda: status("vm-1")["health"] == "unhealthy")
        seen = {"health": "unhealthy", "reason": "down", "address": "127.0.0.1"}
        assert status("vm-1") == {**seen, "lastSeen": status("vm-1")["lastSeen"]}
        live = registry.get(key())
        assert live is not None
        assert live.document["spec"]["address"] == "10.0.0.1"
        assert becomes(lambda: agent.beat("unhealthy", "down").status == 200)
        probes = {one["name"]: one["probe"] for one in agent.workloads}
        assert probes == {"vm-1": None, "vm-2": {"httpGet": {"port": 80}}}
        server.operate("POST", "/v1/vms/shop/vm-1/drain")
        assert becomes(lambda: (agent.beat("unhealthy", "down").status, status("vm-1").get("draining")) == (200, True))
        assert becomes(lambda: "no sign of life" in str(status("vm-1")["reason"]))
        assert (server.vm("vm-1")["presence"], status("vm-1")["health"]) == ("lost", "unhealthy")


def test_a_call_back_proves_an_address_too() -> None:
    """Where sources say nothing, as behind NAT, the VM must accept a connection at the port that the operator has set."""
    with served() as somebody:
        rules = ServerRules(DoorRules(OPERATOR), prover=Prover(Proof.CALLBACK, somebody.port))
        with served(rules) as server:
            body = {"token": server.token(networks=LOOPBACK), "addresses": ["127.0.0.9", "127.0.0.1"], "versions": {}}
            assert server.ask("POST", "/v1/join", body, source="127.0.0.77").status == 201
            assert server.vm()["address"] == "127.0.0.1"


@pytest.mark.case("S-04")
def test_a_join_by_a_vm_that_the_record_has_forgotten_makes_it_recover() -> None:
    """Its credential was signed by us: the record is an older one, and takes nobody in before a person has looked."""
    with served() as before:
        agent = joined(before, "vm-1", "127.0.0.1")
    with served() as server:
        agent.served = server
        assert agent.join(server.token("vm-2")).body["code"] == "recovering"
        assert [one["name"] for one in server.operate("GET", "/v1/vms").body["vms"]] == ["vm-1"]
        assert agent.beat().status == 200
