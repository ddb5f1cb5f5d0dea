"""istiod's endpoints as its debug pages give them, and what is made of answers that are none."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.discovery_istiod import IstiodDiscovery, IstiodSettings
from reconciler.errors import InvalidInput, Unavailable
from tests.adapters.canned_http import CannedServer


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """A server that answers as it is told."""
    with CannedServer() as one:
        yield one


def discovery(*servers: CannedServer, **settings: Any) -> IstiodDiscovery:
    """Ask these."""
    return IstiodDiscovery(IstiodSettings(tuple(one.url for one in servers), **settings))


def endpoint(address: str, weight: int = 0, health: int = 0) -> dict[str, Any]:
    """One endpoint, as istiod 1.31 writes it; 1 is healthy, 2 ill, 0 not said."""
    return {"Addresses": [address], "LbWeight": weight, "HealthStatus": health, "ServicePortName": "http"}


def page(*endpoints: dict[str, Any]) -> bytes:
    """The page of a mesh with one service."""
    shards = {"External/Kubernetes": list(endpoints), "Kubernetes/other": []}
    return json.dumps({"billing.internal": {"shop": {"Shards": shards, "ServiceAccounts": {}}}}).encode()


def test_every_replica_is_asked(server: CannedServer) -> None:
    """Each knows the proxies that are connected to it; an endpoint without a weight has 1, once however many ports it has."""
    server.answers(200, page(endpoint("10.0.0.1", 9), endpoint("10.0.0.1", 9), endpoint("10.1.0.1", health=1)))
    with CannedServer() as other:
        other.answers(200, page())
        told = discovery(server, other).told()
    assert told == ({("shop", "billing.internal"): {"10.0.0.1": 9, "10.1.0.1": 1}}, {("shop", "billing.internal"): {}})
    assert [one.path for one in server.asked] == ["/debug/endpointShardz"]


@pytest.mark.parametrize("health", [2, 3, 4])
def test_who_is_ill_draining_or_going_is_told_to_no_proxy(server: CannedServer, health: int) -> None:
    """It stands in the page all the same."""
    server.answers(200, page(endpoint("10.0.0.1", 9, health)))
    assert discovery(server).told() == ({("shop", "billing.internal"): {}},)


def test_the_token_is_read_each_time(server: CannedServer, tmp_path: Path) -> None:
    """It is a service account's, and short-lived."""
    server.answers(200, page())
    token = tmp_path / "token"
    for word in ("first", "second"):
        token.write_text(f"{word}\n")
        discovery(server, token_file=token).told()
    assert [one.headers["authorization"] for one in server.asked] == ["Bearer first", "Bearer second"]
    with pytest.raises(InvalidInput, match="cannot be read"):
        discovery(server, token_file=tmp_path / "none").told()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": 1}', b'{"a": {"b": {}}}', b'{"a": {"b": {"Shards": {"c": [{}]}}}}'])
def test_half_an_answer_is_none(server: CannedServer, body: bytes) -> None:
    """Nothing is concluded from it."""
    server.answers(200, body)
    with pytest.raises(Unavailable, match="something else than istiod's endpoints"):
        discovery(server).told()


def test_who_may_not_read_it_is_told_the_status(server: CannedServer) -> None:
    """Istiod asks for a service account that it lets in."""
    server.answers(401)
    with pytest.raises(Unavailable, match="status 401"):
        discovery(server).told()


def test_silence_ends(server: CannedServer) -> None:
    """Time decides then what is in force."""
    server.keeps_silent()
    with pytest.raises(Unavailable, match="did not answer"):
        discovery(server, timeout=timedelta(milliseconds=200)).told()
