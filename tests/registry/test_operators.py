"""Operators over HTTP: who may, what they see, what they decide, how they hear of changes."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.core.fleet.audit import Link, broken_at
from reconciler.core.fleet.brakes import BrakeRules
from reconciler.core.fleet.leases import Pace
from reconciler.core.resources import Key
from reconciler.registry.app import ServerRules
from reconciler.registry.doors import DoorRules
from tests.contracts.registry import record
from tests.registry.served import OPERATOR, Agent, Served, served
from tests.waiting import becomes

SECOND = timedelta(seconds=1)
#: Looks often, so that news is known soon.
QUICK = Pace(heartbeat=0.2 * SECOND, lease=SECOND, sweep=0.5 * SECOND)
PATIENT = Pace(sweep=0.5 * SECOND)


@pytest.fixture
def server() -> Iterator[Served]:
    """Run a server with a fleet of three, of which Git knows two."""
    registry = MemoryRegistry(SystemClock())
    for name, group in (("vm-0", "billing"), ("vm-1", "web")):
        registry.put(record(name, group=group, locality="eu-1"))
    with served(ServerRules(DoorRules(OPERATOR), PATIENT), registry=registry) as running:
        for number in range(3):
            agent = Agent(running, f"127.0.0.{number + 1}")
            assert agent.join(running.token(f"vm-{number}")).status == 201
            agent.beat("unhealthy" if number == 1 else "healthy")
        assert becomes(lambda: names(running, "?group=web") == ["vm-1"])
        yield running


def settled(server: Served) -> int:
    """Return the index at which everything is known that was written."""
    version = server.fleet.changes().version
    assert becomes(lambda: server.operate("GET", "/v1/watch").body["index"] == version)
    return version


def names(server: Served, query: str = "") -> list[str]:
    """Return the names on a page."""
    return [one["name"] for one in server.operate("GET", f"/v1/vms{query}").body["vms"]]


ROUTES = [
    ("GET", "/v1/vms"),
    ("GET", "/v1/vms/shop/vm-0"),
    ("POST", "/v1/vms/shop/vm-0/drain"),
    ("POST", "/v1/vms/shop/vm-0/undrain"),
    ("POST", "/v1/vms/shop/vm-0/revoke"),
    ("GET", "/v1/tokens"),
    ("POST", "/v1/tokens"),
    ("DELETE", "/v1/tokens/x"),
    ("GET", "/v1/watch"),
    ("GET", "/v1/audit"),
    ("POST", "/v1/brake/release"),
    ("POST", "/v1/recovery/end"),
]


def test_all_of_it_needs_the_operator_s_token(subtests: pytest.Subtests) -> None:
    """From a network that operators come from, too; a VM's credential is no such token. A list of all routes says which."""
    with served(ServerRules(DoorRules(OPERATOR, operators=("127.0.0.1/32", "127.0.1.0/24")))) as server:
        agent = Agent(server)
        agent.join(server.token("vm-9"))
        for number, (method, path) in enumerate([*ROUTES, ("GET", "/openapi.json")]):
            here = f"127.0.1.{number}"
            body: dict[str, str] | None = {} if method == "POST" else None
            for bearer, source in (("", here), ("x" * 40, here), (agent.credential, here), (OPERATOR, f"127.0.2.{number}")):
                with subtests.test(f"{method} {path} from {source}"):
                    reply = server.ask(method, path, body, bearer, source)
                    assert (reply.status, reply.body["code"]) == (401, "operators-only")
        spoken = server.operate("GET", "/openapi.json").body["paths"]
        tags = [verb["tags"] for verbs in spoken.values() for verb in verbs.values()]
        assert tags.count(["operators"]) == len(ROUTES)


def test_the_list_is_filtered_and_paged(server: Served) -> None:
    """By namespace, group and health; a page says where the next one begins."""
    assert names(server) == ["vm-0", "vm-1", "vm-2"]
    assert names(server, "?health=unhealthy") == ["vm-1"]
    assert names(server, "?namespace=other") == []
    page = server.operate("GET", "/v1/vms?limit=2").body
    assert [one["name"] for one in page["vms"]] == ["vm-0", "vm-1"]
    last = server.operate("GET", f"/v1/vms?limit=2&continue={page['continue']}").body
    assert ([one["name"] for one in last["vms"]], last["continue"]) == (["vm-2"], "")
    assert [one["claimed"] for one in server.operate("GET", "/v1/vms").body["vms"]] == [True, True, False]


def test_a_vm_is_shown_with_all_that_is_known(server: Served) -> None:
    """One that nobody has joined as is not found."""
    shown = server.vm("vm-0")
    assert (shown["group"], shown["locality"], shown["presence"], shown["heldBy"]) == ("billing", "eu-1", "present", [])
    assert shown["lastSeen"] < shown["leaseEnds"]
    assert server.operate("GET", "/v1/vms/shop/vm-7").status == 404


def test_a_vm_is_drained_and_undrained(server: Served) -> None:
    """Twice is once; the agent is told at its next beat."""
    for _ in range(2):
        assert server.operate("POST", "/v1/vms/shop/vm-0/drain").status == 204
    assert server.vm("vm-0")["draining"] is True
    assert server.operate("POST", "/v1/vms/shop/vm-0/undrain").status == 204
    assert server.vm("vm-0")["draining"] is False
    actions = [one["action"] for one in server.operate("GET", "/v1/audit").body["entries"]]
    assert [actions.count(one) for one in ("drain", "undrain")] == [1, 1]


def test_a_vm_without_an_agent_is_drained_too() -> None:
    """Somebody else may tell its health. Its record says so, and no more; what Git does not know is not drained."""
    registry = MemoryRegistry(SystemClock())
    registry.put(record("vm-9"))

    def status() -> dict[str, object]:
        live = registry.get(Key("VirtualMachine", "shop", "vm-9"))
        return dict(live.document["status"]) if live else {}

    with served(ServerRules(DoorRules(OPERATOR), QUICK), registry=registry) as server:
        assert becomes(lambda: server.operate("POST", "/v1/vms/shop/vm-9/drain").status == 204)
        assert becomes(lambda: status().get("draining") is True)
        assert (status()["health"], server.vm("vm-9")["agent"], server.vm("vm-9")["leaseEnds"]) == ("unknown", "", None)
        assert server.operate("POST", "/v1/vms/shop/vm-9/undrain").status == 204
        assert becomes(lambda: "draining" not in status())
        assert server.operate("POST", "/v1/vms/shop/vm-9/revoke").status == 409
        assert server.operate("POST", "/v1/vms/shop/vm-8/drain").status == 404
        agent = Agent(server)
        agent.join(server.token("vm-9"))
        assert (agent.beat().status, server.vm("vm-9")["epoch"]) == (200, 1)


@pytest.mark.case("V-12")
def test_a_vm_that_is_revoked_is_out_by_its_next_call() -> None:
    """Its credential is dead, its workload gone, and the audit log says who did it."""
    with served() as server:
        agent = Agent(server)
        agent.join(server.token())
        agent.beat()
        assert server.operate("POST", "/v1/vms/shop/vm-1/revoke").status == 204
        assert (agent.beat().status, server.vm()["presence"], server.vm()["agentState"]) == (401, "left", "revoked")
        assert server.operate("POST", "/v1/vms/shop/vm-1/revoke").status == 409


def test_tokens_are_listed_without_their_texts_and_withdrawn(server: Served) -> None:
    """A token that was withdrawn is none."""
    text = server.token("vm-9")
    listed = server.operate("GET", "/v1/tokens")
    assert text not in str(listed.body)
    newest = listed.body["tokens"][0]
    assert (newest["name"], newest["state"]) == ("vm-9", "open")
    assert server.operate("DELETE", f"/v1/tokens/{newest['id']}").status == 204
    assert Agent(server, "127.0.0.9").join(text).body["code"] == "token-unknown"
    assert server.operate("DELETE", "/v1/tokens/unknown").status == 404


def test_tokens_for_what_cannot_be_are_refused(server: Served, subtests: pytest.Subtests) -> None:
    """A name that no workload has, networks that are none, times that are no times."""
    good = {"namespace": "shop", "name": "vm-9"}
    bad: list[dict[str, object]] = [
        {"name": "VM"},
        {"name": "a\n"},
        {"namespace": "a.b"},
        {"addresses": ["10.0.0.1/8"]},
        {"ttl": 0},
        {"ttl": 1e300},
        {"x": 1},
    ]
    for change in bad:
        with subtests.test(str(change)):
            assert server.operate("POST", "/v1/tokens", {**good, **change}).status == 422


def test_a_watcher_hears_of_changes_and_of_nothing_else(server: Served) -> None:
    """It waits at its index, and gets what has changed since; an index from another life gets everything."""
    index = settled(server)
    heard: list[object] = []

    def watch() -> None:
        answer = server.operate("GET", f"/v1/watch?index={index}&wait=25").body
        heard.extend((one["name"], one["draining"]) for one in answer["vms"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    server.operate("POST", "/v1/vms/shop/vm-1/drain")
    watcher.join()
    assert heard == [("vm-1", True)]
    full = server.operate("GET", "/v1/watch?index=999999").body
    assert (full["full"], len(full["vms"])) == (True, 3)


def test_a_wait_without_news_ends(server: Served) -> None:
    """After the time that was asked for, with nothing in it."""
    index = settled(server)
    began = time.monotonic()
    answer = server.operate("GET", f"/v1/watch?index={index}&wait=1").body
    assert (answer["index"], answer["vms"]) == (index, [])
    assert time.monotonic() - began > 0.9


@pytest.mark.case("S-06")
def test_the_audit_log_can_be_checked_by_whoever_reads_it(server: Served) -> None:
    """Page by page the entries hash to what they say."""
    entries = [one for after in (0, 5, 10) for one in server.operate("GET", f"/v1/audit?after={after}&limit=5").body["entries"]]
    links = tuple(map(Link.read, entries))
    assert links == server.fleet.audit()
    assert broken_at(links) is None


def test_a_brake_shows_whom_it_holds_and_is_released() -> None:
    """Four fall silent: one goes, three are held with the scope named, also in their records, until a person lets them go."""
    registry = MemoryRegistry(SystemClock())
    for number in range(4):
        registry.put(record(f"vm-{number}"))
    with served(ServerRules(DoorRules(OPERATOR), QUICK, BrakeRules()), registry=registry) as server:
        for number in range(4):
            agent = Agent(server, f"127.0.0.{number + 1}")
            agent.join(server.token(f"vm-{number}"))
            agent.beat()

        def held() -> list[object]:
            vms = server.operate("GET", "/v1/vms").body["vms"]
            return [one["heldBy"] for one in vms if one["presence"] == "present"]

        def in_records() -> list[tuple[str, bool]]:
            found = (live.document["status"] for live in registry.observe().machines.values())
            return sorted((one["health"], one.get("held", False)) for one in found)

        assert becomes(lambda: held() == [["all", "namespace/shop"]] * 3)
        assert becomes(lambda: in_records() == [("healthy", True)] * 3 + [("unhealthy", False)])
        assert set(server.operate("GET", "/v1/vms").body["brakes"]) == {"all", "namespace/shop"}
        assert server.operate("POST", "/v1/brake/release", {"scope": "all"}).status == 204
        assert held() == []
        assert becomes(lambda: in_records() == [("unhealthy", False)] * 4)
        assert server.operate("POST", "/v1/brake/release", {"scope": "all"}).status == 404


@pytest.mark.case("S-04")
def test_an_older_copy_under_a_running_server_makes_it_recover() -> None:
    """Nobody joins meanwhile, nobody is lost; a person ends it."""
    fleet = _Restorable()
    with served(ServerRules(DoorRules(OPERATOR), QUICK), fleet) as server:
        agent = Agent(server)
        agent.join(server.token())
        agent.beat()
        fleet.restore(MemoryFleet())
        assert becomes(lambda: server.operate("GET", "/v1/vms").body["recovering"])
        assert agent.beat().status == 200
        assert server.vm()["presence"] == "present"
        assert Agent(server, "127.0.0.2").join(server.token("vm-2")).body["code"] == "recovering"
        assert server.operate("POST", "/v1/recovery/end").status == 204
        assert server.operate("POST", "/v1/recovery/end").status == 409
        assert Agent(server, "127.0.0.2").join(server.token("vm-2")).status == 201


class _Restorable(MemoryFleet):
    """A store in whose place another one can be put."""

    def restore(self, other: MemoryFleet) -> None:
        """Be the other one from now on."""
        self.__dict__.update(other.__dict__)
