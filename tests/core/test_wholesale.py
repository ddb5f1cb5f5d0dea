"""Changes that reach all clients at once."""

from typing import Any

import pytest

from reconciler.core.edges import Write
from reconciler.core.plans import GuardCode, Wholesale
from reconciler.core.resources import Document
from reconciler.core.wholesale import resolution_guard, wholesale_guard, wholesale_parts
from reconciler.core.writes import writes_of
from tests.building import document
from tests.core.meshes import creating, deleting, entry, rule, there, updating, world

PORTS = [{"number": 80, "name": "http", "protocol": "HTTP"}]
POLICY = {"connectionPool": {"tcp": {"maxConnections": 1}}}
STRICT = document("PeerAuthentication", "strict", spec={"mtls": {"mode": "STRICT"}})


def write(before: Document | None, after: Document | None) -> Write:
    """The write that makes one document of another."""
    made = [creating(after)] if after and not before else []
    changed = [updating(before, after)] if before and after else []
    gone = [deleting(before)] if before and not after else []
    (found,) = writes_of([*made, *changed, *gone], there(*([before] if before else [])))
    return found


def parts(
    before: Document | None, after: Document | None, *, populated: frozenset[str] = frozenset({"shop"})
) -> tuple[str, ...]:
    """What a write changes for all, billing being there before."""
    return wholesale_parts(write(before, after), world(entry(app="billing")), populated)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": [{**PORTS[0], "targetPort": 8080}]}, ("ports",)),
        ({"ports": [*PORTS, {"number": 81, "name": "more", "protocol": "HTTP"}]}, ("ports",)),
        ({"ports": [{**PORTS[0], "protocol": "http"}]}, ()),
        ({"resolution": "DNS", "location": "MESH_EXTERNAL"}, ("resolution", "location")),
        ({"hosts": ["other.internal"]}, ("hosts",)),
        ({"hosts": ["billing.internal", "other.internal"]}, ()),
        ({"app": "other"}, ()),
        ({"addresses": ["10.9.9.9"]}, ()),
    ],
)
def test_what_of_a_service_entry_reaches_all(spec: Any, expected: tuple[str, ...]) -> None:
    """Ports, resolution, location and hosts that go; endpoints come and go one by one."""
    assert parts(entry(app="billing"), entry(**({"app": "billing"} | spec))) == expected


def test_the_traffic_policy_of_a_rule_reaches_all() -> None:
    """Set, changed and removed, for one host or for all below a pattern; subsets and labels do not."""
    plain, limited = rule(), rule(trafficPolicy=POLICY)
    for before, after in ((plain, limited), (limited, plain), (None, limited), (limited, None)):
        assert parts(before, after) == ("the traffic policy",)
    assert parts(None, rule(host="*.internal", trafficPolicy=POLICY)) == ("the traffic policy",)
    assert parts(limited, rule(host="other.internal", trafficPolicy=POLICY)) == ("the traffic policy",)
    assert parts(limited, rule(trafficPolicy=POLICY, subsets={"v1": {}})) == ()
    assert parts(None, plain) == ()


def test_what_comes_with_a_new_service_reaches_nobody_yet() -> None:
    """A rule for a host that is not served so far, and a new ServiceEntry."""
    assert parts(None, rule(host="new.internal", trafficPolicy=POLICY)) == ()
    assert parts(None, entry("new", app="new")) == ()


@pytest.mark.parametrize("kind", ["PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy", "Sidecar"])
def test_a_policy_for_a_whole_namespace_reaches_all(kind: str) -> None:
    """Where anything runs there; one that selects workloads, or names targets, does not."""
    before, after = document(kind, "all", spec={"a": 1}), document(kind, "all", spec={"a": 2})
    expected = (f"the {kind} of a whole namespace",)
    assert parts(before, after) == parts(None, after) == parts(before, None) == expected
    assert parts(before, after, populated=frozenset({"pay"})) == ()
    narrow = "workloadSelector" if kind == "Sidecar" else "selector"
    labels = {"labels": {"app": "x"}} if kind == "Sidecar" else {"matchLabels": {"app": "x"}}
    assert parts(None, document(kind, "some", spec={narrow: labels})) == ()
    if kind != "Sidecar":
        assert parts(None, document(kind, "some", spec={"targetRefs": [{"kind": "ServiceEntry", "name": "billing"}]})) == ()


def test_marks_and_labels_reach_nobody() -> None:
    """Only the spec counts."""
    marked = {**STRICT, "metadata": {**STRICT["metadata"], "labels": {"a": "b"}}}
    assert parts(STRICT, marked) == ()


def test_the_setting_decides() -> None:
    """Approve by name, allow, or refuse."""
    one = write(None, STRICT)
    guard = wholesale_guard(one, ("everything",), Wholesale.APPROVE)
    assert guard
    assert (guard.code, guard.override, guard.keys) == (GuardCode.WHOLESALE, "wholesale:shop/strict", (one.key,))
    assert "create of PeerAuthentication shop/strict changes everything for all clients at once" in guard.message
    assert wholesale_guard(one, ("everything",), Wholesale.ALLOW) is None
    refused = wholesale_guard(one, ("everything",), Wholesale.REFUSE)
    assert refused
    assert refused.override == ""


def test_static_and_dns_do_not_change_in_place_whatever_the_setting() -> None:
    """The message says what to do instead; nothing overrides it."""
    static, dns = entry(endpoints=["10.0.0.1"]), entry(endpoints=["10.0.0.1"], resolution="DNS")
    guard = resolution_guard(write(static, dns))
    assert guard
    assert guard.override == ""
    assert "add a second ServiceEntry with another host and resolution DNS" in guard.message
    assert resolution_guard(write(static, entry(app="billing"))) is None
    assert resolution_guard(write(None, dns)) is None
    assert resolution_guard(write(None, STRICT)) is None
