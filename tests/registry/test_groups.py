"""Members of groups over HTTP: a token of a group, the name that a VM gets by it, and the record that the server makes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.core.fleet.brakes import BrakeRules
from reconciler.core.fleet.leases import Pace
from reconciler.core.groups.joins import Join
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.resources import Key
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from tests.contracts.registry import record
from tests.registry.served import LOOPBACK, OPERATOR, Agent, Reply, Served, served
from tests.waiting import becomes

SECOND = timedelta(seconds=1)
#: It looks often, and lets anybody go.
RULES = ServerRules(
    DoorRules(OPERATOR),
    Pace(heartbeat=SECOND, lease=30 * SECOND, sweep=0.5 * SECOND),
    BrakeRules(percent=100, floor=100),
)
KEY = Key(VIRTUAL_MACHINE, "shop", "web-127-0-0-7")


@pytest.fixture
def server() -> Iterator[Served]:
    """A server that nobody has joined yet."""
    with served(RULES) as running:
        yield running


def asked(server: Served, **more: Any) -> Reply:
    """Ask for a token of the group web."""
    return server.operate(
        "POST", "/v1/tokens", {"namespace": "shop", "group": "web", "serviceAccount": "web", "addresses": LOOPBACK, **more}
    )


def token(server: Served, **more: Any) -> str:
    """A token of the group web."""
    issued = asked(server, **more)
    assert issued.status == 201, issued
    return str(issued.body["token"])


def joined(server: Served) -> Join | None:
    """What the record of the member says of its join."""
    return Join.of(server.registry.get(KEY))


def test_a_member_is_named_after_its_address_and_gets_a_record(server: Served) -> None:
    """The record tells of the join and of nothing else: what a member is to be, its group says. A goodbye takes it away."""
    agent = Agent(server, "127.0.0.7")
    body = {"token": token(server), "addresses": ["127.0.0.7"], "locality": "eu-1/a"}
    reply = server.ask("POST", "/v1/join", body, source="127.0.0.7")
    assert (reply.status, [one["name"] for one in reply.body["workloads"]]) == (201, [KEY.name])
    agent.credential, agent.workloads = reply.body["credential"], reply.body["workloads"]
    assert becomes(lambda: joined(server) is not None)
    join = joined(server)
    assert join
    assert (join.group, join.epoch, join.address, join.service_account) == ("web", 1, "127.0.0.7", "web")
    assert (join.locality, join.network, join.gone) == ("eu-1/a", "", None)
    agent.beat()
    assert becomes(lambda: server.registry.get(KEY).document["status"]["health"] == "healthy")  # type: ignore[union-attr]
    page = server.vm(KEY.name)
    assert (page["group"], page["claimed"], page["joined"] is not None) == ("web", False, True)
    agent.leave()
    assert becomes(lambda: server.registry.get(KEY) is None)


def test_what_the_reconciler_put_beside_a_join_stays(server: Served) -> None:
    """The server changes what is its own, and says in it how the VM has gone; it does not take the record away any more."""
    agent = Agent(server, "127.0.0.7")
    agent.join(token(server))
    assert becomes(lambda: joined(server) is not None)
    bare = server.registry.get(KEY)
    assert bare
    spec = {**bare.document["spec"], "address": "127.0.0.7", "ports": {"http": 8080}}
    wanted = {name: bare.document[name] for name in ("apiVersion", "kind", "metadata")} | {"spec": spec}
    server.registry.put(wanted, uid=bare.uid, resource_version=bare.resource_version)
    agent.leave()
    assert becomes(lambda: (join := joined(server)) is not None and join.gone == "left")
    kept = server.registry.get(KEY)
    assert kept
    assert kept.document["spec"]["ports"] == {"http": 8080}
    assert Agent(server, "127.0.0.7").join(token(server)).status == 201
    assert becomes(lambda: (join := joined(server)) is not None and (join.gone, join.epoch) == (None, 2))


@pytest.mark.case("V-01", "V-03")
def test_nobody_gets_the_name_of_another_vm(server: Served) -> None:
    """Neither that of a VM of Git's, joined or not, nor that of a member that lives somewhere else by now."""
    server.registry.put(record("web-127-0-0-9"))
    assert becomes(lambda: Agent(server, "127.0.0.9").join(token(server)).body.get("code") == "conflict")
    agent = Agent(server, "127.0.0.7")
    agent.join(token(server))
    agent.address = "127.0.0.8"
    assert agent.beat().status == 200
    refused = Agent(server, "127.0.0.7").join(token(server))
    assert (refused.status, refused.body["code"]) == (403, "address-not-allowed")
    assert agent.beat().status == 200


@pytest.mark.parametrize(
    "more",
    [{"addresses": []}, {"name": "vm-1"}, {"group": ""}, {"group": "Web"}, {"addresses": ["127.0.0.1/8"]}, {"ttl": 10**9}],
)
@pytest.mark.case("V-09", "V-11")
def test_what_makes_no_token(server: Served, more: dict[str, Any]) -> None:
    """Without networks, for a VM and a group at once, for neither, for names and networks that are none."""
    assert asked(server, **more).status == 422


@pytest.mark.parametrize(
    "more", [{"locality": "a b"}, {"network": "x" * 300}, {"name": "web-1"}, {"labels": {"app": "billing"}}]
)
@pytest.mark.case("V-09")
def test_a_vm_can_say_no_more_than_network_and_locality(server: Served, more: dict[str, Any]) -> None:
    """Names, labels and ports are not its to say; the token is not used up by the attempt."""
    good = token(server)
    body = {"token": good, "addresses": ["127.0.0.7"], **more}
    assert server.ask("POST", "/v1/join", body, source="127.0.0.7").status == 422
    assert Agent(server, "127.0.0.7").join(good).status == 201


@pytest.mark.case("V-02")
def test_a_token_of_a_group_is_good_once_and_from_its_networks_alone(server: Served) -> None:
    """As all tokens are."""
    narrow = token(server, addresses=["127.0.0.7/32"])
    assert Agent(server, "127.0.0.8").join(narrow).body["code"] == "address-not-allowed"
    assert Agent(server, "127.0.0.7").join(narrow).status == 201
    assert Agent(server, "127.0.0.7").join(narrow).body["code"] == "token-used"
    (shown,) = server.operate("GET", "/v1/tokens").body["tokens"]
    assert (shown["group"], shown["name"], shown["state"]) == ("web", "", "used")


@pytest.mark.case("S-04")
def test_a_record_that_may_be_an_older_one_is_doubted_and_left_alone() -> None:
    """A restored backup: the registry says that it recovers, and no join is written until a person has ended that."""
    registry = MemoryRegistry(SystemClock())
    with served(RULES, MemoryFleet(), registry) as running:
        agent = Agent(running, "127.0.0.7")
        agent.join(token(running))
        assert becomes(lambda: joined(running) is not None)
    bare = registry.get(KEY)
    assert bare
    registry.delete(KEY, uid=bare.uid, resource_version="")
    assert (registry.observe().served, registry.observe().recovering) == (True, False)
    with served(RULES, MemoryFleet(), registry) as running:
        again = Agent(running, "127.0.0.7", agent.credential)
        assert again.beat().status == 200
        assert becomes(lambda: registry.observe().recovering)
        assert running.registry.get(KEY) is None
        assert running.operate("POST", "/v1/recovery/end").status == 204
        assert again.beat().status == 200
        assert becomes(lambda: (join := joined(running)) is not None and join.group == "web")
        assert not registry.observe().recovering
