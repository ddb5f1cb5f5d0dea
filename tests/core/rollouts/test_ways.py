"""From one state of a unit to another: which legs, how far each step goes, and who serves meanwhile."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.health.notes import unpicked
from reconciler.core.resources import Document, Key, ObservedState, Pod
from reconciler.core.rollouts.courses import Sides, courses
from reconciler.core.rollouts.effective import at
from reconciler.core.rollouts.mesh import PODS, Mesh, Shares, shares
from reconciler.core.rollouts.policy import CAREFUL, Unreachable
from reconciler.core.rollouts.values import Documents, LegKind, Stage, Way
from reconciler.core.rollouts.ways import SLACK, exposure, way_to
from tests.building import document, service_entry, wanted, workload_entry

ENTRY = Key("ServiceEntry", "shop", "billing")
ALL = {"labels": {"app": "billing"}}
MACHINES = {"labels": {"app": "billing", "platform": "vm"}}
ONLY_PODS = {"labels": {"app": "billing", "platform": "pod"}}


def documents(*found: Document) -> dict[Key, Document]:
    """Documents in the form in which they are written, by key."""
    return {Key.of(one): wanted(one) for one in found}


def vm(number: int, **spec: Any) -> Document:
    """The WorkloadEntry of a VM, labelled as one."""
    labels = {"app": "billing", "platform": "vm"}
    return workload_entry(f"vm{number}", **{"address": f"10.0.0.{number}", "labels": labels, **spec})


def inline(*numbers: int) -> list[Document]:
    """The same VMs as inline endpoints."""
    return [{"address": f"10.0.0.{number}", "labels": {"app": "billing"}} for number in numbers]


def mesh(pods: int = 0) -> Mesh:
    """A mesh with nothing in it but so many Pods of billing."""
    labels = {"app": "billing", "platform": "pod"}
    return Mesh(ObservedState({}, pods=tuple(Pod("shop", f"p{i}", f"10.1.0.{i}", labels, ready=True) for i in range(pods))))


def positions(way: Way) -> list[tuple[int, int]]:
    """Every step and stage of a way, in order."""
    return [(step, stage) for step, one in enumerate(way.steps) for stage in range(len(one.stages))]


def served(way: Way, step: int, stage: int, on: Mesh) -> Shares:
    """Everybody's share at a position of the way."""
    addresses = Sides(way.before, way.after).addresses()
    return shares(on.world(at(way, step, stage, on)), ENTRY, addresses)


def needed(before: Documents, after: Documents, on: Mesh, **given_: Any) -> Way:
    """The careful way between two states that differ."""
    way = way_to(before, after, CAREFUL, on, **given_)
    assert way is not None
    return way


def test_nothing_that_moves_traffic_needs_no_way() -> None:
    """A label of the ServiceAccount changes: that is written at once."""
    account = document("ServiceAccount", "billing", labels={"a": "b"})
    before = documents(service_entry(workloadSelector=ALL), vm(1), account)
    after = documents(
        service_entry(workloadSelector=ALL), vm(1), {**account, "metadata": {**account["metadata"], "labels": {"a": "b"}}}
    )
    assert way_to(before, after, CAREFUL, mesh()) is None


def test_a_new_vm_gets_its_share_in_steps() -> None:
    """The others are weighed up before it is created, so that it never gets more than the step says."""
    before = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
    after = documents(service_entry(workloadSelector=ALL), vm(1), vm(2), vm(3))
    way = needed(before, after, mesh())
    new = Key("WorkloadEntry", "shop", "vm3")
    assert [step.stages for step in way.steps] == [(Stage.PREPARE, Stage.SHIFT), (Stage.SHIFT,), (Stage.SHIFT,)]
    assert at(way, 0, 0, mesh())[new] is None
    assert [served(way, step, stage, mesh()).get(new) for step, stage in positions(way)] == [
        None,
        Fraction(1, 30),
        Fraction(1, 6),
        Fraction(1, 3),
    ]


def test_a_vm_that_goes_is_out_of_the_endpoint_list_before_it_is_deleted() -> None:
    """It loses its share step by step, then the label by which it is picked; the document itself stays until all is over."""
    before = documents(service_entry(workloadSelector=ALL), vm(1), vm(2), vm(3))
    after = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
    way = needed(before, after, mesh())
    old = Key("WorkloadEntry", "shop", "vm3")
    assert [served(way, step, stage, mesh()).get(old) for step, stage in positions(way)] == [
        Fraction(3, 10),
        Fraction(1, 6),
        None,
        None,
    ]
    assert way.steps[-1].stages == (Stage.FINISH, Stage.SETTLE)
    last = at(way, 2, 0, mesh())[old]
    assert last is not None
    assert last["spec"]["labels"] == {"platform": "vm"}


def test_a_vm_that_goes_keeps_no_empty_map_of_labels() -> None:
    """A server-side apply of an empty map over one with a label of ours makes it null, which the API server then refuses."""
    only = vm(1, labels={"app": "billing"})
    assert "labels" not in unpicked(only, ["app"])["spec"]
    assert unpicked(vm(1), ["app"])["spec"]["labels"] == {"platform": "vm"}


def test_inline_endpoints_become_workload_entries_in_one_write() -> None:
    """The entries are there first; the swap sends no request elsewhere, so it is one step."""
    before = documents(service_entry(endpoints=inline(1, 2)))
    after = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
    way = needed(before, after, mesh())
    assert [step.exposure for step in way.steps] == [1]
    assert at(way, 0, 0, mesh())[ENTRY] == before[ENTRY]
    assert at(way, 0, 0, mesh())[Key("WorkloadEntry", "shop", "vm1")] is not None
    assert at(way, 0, 1, mesh())[ENTRY] == after[ENTRY]


def test_pods_are_let_in_after_the_weights_stand() -> None:
    """Widening the selector is a write of its own, and at each step the Pods have their part of the way."""
    before = documents(service_entry(workloadSelector=MACHINES), vm(1), vm(2))
    after = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
    on = mesh(pods=2)
    way = needed(before, after, on)
    assert at(way, 0, 0, on)[ENTRY] == before[ENTRY]
    assert PODS not in served(way, 0, 0, on)
    assert [served(way, step, len(one.stages) - 1, on)[PODS] for step, one in enumerate(way.steps)] == [
        Fraction(1, 20),
        Fraction(1, 4),
        Fraction(1, 2),
    ]


def test_a_selector_that_moves_goes_by_what_both_have_in_common() -> None:
    """From VMs to Pods alone: both serve between, and the VMs go in the last write."""
    before = documents(service_entry(workloadSelector=MACHINES), vm(1), vm(2))
    after = documents(service_entry(workloadSelector=ONLY_PODS), vm(1), vm(2))
    on = mesh(pods=3)
    way = needed(before, after, on)
    between = at(way, 0, 1, on)[ENTRY]
    assert between is not None
    assert between["spec"]["workloadSelector"] == ALL
    assert served(way, 2, 0, on) == {PODS: 1}


def test_a_selector_with_nothing_in_common_cannot_move_gradually() -> None:
    """It is one step, with the reason."""
    other = {"labels": {"service": "billing"}}
    before = documents(service_entry(workloadSelector=ALL), vm(1))
    after = documents(service_entry(workloadSelector=other), vm(1), vm(2, labels={"service": "billing"}))
    (step,) = needed(before, after, mesh()).steps
    assert step.exposure == 1
    assert step.merged == (Fraction(1, 10), Fraction(1, 2))
    assert "no label is common to both selectors of shop/billing" in step.notes[0]


def test_identity_comes_before_traffic_and_never_with_it() -> None:
    """A service account and a weight change in one commit: two legs, the first without a word about weights."""
    before = documents(service_entry(workloadSelector=ALL), *map(vm, (1, 2, 3)))
    after = documents(service_entry(workloadSelector=ALL), *(vm(i, serviceAccount="billing", weight=i) for i in (1, 2, 3)))
    on = mesh()
    way = needed(before, after, on)
    assert [leg.kind for leg in way.legs] == [LegKind.IDENTITY, LegKind.TRAFFIC]
    start = served(way, 0, 0, on)
    accounts: list[int] = []
    for step, one in enumerate(way.steps):
        found = at(way, step, 0, on).values()
        accounts.append(sum(doc is not None and doc["spec"].get("serviceAccount") == "billing" for doc in found))
        if one.leg == 0:
            assert served(way, step, 0, on) == start
    assert accounts == sorted(accounts)
    assert accounts[-1] == 3
    assert 0 < accounts[0] < 3


def test_a_split_moves_traffic_although_no_document_changes() -> None:
    """The wanted share of the VMs goes from what weights make it to 70 %."""
    unit = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
    on = mesh(pods=6)
    way = needed(unit, unit, on, splits=(None, Fraction(7, 10)))
    found = [1 - served(way, step, stage, on)[PODS] for step, stage in positions(way)]
    assert [round(share * 100) for share in found] == [25, 45, 70]


def test_routes_move_by_exact_percent_between_subsets_of_both_sides() -> None:
    """The new subset is defined before a route uses it, the old one stays until none does."""

    def routed(**weights: int) -> list[Document]:
        to = [{"destination": {"host": "billing.internal", "subset": name}, "weight": n} for name, n in weights.items()]
        subsets = [{"name": name, "labels": {"version": name}} for name in weights]
        return [
            document("VirtualService", "billing", spec={"hosts": ["billing.internal"], "http": [{"route": to}]}),
            document("DestinationRule", "billing", spec={"host": "billing.internal", "subsets": subsets}),
        ]

    unit = [service_entry(workloadSelector=ALL), vm(1)]
    way = needed(documents(*unit, *routed(old=100)), documents(*unit, *routed(new=100)), mesh())
    seen = []
    for step, stage in positions(way):
        found = at(way, step, stage, mesh())
        route, rule = (found[Key(kind, "shop", "billing")] for kind in ("VirtualService", "DestinationRule"))
        assert route is not None
        assert rule is not None
        weights = {one["destination"]["subset"]: one["weight"] for one in route["spec"]["http"][0]["route"]}
        names = {one["name"] for one in rule["spec"]["subsets"]}
        assert {name for name, weight in weights.items() if weight} <= names
        seen.append((weights.get("new", 0), len(names)))
    assert seen == [(0, 2), (10, 2), (50, 2), (100, 2), (100, 1)]


def test_a_step_that_no_weight_reaches_is_merged_or_refused() -> None:
    """Of one VM that changes its address there is nothing smaller than all of it."""
    before = documents(service_entry(workloadSelector=ALL), vm(1))
    after = documents(service_entry(workloadSelector=ALL), vm(1, address="10.0.0.9"))
    (step,) = needed(before, after, mesh()).steps
    assert step.merged == (Fraction(1, 10), Fraction(1, 2))
    way = way_to(before, after, replace(CAREFUL, unreachable=Unreachable.REFUSE), mesh())
    assert way is not None
    assert way.steps == ()
    assert "set unreachable: merge" in way.refused


#: Form and weights of a state, for `end`.
ENDS = st.tuples(
    st.sampled_from(["endpoints", "all", "machines"]),
    st.dictionaries(st.integers(1, 5), st.integers(1, 9), min_size=1),
)


def end(form: str, weights: dict[int, int]) -> dict[Key, Document]:
    """A state of billing: its VMs with their weights, inline or behind a selector for them, or for all that is billing."""
    if form == "endpoints":
        return documents(service_entry(endpoints=[{**one, "weight": w} for i, w in weights.items() for one in inline(i)]))
    selector = ALL if form == "all" else MACHINES
    return documents(service_entry(workloadSelector=selector), *(vm(i, weight=w) for i, w in weights.items()))


@settings(deadline=None)
@given(ENDS, ENDS, st.integers(0, 4))
def test_at_every_position_somebody_serves_and_no_step_goes_too_far(
    one: tuple[str, dict[int, int]], other: tuple[str, dict[int, int]], pods: int
) -> None:
    """Any two states of a service: the way begins at the first and ends at the second, and keeps to its exposures."""
    before, after = end(*one), end(*other)
    on = mesh(pods)
    way = way_to(before, after, CAREFUL, on)
    if way is None:
        assert before == after
        return
    assert way.steps[-1].exposure == 1
    for step, stage in positions(way):
        now = served(way, step, stage, on)
        assert now, "the service is empty"
        leg = way.legs[way.steps[step].leg]
        if leg.kind is LegKind.TRAFFIC and way.steps[step].exposure < 1:
            sides = Sides({**before, **leg.before}, {**before, **leg.after})
            (course,) = courses(sides, on)
            assert exposure(now, course.start, course.wanted) <= way.steps[step].exposure + SLACK
    last = at(way, len(way.steps) - 1, len(way.steps[-1].stages) - 1, on)
    assert {key: one for key, one in last.items() if key in after} == after


@pytest.mark.parametrize("count", [1, 2, 3, 10])
@pytest.mark.case("C-09")
def test_endpoints_change_in_place_in_groups(count: int) -> None:
    """At least one at a time, never all by accident: of 1 % of three it is one, of one it is that one."""
    before = documents(service_entry(workloadSelector=ALL), *(vm(i) for i in range(1, count + 1)))
    after = documents(service_entry(workloadSelector=ALL), *(vm(i, locality="a/b") for i in range(1, count + 1)))
    way = needed(before, after, mesh())
    sizes = [len(step.switched) for step in way.steps]
    assert sizes == sorted(sizes)
    assert sizes[0] >= 1
    assert sizes[-1] == count
    assert count == 1 or len(sizes) > 1
