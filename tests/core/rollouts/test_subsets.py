"""Documents in which routes make the shares of VMs and Pods."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.portions import portions
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.platforms import Platforms
from reconciler.core.rollouts.subsets import (
    POD_SUBSET,
    VM_SUBSET,
    is_generated,
    is_routed,
    platforms_in,
    routed,
)
from reconciler.core.validation import validate
from reconciler.core.world import World
from tests.building import document, service_entry, wanted

ENTRY = Key("ServiceEntry", "shop", "billing")
RULE, ROUTE = (Key(kind, "shop", "billing") for kind in ("DestinationRule", "VirtualService"))
HOST = "billing.internal"
BY = Platforms("platform", "vm", "pod")
SUBSET_LISTS = [{"name": VM_SUBSET, "labels": {"platform": "vm"}}, {"name": POD_SUBSET, "labels": {"platform": "pod"}}]

SHARES = st.integers(0, 100).map(lambda percent: Fraction(percent, 100))
OURS_OR_NOT = st.sampled_from(
    [{"host": HOST}, {"host": HOST, "port": {"number": 80}}, {"host": "old.example.com"}, {"host": "web"}]
)
#: Destinations with their weights, as Istio takes them: of several some have one.
ROUTES = st.lists(st.tuples(OURS_OR_NOT, st.integers(0, 30)), min_size=1, max_size=4).filter(
    lambda found: len(found) == 1 or any(weight for _, weight in found)
)


def documents(*found: Document, **spec: Any) -> dict[Key, Document | None]:
    """The service billing and these documents, as they are written."""
    return {Key.of(one): wanted(one) for one in (service_entry(**spec), *found)}


def routes(*lists: list[Document], **spec: Any) -> Document:
    """A VirtualService with these lists of destinations."""
    return document("VirtualService", "billing", spec={"hosts": [HOST], "http": [{"route": one} for one in lists], **spec})


def present(found: dict[Key, Document | None], key: Key) -> Document:
    """A document that must be there."""
    document_ = found[key]
    assert document_ is not None
    return document_


def weights(found: dict[Key, Document | None], key: Key = ROUTE, protocol: str = "http") -> list[dict[str, int]]:
    """Of each route the weight of each subset, empty for none."""
    lists = present(found, key)["spec"][protocol]
    return [{one["destination"].get("subset", ""): one["weight"] for one in each["route"]} for each in lists]


@given(ROUTES, SHARES, SHARES)
def test_each_destination_keeps_what_it_gets_and_ours_is_divided(
    listed: list[tuple[Document, int]], first: Fraction, share: Fraction
) -> None:
    """By exact fractions, also where other shares stood before; whatever is not ours stays, text and order."""
    found = [{"destination": to, "weight": weight} for to, weight in listed]
    total = sum(weight for _, weight in listed)
    mine = Fraction(sum(weight for to, weight in listed if to["host"] == HOST), total) if total else Fraction(1)
    after = routed(routed(documents(routes(found)), {ENTRY: first}, BY), {ENTRY: share}, BY)
    (route,) = present(after, ROUTE)["spec"]["http"]
    sum_ = sum(one.get("weight", 0) for one in route["route"]) or 1
    got = {
        name: sum(Fraction(one["weight"], sum_) for one in route["route"] if one["destination"].get("subset") == name)
        for name in (VM_SUBSET, POD_SUBSET)
    }
    if any(to["host"] == HOST for to, _ in listed):
        assert got == {VM_SUBSET: mine * share, POD_SUBSET: mine * (1 - share)}
    others = [one["destination"] for one in route["route"] if one["destination"]["host"] != HOST]
    assert others == [to for to, _ in listed if to["host"] != HOST]


@given(SHARES)
def test_the_simulator_predicts_what_is_written(share: Fraction) -> None:
    """With a rule and a route of Git, and with generated ones."""
    for found in (documents(), documents(routes([{"destination": {"host": HOST}}]))):
        after = routed(found, {ENTRY: share}, BY)
        world = World.build({key: one for key, one in after.items() if one is not None})
        expected = {VM_SUBSET: share, POD_SUBSET: 1 - share}
        assert {one.name: one.share for one in portions(world, "shop", HOST, 80)} == {
            name: part for name, part in expected.items() if part
        }


def test_what_git_lacks_is_generated_with_our_mark_and_goes_again() -> None:
    """Both are named after the ServiceEntry; documents without a share for it lose them."""
    after = routed(documents(exportTo=["."]), {ENTRY: Fraction(1, 4)}, BY)
    rule, route = (present(after, Key(kind, "shop", "billing-rollout")) for kind in ("DestinationRule", "VirtualService"))
    assert rule["spec"] == {"host": HOST, "exportTo": ["."], "subsets": SUBSET_LISTS}
    assert rule["metadata"]["labels"] == {"mesh-reconciler.io/target": "test"}
    assert rule["metadata"]["annotations"] == {"mesh-reconciler.io/rollout": "shop/billing"}
    assert route["spec"]["hosts"] == [HOST]
    assert (is_generated(rule), is_generated(route), is_generated(after[ENTRY])) == (True, True, False)
    assert (is_routed(after), platforms_in(after)) == (True, BY)
    gone = routed(after, {}, BY)
    assert {str(key) for key, one in gone.items() if one is None} == {
        "DestinationRule shop/billing-rollout",
        "VirtualService shop/billing-rollout",
    }
    assert not is_routed(gone)


@pytest.mark.parametrize(
    ("protocol", "lists"),
    [("GRPC", ["http"]), ("https", ["tls"]), ("TCP", ["tcp"]), ("MYSQL", ["tcp"]), ("", ["http", "tcp"])],
)
def test_each_port_gets_routes_of_its_protocol(protocol: str, lists: list[str]) -> None:
    """TLS by its server name; a port without a protocol may be either. Istio finds nothing wrong with any of them."""
    ports = [{"number": 8443, "name": "p", **({"protocol": protocol} if protocol else {})}]
    after = routed(documents(ports=ports), {ENTRY: Fraction(2, 5)}, BY)
    assert [problem for one in after.values() for problem in validate(one or {})] == []
    spec = present(after, Key("VirtualService", "shop", "billing-rollout"))["spec"]
    assert [name for name in ("http", "tls", "tcp") if name in spec] == lists
    for name in lists:
        (route,) = spec[name]
        assert route["match"] == [{"port": 8443, **({"sniHosts": [HOST]} if name == "tls" else {})}]
        assert [one["weight"] for one in route["route"]] == [40, 60]
        assert {one["destination"]["port"]["number"] for one in route["route"]} == {8443}


def test_ports_of_which_git_has_no_route_get_one() -> None:
    """Beside its own routes, which say themselves what they match."""
    ports = [
        {"number": number, "name": name, "protocol": name.upper()} for number, name in ((80, "http"), (81, "http2"), (9, "tcp"))
    ]
    git = routes(
        [{"destination": {"host": HOST}}], http=[{"match": [{"port": 80}], "route": [{"destination": {"host": HOST}}]}]
    )
    after = routed(documents(git, ports=ports), {ENTRY: Fraction(1, 2)}, BY)
    assert weights(after) == [{VM_SUBSET: 50, POD_SUBSET: 50}]
    assert weights(after, protocol="tcp") == [{VM_SUBSET: 50, POD_SUBSET: 50}]


def test_subsets_join_those_of_git() -> None:
    """Its own ones stay as they are, in front, whatever they set."""
    own = [{"name": "canary", "labels": {"v": "2"}, "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}]
    git = document(
        "DestinationRule", "billing", spec={"host": HOST, "subsets": own, "trafficPolicy": {"tls": {"mode": "DISABLE"}}}
    )
    found = documents(git)
    for _ in range(2):
        found = routed(found, {ENTRY: Fraction(1, 2)}, BY)
        rule = present(found, RULE)
        assert rule["spec"]["subsets"] == [*own, *SUBSET_LISTS]
        assert {name: one for name, one in rule["spec"].items() if name != "subsets"} == {
            "host": HOST,
            "trafficPolicy": {"tls": {"mode": "DISABLE"}},
        }


def test_each_host_of_a_service_entry_has_its_own() -> None:
    """A route leads to one host alone."""
    after = routed(documents(hosts=[HOST, "pay.internal"]), {ENTRY: Fraction(1, 2)}, BY)
    second = present(after, Key("VirtualService", "shop", "billing-rollout-2"))
    assert second["spec"]["hosts"] == ["pay.internal"]
    assert {one["destination"]["host"] for one in second["spec"]["http"][0]["route"]} == {"pay.internal"}


def test_routes_of_gateways_and_of_other_hosts_get_the_split_too() -> None:
    """Sidecars that call the host follow neither, so that one is generated for them."""
    git = routes([{"destination": {"host": HOST}}], hosts=["pay.example.com"], gateways=["shop/public"])
    after = routed(documents(git), {ENTRY: Fraction(1, 2)}, BY)
    assert (
        weights(after) == weights(after, Key("VirtualService", "shop", "billing-rollout")) == [{VM_SUBSET: 50, POD_SUBSET: 50}]
    )


def test_what_leads_elsewhere_is_not_touched() -> None:
    """A redirect, a subset of somebody's, a mirror, and the very document where nothing of it leads here."""
    redirect = {"redirect": {"uri": "/x"}}
    other = {"route": [{"destination": {"host": HOST, "subset": "v1"}}], "mirror": {"host": HOST}}
    git = routes([], http=[redirect, other])
    assert present(routed(documents(git), {ENTRY: Fraction(1, 2)}, BY), ROUTE)["spec"]["http"] == [redirect, other]


def test_shares_beyond_what_weights_can_say_are_rounded_and_nobody_is_forgotten() -> None:
    """A part in ten million is one in a million."""
    after = routed(documents(routes([{"destination": {"host": HOST}}])), {ENTRY: Fraction(1, 10_000_019)}, BY)
    assert weights(after) == [{VM_SUBSET: 1, POD_SUBSET: 999_999}]
