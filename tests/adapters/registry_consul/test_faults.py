"""The registry in front of a Consul that fails, hides, or speaks of something else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.adapters.registry_consul import ConsulRegistry, ConsulSettings
from reconciler.adapters.registry_consul.api import ConsulApi, base_url
from reconciler.adapters.registry_consul.entries import Record, Reported, check_of, node_of
from reconciler.adapters.registry_consul.watch import BlockingQuery
from reconciler.core.records import MachineStatus, checked_record
from reconciler.core.resources import Document
from reconciler.errors import InvalidInput, Rejected, Unavailable
from tests.adapters.canned_http import CannedServer, answer
from tests.contracts.clock import SetClock
from tests.contracts.registry import key, record
from tests.real.git_https import Authority
from tests.waiting import becomes

NODE = node_of("production", Record(checked_record(record()), "8a0d", datetime(2026, 3, 1, tzinfo=UTC), 7))
#: Five minutes ahead of the clock of these tests.
AFTER = datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
EMPTY = answer(200, b"[]", X_Consul_Index="5")


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """Whatever answers in the place of Consul."""
    with CannedServer() as one:
        yield one


@pytest.fixture
def settings(server: CannedServer, tmp_path: Path) -> ConsulSettings:
    """How to reach it."""
    (tmp_path / "token").write_text("hunter2\n")
    return ConsulSettings(f"consul://127.0.0.1:{server.port}", tmp_path / "token", timeout=timedelta(seconds=30))


@pytest.fixture
def registry(settings: ConsulSettings) -> ConsulRegistry:
    """The registry that believes in it."""
    return ConsulRegistry(settings, "production", SetClock())


def says(server: CannedServer, *answers: bytes) -> None:
    """Give these answers in turn, the last one again and again."""
    left = list(answers)
    server.says = lambda connection: connection.sendall(left.pop(0) if len(left) > 1 else left[0])


def found(things: Any, **headers: str) -> bytes:
    """Return the answer of a read that finds this."""
    return answer(200, json.dumps(things).encode(), **{"X_Consul_Index": "5", **headers})


NO_ANSWERS: dict[str, bytes] = {
    "no leader": answer(500, b"No cluster leader"),
    "too many questions": answer(429, b"try later"),
    "another place": answer(301, Location="http://127.0.0.1:1/"),
    "cut off": found([NODE])[:-20],
    "no JSON": answer(200, b"<html>", X_Consul_Index="5"),
    "nothing": found(None),
    "no list": found({"Node": NODE}),
    "a list of something else": found(["vm-1"]),
    "nodes without a field": found([{"Node": "vm-1"}]),
    "a list with parts hidden": found([], X_Consul_Results_Filtered_By_ACLs="true"),
    "a conflict where nothing was written": answer(409, b"[]", X_Consul_Index="5"),
}


@pytest.mark.parametrize("said", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_nothing_is_concluded_from_an_answer_that_is_none(server: CannedServer, registry: ConsulRegistry, said: bytes) -> None:
    """Absence is not a command: what is not known for certain is unavailable, never empty; the next good answer is taken."""
    says(server, said)
    with pytest.raises(Unavailable):
        registry.observe()
    says(server, found([NODE]), EMPTY)
    assert registry.observe().machines.keys() == {key()}


def test_a_read_is_tried_three_times(server: CannedServer, registry: ConsulRegistry) -> None:
    """Twice nobody led; then somebody did. Where nobody does for longer, the caller decides when to ask again."""
    says(server, answer(500, b"No cluster leader"), answer(500), found([NODE]), EMPTY)
    assert registry.observe().machines.keys() == {key()}
    assert len(server.asked) == 4
    says(server, answer(500, b"No cluster\nleader"))
    with pytest.raises(Unavailable, match="status 500: No cluster leader"):
        registry.observe()
    assert len(server.asked) == 7


def test_a_refusal_is_not_tried_again_and_tells_no_token(
    server: CannedServer, registry: ConsulRegistry, settings: ConsulSettings
) -> None:
    """The token is read for each request, so that a new one counts at once."""
    server.answers(403, b"ACL not found")
    with pytest.raises(Rejected, match="ACL not found") as rejected:
        registry.observe()
    assert "hunter2" not in str(rejected.value)
    assert settings.token_file is not None
    settings.token_file.write_text("hunter3")
    with pytest.raises(Rejected):
        registry.observe()
    assert [one.headers["x-consul-token"] for one in server.asked] == ["hunter2", "hunter3"]
    settings.token_file.unlink()
    with pytest.raises(InvalidInput, match="cannot be read"):
        registry.observe()


def test_a_record_is_read_and_written_as_all_servers_agree(server: CannedServer, registry: ConsulRegistry) -> None:
    """A leader that was deposed may answer from its past; neither plan nor deletion goes by that."""
    says(server, found({"Node": NODE}), answer(200, b'{"Results": null, "Errors": null}'))
    registry.delete(key(), uid="8a0d", resource_version="7")
    read, written = server.asked
    server.asked.clear()
    says(server, EMPTY)
    registry.observe()
    assert all(parse_qs(urlsplit(one.path).query, keep_blank_values=True) == {"consistent": [""]} for one in server.asked)
    assert read.path == "/v1/catalog/node/mesh-reconciler.production.shop.vm-1?consistent="
    assert json.loads(written.body) == [{"Node": {"Verb": "delete-cas", "Node": {"Node": NODE["Node"], "ModifyIndex": 7}}}]


def test_a_create_whose_answer_was_lost_is_ours(server: CannedServer, registry: ConsulRegistry) -> None:
    """It is sent again, and refused as stale; what stands there by then is what was sent, so that nobody is in the way."""
    stood: list[Document] = []

    def consul(connection: socket) -> None:
        asked = server.asked[-1]
        if asked.path != "/v1/txn":
            one_node = asked.path.startswith("/v1/catalog/node/")
            connection.sendall(found({"Node": stood[0]} if stood else None) if one_node else EMPTY)
        elif stood:
            connection.sendall(stale())
        else:
            stood.append({**json.loads(asked.body)[0]["Node"]["Node"], "ModifyIndex": 9})

    server.says = consul
    made = registry.put(record())
    assert (made.resource_version, made.document["spec"]) == ("9", record()["spec"])
    assert sum(one.path == "/v1/txn" for one in server.asked) == 2


def test_a_report_that_another_one_overtook_sets_no_time_back(server: CannedServer, registry: ConsulRegistry) -> None:
    """It is written over the very report that was read; where that is another one by now, it is read again."""
    reports = [check_of(NODE["Node"], Reported(MachineStatus(last_seen=AFTER), index)) for index in (3, 4)]
    written: list[Document] = []

    def consul(connection: socket) -> None:
        asked = server.asked[-1]
        if asked.path == "/v1/txn":
            written.append(json.loads(asked.body)[0]["Check"])
            connection.sendall(stale() if len(written) == 1 else answer(200, b'{"Results": null, "Errors": null}'))
        elif asked.path.startswith("/v1/health/node/"):
            connection.sendall(found([reports[min(len(written), 1)]]))
        else:
            connection.sendall(found({"Node": NODE}) if asked.path.startswith("/v1/catalog/node/") else EMPTY)

    server.says = consul
    registry.report(key(), {"health": "healthy"})
    assert [(one["Verb"], one["Check"]["ModifyIndex"]) for one in written] == [("cas", 3), ("cas", 4)]
    assert json.loads(written[1]["Check"]["Output"]) == {"health": "healthy", "lastSeen": "2026-03-01T12:05:00.000Z"}


def test_a_write_that_consul_refuses_is_rejected_with_its_reason(server: CannedServer, registry: ConsulRegistry) -> None:
    """Only a stale index is a reason to look again."""
    refused = {"Results": None, "Errors": [{"OpIndex": 0, "What": "Permission denied: no `node:write`"}]}
    says(server, found(None), answer(409, json.dumps(refused).encode()))
    with pytest.raises(Rejected, match="Permission denied: no `node:write`"):
        registry.put(record())


def test_a_write_that_others_are_always_ahead_of_ends(server: CannedServer, registry: ConsulRegistry) -> None:
    """It does not try for ever."""

    def consul(connection: socket) -> None:
        connection.sendall(stale() if server.asked[-1].path == "/v1/txn" else found({"Node": NODE}))

    server.says = consul
    with pytest.raises(Rejected, match="is written by others all the time"):
        registry.put(record(address="10.0.0.2"), uid="8a0d")


def test_a_watch_begins_anew_where_the_index_goes_back(server: CannedServer, settings: ConsulSettings) -> None:
    """After a restored snapshot Consul counts from where that ends; to wait for the old number would be to wait for ever."""
    says(server, *(answer(200, b"[]", X_Consul_Index=index) for index in ("10", "10", "4", "5", "6")))
    calls: list[int] = []
    watch = BlockingQuery(ConsulApi(settings), "/v1/catalog/nodes", lambda: calls.append(1), between=0.0)
    assert becomes(lambda: len(server.asked) > 5)
    watch.close()
    asked = [parse_qs(urlsplit(one.path).query).get("index", [""])[0] for one in server.asked[:6]]
    assert asked == ["", "10", "10", "", "5", "6"]
    assert len(calls) >= 4


@pytest.mark.parametrize("said", [answer(500), answer(200, b"[]"), answer(200, b"[]", X_Consul_Index="five")])
def test_a_watch_says_whether_it_hears(server: CannedServer, settings: ConsulSettings, said: bytes) -> None:
    """While it is cut off, observations have to ask for themselves."""
    says(server, EMPTY)
    watch = BlockingQuery(ConsulApi(settings), "/v1/catalog/nodes", lambda: None, between=0.1)
    assert becomes(lambda: watch.tells_all)
    says(server, said)
    assert becomes(lambda: not watch.tells_all)
    watch.close()


def test_over_https_consul_shows_a_certificate_that_is_trusted(authority: Authority, settings: ConsulSettings) -> None:
    """By the authorities that the settings name; to anybody else no token is sent."""
    with CannedServer(authority.server) as server:
        says(server, found([NODE]), EMPTY)
        secured = replace(settings, url=f"consul+https://localhost:{server.port}", ca_file=authority.certificate)
        assert ConsulRegistry(secured, "production", SetClock()).observe().machines.keys() == {key()}
        with pytest.raises(Unavailable, match="certificate that is not trusted"):
            ConsulRegistry(replace(secured, ca_file=None), "production", SetClock()).observe()
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("consul://127.0.0.1", "http://127.0.0.1:8500"),
        ("consul://consul.example.org:80/", "http://consul.example.org:80"),
        ("consul+https://consul.example.org", "https://consul.example.org:8501"),
        ("consul+https://[fd00::1]:443/proxy/consul/", "https://[fd00::1]:443/proxy/consul"),
    ],
)
def test_a_url_names_scheme_host_and_port(url: str, base: str) -> None:
    """Ports that are left out are those that Consul has by itself."""
    assert base_url(url) == base
    ConsulRegistry(ConsulSettings(url), "production", SetClock())


@pytest.mark.parametrize(
    "url", ["https://h", "consul+http://h", "consul://", "consul://ann:hunter2@h", "consul://h:x", "consul://h?dc=a"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Before anything is sent, and without a password in the message."""
    with pytest.raises(InvalidInput) as invalid:
        ConsulRegistry(ConsulSettings(url), "production", SetClock())
    assert "hunter2" not in str(invalid.value)


def stale() -> bytes:
    """Return what Consul says to a write with an old index."""
    refused = {"Results": None, "Errors": [{"OpIndex": 0, "What": 'failed to set node "vm", index is stale'}]}
    return answer(409, json.dumps(refused).encode())
