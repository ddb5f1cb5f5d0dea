"""What is in the way of shares by routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.rollouts.obstacles import Code, obstacles
from reconciler.core.rollouts.platforms import Labelled
from tests.building import live, observed, wanted, written
from tests.core.meshes import entry, in_namespace, route, rule, service

HOST = "billing.internal"
ENTRY = wanted(entry(app="billing"))
MACHINES: list[Labelled] = [(Key("WorkloadEntry", "shop", "vm1"), {"app": "billing", "platform": "vm"})]


def found(*documents: Document, around: ObservedState | None = None, of: Document = ENTRY) -> list[tuple[Code, str, str]]:
    """Code, object and field of each obstacle among the documents of a unit, and around it."""
    unit = {Key.of(one): wanted(one) for one in documents}
    return [(one.code, str(one.key), one.field) for one in obstacles(of, unit, MACHINES, around)]


def spec(one: Document, **changes: Any) -> Document:
    """The document with other fields of its spec."""
    return {**one, "spec": {**one["spec"], **changes}}


TO = [(HOST, "", 100)]
OWN_RULE, PATTERN_RULE = rule(), rule("wide", host="*.internal")
THEIRS = in_namespace(rule("theirs"), "pay")


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([OWN_RULE, route(to=TO)], []),
        ([route("gateway", to=TO, hosts=["pay.example.com"]), route(to=TO)], []),
        (
            [route(to=[(HOST, "v1", 100)])],
            [(Code.OWN_SUBSET, "VirtualService shop/billing", "spec.http[0].route[0].destination.subset")],
        ),
        ([route("a", to=TO), route("b", to=TO)], [(Code.TWO_ROUTES, "VirtualService shop/b", "spec.hosts")]),
        ([route(to=TO, hosts=["*.internal"])], [(Code.TWO_ROUTES, "VirtualService shop/billing", "spec.hosts")]),
        ([route("wide", to=TO, hosts=["*.internal"]), route(to=TO)], []),
        ([THEIRS], [(Code.OTHER_RULE, "DestinationRule pay/theirs", "spec.host")]),
        ([PATTERN_RULE], [(Code.OTHER_RULE, "DestinationRule shop/wide", "spec.host")]),
        ([PATTERN_RULE, OWN_RULE], []),
        (
            [spec(OWN_RULE, workloadSelector={"matchLabels": {}})],
            [(Code.OTHER_RULE, "DestinationRule shop/billing", "spec.workloadSelector")],
        ),
    ],
)
def test_what_git_has_may_be_in_the_way(documents: list[Document], expected: list[tuple[Code, str, str]]) -> None:
    """Each is named with the field that is to be changed."""
    assert found(*documents) == expected


def test_a_pattern_is_no_destination() -> None:
    """Each host that is one is named."""
    of = wanted(entry(app="billing", hosts=[HOST, "*.pay.internal"]))
    assert found(of=of) == [(Code.PATTERN, "ServiceEntry shop/billing", "spec.hosts[1]")]


OTHER = route("other", to=[(HOST, "", 50), ("ledger.internal", "", 50)], hosts=["ledger.internal"])


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        (live(wanted(route("x", to=[("ledger.internal", "", 1)]))), []),
        (
            live(route("x", to=[("elsewhere.internal", "", 1)], hosts=[HOST])),
            [(Code.TWO_ROUTES, "VirtualService shop/x", "spec.hosts")],
        ),
        (live(route("x", to=TO, hosts=["y.internal"])), [(Code.TWO_ROUTES, "VirtualService shop/x", "spec.hosts")]),
        (written(OTHER), [(Code.SHARED, "VirtualService shop/other", "")]),
        (live(rule("x")), []),
        (live(THEIRS), [(Code.OTHER_RULE, "DestinationRule pay/theirs", "spec.host")]),
        (live(rule("billing-rollout", host="z.internal")), [(Code.NAME_TAKEN, "DestinationRule shop/billing-rollout", "")]),
    ],
)
def test_what_is_live_and_not_of_the_unit_may_be_in_the_way(around: Any, expected: list[tuple[Code, str, str]]) -> None:
    """A second rule of the same namespace is none: Istio adds up their subsets."""
    assert found(around=observed(around)) == expected


def test_a_service_that_sends_to_the_same_vms_is_in_the_way() -> None:
    """Its clients go by weights, whatever routes to the ServiceEntry's host say; that of the very host is the same service."""
    seen = replace(observed(), services=(service("web"), service("ledger", app="ledger")))
    assert found(around=seen) == [(Code.SERVICE, "ServiceEntry shop/billing", "")]
    of = wanted(entry(app="billing", hosts=["web.shop.svc.cluster.local"]))
    assert found(around=seen, of=of) == []


def test_an_obstacle_says_where_and_what_to_do() -> None:
    """One sentence, with the code at its end."""
    unit = {Key("VirtualService", "shop", "billing"): wanted(route(to=[(HOST, "v1", 100)]))}
    (one,) = obstacles(ENTRY, unit, MACHINES)
    assert str(one) == (
        "VirtualService shop/billing spec.http[0].route[0].destination.subset: leads to subset v1, which the split cannot "
        "divide: lead to billing.internal without a subset, or choose strategy: weights [MR3312]"
    )
