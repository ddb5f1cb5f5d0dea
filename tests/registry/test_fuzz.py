"""Anything at all, sent to every route: an answer that says no, never a mistake of ours."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.registry.served import OPERATOR, Agent, Served, served

ROUTES = [
    ("POST", "/v1/join"),
    ("POST", "/v1/heartbeat"),
    ("POST", "/v1/leave"),
    ("POST", "/v1/tokens"),
    ("POST", "/v1/brake/release"),
    ("GET", "/v1/vms/{}/{}"),
    ("POST", "/v1/vms/{}/{}/revoke"),
    ("DELETE", "/v1/tokens/{}"),
    ("GET", "/v1/vms?continue={}&health={}"),
    ("GET", "/v1/watch?index={}&wait={}"),
]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
NAMES = st.sampled_from(
    ["token", "addresses", "versions", "workloads", "namespace", "name", "health", "reason", "ttl", "scope", "serviceAccount"]
)
INNER = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=6), max_leaves=20
)
FIT = st.characters(codec="ascii", categories=("L", "N", "P", "S"), exclude_characters="/?#%\\")
SEGMENT = st.text(FIT, min_size=1, max_size=20)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """Run one server for all of it."""
    with served() as running:
        Agent(running).join(running.token())
        yield running


@pytest.mark.case("W-16", "V-11")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(route=st.sampled_from(ROUTES), body=INNER, words=st.tuples(SEGMENT, SEGMENT), known=st.booleans())
def test_nothing_that_is_sent_is_a_bug(
    server: Served, route: tuple[str, str], body: Any, words: tuple[str, str], *, known: bool
) -> None:
    """With the operator's token or without; every refusal is a small problem with a code."""
    method, path = route
    bearer, source = (OPERATOR, "127.0.0.1") if known else ("x", "127.0.0.9")  # who has no right is slowed down soon
    reply = server.ask(method, path.format(*words), body if method == "POST" else None, bearer, source)
    assert reply.status < 500
    if reply.status >= 400:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.body["code"]
        assert len(str(reply.body)) < 600
