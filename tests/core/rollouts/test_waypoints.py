"""Ways by subsets: who gets what at every position, and what routes use is defined before and after."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.demands import of_route, pairs
from reconciler.core.istio import VirtualService
from reconciler.core.resources import Controller, Document, Key, ObservedState
from reconciler.core.rollouts.balance import Anchor
from reconciler.core.rollouts.courses import share_now
from reconciler.core.rollouts.effective import at
from reconciler.core.rollouts.mesh import PODS, Mesh
from reconciler.core.rollouts.platforms import Platforms
from reconciler.core.rollouts.policy import CAREFUL, Strategy
from reconciler.core.rollouts.relief import relieved
from reconciler.core.rollouts.subsets import is_routed
from reconciler.core.rollouts.values import Documents, LegKind, Stage, Way
from reconciler.core.rollouts.ways import way_to
from tests.building import document, service_entry
from tests.core.rollouts.test_ways import ALL, MACHINES, ONLY_PODS, documents, mesh, positions, served, vm

POLICY = replace(CAREFUL, strategy=Strategy.SUBSETS)
HOST = "billing.internal"


def unit(selector: Document, *machines: Document) -> dict[Key, Document]:
    """The service behind a selector, on these VMs."""
    return documents(service_entry(workloadSelector=selector), *machines)


def needed(before: Documents, after: Documents, on: Mesh, **given_: Any) -> Way:
    """The way by subsets between two states that differ."""
    way = way_to(before, after, POLICY, on, keeps=True, **given_)
    assert way is not None
    assert not way.refused
    return way


def pods_at(way: Way, on: Mesh) -> list[Fraction]:
    """The share of the Pods at each position."""
    return [served(way, step, stage, on).get(PODS, Fraction(0)) for step, stage in positions(way)]


def test_the_states_on_the_way_follow_each_other_as_legs() -> None:
    """Routes come, newcomers come, requests move, routes go: the policy's steps are asked for where requests move."""
    way = needed(unit(MACHINES, vm(1), vm(2)), unit(ALL, vm(1), vm(2)), mesh(2))
    kinds = [
        (leg.kind, [str(step.exposure) for step in way.steps if step.leg == number]) for number, leg in enumerate(way.legs)
    ]
    assert kinds == [
        (LegKind.ROUTES, ["1"]),
        (LegKind.TRAFFIC, ["1"]),
        (LegKind.ROUTES, ["1/10", "1/2", "1"]),
        (LegKind.ROUTES, ["1"]),
    ]
    assert [way.steps[place].stages for place in (0, -1)] == [(Stage.PREPARE, Stage.SHIFT), (Stage.SHIFT, Stage.FINISH)]


def test_what_moves_nothing_between_vms_and_pods_needs_no_subsets() -> None:
    """A new VM where there are no Pods goes by weights, whatever the policy says."""
    way = needed(unit(ALL, vm(1)), unit(ALL, vm(1), vm(2)), mesh())
    assert way.by is None
    assert [leg.kind for leg in way.legs] == [LegKind.TRAFFIC]


def test_a_new_vm_comes_in_by_weights_inside_its_subset() -> None:
    """While Pods join: first it gets its share of the VMs' in steps, then requests move to the Pods."""
    on = mesh(2)
    way = needed(unit(MACHINES, vm(1)), unit(ALL, vm(1), vm(2)), on)
    new = [served(way, *position, on).get(Key("WorkloadEntry", "shop", "vm2"), Fraction(0)) for position in positions(way)]
    assert max(b - a for a, b in pairwise(new)) <= Fraction(1, 4)
    assert new[-1] == Fraction(1, 4)
    assert pods_at(way, on)[-1] == Fraction(1, 2)


def test_a_split_ends_with_the_routes_that_hold_it() -> None:
    """What Git wants is without them, what stands is with them; the next way begins there and has nothing to define."""
    on, both = mesh(2), unit(ALL, vm(1), vm(2))
    way = needed(both, both, on, splits=(Fraction(1, 2), Fraction(3, 10)))
    last = at(way, len(way.steps) - 1, 0, on)
    assert is_routed(last)
    assert not is_routed(way.after)
    assert pods_at(way, on) == [Fraction(part, 100) for part in (50, 50, 52, 60, 70)]
    back = way_to(last, both, POLICY, on, (Fraction(3, 10), Fraction(1, 2)))
    assert back is not None
    assert pods_at(back, on) == [Fraction(part, 100) for part in (68, 60, 50, 50, 50)]
    final = at(back, len(back.steps) - 1, 1, on)
    assert {key: one for key, one in final.items() if one is not None} == both


def test_selectors_with_nothing_in_common_are_refused() -> None:
    """Routes give no share to whom no selector picks."""
    other = {"labels": {"service": "billing"}}
    way = way_to(
        unit(MACHINES, vm(1)), unit(other, vm(1, labels={"service": "billing", "platform": "vm"})), POLICY, mesh(1), keeps=True
    )
    assert way is None or way.by is None
    refused = way_to(
        unit(ONLY_PODS, vm(1)),
        unit({"labels": {"x": "y"}}, vm(1, labels={"x": "y", "platform": "vm"})),
        POLICY,
        mesh(1),
        keeps=True,
    )
    assert refused is not None
    assert "[MR3319]" in refused.refused
    assert refused.culprit == Key("ServiceEntry", "shop", "billing")


_ROUTED = [
    document("DestinationRule", "billing", spec={"host": HOST, "subsets": [{"name": "v", "labels": {"v": "1"}}]}),
    document("VirtualService", "billing", spec={"hosts": [HOST], "http": [{"route": [{"destination": {"host": HOST}}]}]}),
]
_SIDES = st.tuples(st.sampled_from([ALL, MACHINES]), st.dictionaries(st.integers(1, 4), st.integers(1, 9), min_size=1))
_SPLITS = st.none() | st.integers(0, 100).map(lambda percent: Fraction(percent, 100))


@settings(deadline=None, max_examples=40)
@given(_SIDES, _SIDES, st.integers(1, 4), _SPLITS, st.booleans())
def test_at_every_position_all_are_answered_and_pods_get_no_more_than_the_step_allows(
    one: tuple[Document, dict[int, int]],
    other: tuple[Document, dict[int, int]],
    pods: int,
    split: Fraction | None,
    has_routes: bool,  # noqa: FBT001 - hypothesis gives it by place
) -> None:
    """Any two states, with and without a split and rules of Git: the Pods' share goes one way, by exact steps.

    Every subset in a route is defined in the same position and in the one before; each destination of weight above 0 has an
    endpoint, also where a split is armed for Pods that nothing picks.
    """
    sides = [unit(selector, *(vm(i, weight=w) for i, w in weights.items())) for selector, weights in (one, other)]
    before, after = ({**side, **(documents(*_ROUTED) if has_routes else {})} for side in sides)
    on = mesh(pods)
    start = None if split is None else share_now(before, on)
    way = way_to(before, after, POLICY, on, (start, split), keeps=True)
    if way is None or not way.by:
        return
    defined: set[str] = set()
    for step, stage in positions(way):
        found = relieved(at(way, step, stage, on), on, Anchor())
        world = on.world(found)
        now = {subset.name for rule in world.rules.values() for subset in rule.subsets}
        for key in (key for key, doc in found.items() if key.kind == "VirtualService" and doc is not None):
            used = {to.subset for to in VirtualService.of(found[key] or {}).destinations} - {""}
            assert used <= now & (defined or now)
            assert all(any(pairs(world, demand)) for demand in of_route(world, key))
        defined = now
    shares = pods_at(way, on)
    assert shares in (sorted(shares), sorted(shares, reverse=True))
    gradual = [
        step for step in way.steps if way.legs[step.leg].kind is LegKind.ROUTES and "no request" not in "".join(step.notes)
    ]
    assert [step.exposure for step in gradual] in ([], [Fraction(1, 10), Fraction(1, 2), Fraction(1)])
    last = at(way, len(way.steps) - 1, len(way.steps[-1].stages) - 1, on)
    if split is None:
        assert {key: doc for key, doc in last.items() if doc is not None and key in after} == after


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1)])
def test_nothing_and_everything_are_shares_too(share: Fraction) -> None:
    """Which weights never make while both are selected."""
    on, both = mesh(2), unit(ALL, vm(1))
    way = needed(both, both, on, splits=(Fraction(1, 3), share))
    assert pods_at(way, on)[-1] == 1 - share


def test_pods_to_come_are_known_by_their_deployment() -> None:
    """By the labels that it gives them, and not by those that an old ReplicaSet of it gave."""
    old = Controller("ReplicaSet", "shop", "billing-1", 0, {"app": "billing"}, owner="Deployment/billing")
    new = Controller("Deployment", "shop", "billing", 3, {"app": "billing", "platform": "k8s"})
    both = unit(ALL, vm(1))
    for controllers, label in (((old, new), "k8s"), ((old,), "pod")):
        on = Mesh(ObservedState({}, controllers=controllers))
        way = needed(both, both, on, splits=(Fraction(1), Fraction(1, 2)))
        assert way.by == Platforms("platform", "vm", label)


def test_a_way_back_is_never_refused() -> None:
    """Where nothing tells VMs from Pods any more it goes by weights, in steps."""
    plain = {"app": "billing"}
    before, after = (unit(ALL, vm(1, labels=plain, weight=weight)) for weight in (1, 9))
    there = way_to(before, after, POLICY, mesh(2), keeps=True)
    back = way_to(before, after, POLICY, mesh(2))
    assert there is not None
    assert "[MR3311]" in there.refused
    assert back is not None
    assert (back.refused, back.by, len(back.steps)) == ("", None, 3)
