"""What a rollout may expose at its step, held against the writes that its own steps make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.changes import Action, Change
from reconciler.core.laws import check
from reconciler.core.resources import Document, Key, ObservedState, Pod
from reconciler.core.rollouts.bounds import bounds_of, gains_of
from reconciler.core.rollouts.courses import Sides
from reconciler.core.rollouts.effective import at, effective
from reconciler.core.rollouts.mesh import PODS, Mesh, shares
from reconciler.core.rollouts.policy import AT_ONCE, CAREFUL, RolloutPolicy
from reconciler.core.rollouts.receding import leaving, total
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import Documents, LegKind, Stage, Way
from reconciler.core.rollouts.ways import way_to
from reconciler.core.simulation import after as after_write
from reconciler.core.waves import Schedule, schedule
from reconciler.core.world import World
from reconciler.core.writes import in_order
from tests.building import service_entry
from tests.core.meshes import there
from tests.core.rollouts.play import NOON, rollout
from tests.core.rollouts.test_ways import ALL, ENDS, ENTRY, MACHINES, documents, end, positions, vm

#: What `end` takes.
End = tuple[str, dict[int, int]]
OLD, NEW = (Key("WorkloadEntry", "shop", name) for name in ("vm1", "vm2"))
LABELS = {"app": "billing", "platform": "pod"}


def standing(found: Documents, pods: int) -> Mesh:
    """A mesh in which these documents are live, with so many Pods of billing."""
    ready = tuple(Pod("shop", f"p{number}", f"10.1.0.{number}", LABELS, ready=True) for number in range(pods))
    return Mesh(there(*(one for one in found.values() if one is not None), pods=ready))


def placed(way: Way, step: int, stage: int, *, back: bool = False) -> Rollout:
    """A rollout at a position of a way, or of its way back."""
    found = replace(rollout(), way=way, started=NOON, phase=Phase.APPLYING, step=step, stage=stage)
    return replace(found, back=way, phase=Phase.UNDOING) if back else found


def changes(old: Documents, new: Documents) -> list[Change]:
    """The writes from one state to another; what goes for good waits behind guards of its own."""
    found = []
    for key, one in new.items():
        before = old.get(key)
        if one is not None and one != before:
            found.append(Change(key, Action.UPDATE if before else Action.CREATE, before, one))
    return found


def laid(now: Rollout, old: Documents, new: Documents, pods: int) -> Schedule:
    """The writes from one state to another as they are placed under a rollout's bounds."""
    on = standing(old, pods)
    courses = course_of(now.on, now.step, on)
    bounds = {one.entry: one for one in bounds_of(now, courses, on)}
    writes, edges = in_order(changes(old, new), on.observed, "istio-system", gains_of(now, courses))
    found = schedule(World.of(on.observed), writes, edges.waits, edges.phases(writes), bounds)
    order = [write.change for wave in found.waves for write in wave]
    assert [one for one in check(World.of(on.observed), order, bounds) if one.law == 2] == []
    return found


def stretches(way: Way, pods: int) -> Iterator[tuple[int, int, dict[Key, Document | None], dict[Key, Document | None]]]:
    """Every position of a way with the state before it and its own."""
    old = dict(way.before)
    for step, stage in positions(way):
        new = at(way, step, stage, standing(old, pods))
        yield step, stage, old, new
        old = new


@settings(max_examples=40, deadline=None)
@given(ENDS, ENDS)
def test_what_a_rollout_itself_writes_is_within_its_bounds(one: End, other: End) -> None:
    """On every way between any two states: every write has a lawful place."""
    before, after = end(*one), end(*other)
    for pods in (0, 3):
        way = way_to(before, after, CAREFUL, standing(before, pods))
        if way is None:
            continue
        for step, stage, old, new in stretches(way, pods):
            assert [each.message for each in laid(placed(way, step, stage), old, new, pods).stuck] == []


def undone(stands: Documents, origin: Documents, policy: RolloutPolicy, pods: Iterator[int]) -> dict[Key, Document | None]:
    """Go the way back write by write, with another number of Pods at each stage, and return where it ends.

    After no write do those who leave have more than when its stage began, or than the origin gives them where that is
    restored to the letter; and somebody serves.
    """
    back = way_to(stands, origin, policy, standing(stands, next(pods)))
    if back is None:
        return dict(stands)
    old = dict(stands)
    for step, stage in positions(back):
        count = next(pods)
        on, now = standing(old, count), placed(back, step, stage, back=True)
        new = effective(now, on)
        found = laid(now, old, new, count)
        assert [one.message for one in found.stuck] == []
        for course in course_of(now.on, step, on):
            world = World.of(on.observed)
            most = total(shares(world, ENTRY, addresses(now)), leaving(course))
            if now.current.exposure == 1 and now.is_last_stage:
                most = max(most, total(course.wanted, leaving(course)))
            for write in (one for wave in found.waves for one in wave):
                world = after_write(world, write.change)
                served = shares(world, ENTRY, addresses(now))
                assert served, "the service is empty"
                assert total(served, leaving(course)) <= most
        old |= new
    return old


def addresses(now: Rollout) -> dict[str, Key]:
    """The WorkloadEntries on a way, by address."""
    return Sides(now.on.before, now.on.after).addresses()


@settings(max_examples=40, deadline=None)
@given(ENDS, ENDS, st.lists(st.integers(0, 5), min_size=2, max_size=6), st.sampled_from([CAREFUL, AT_ONCE]), st.integers(0, 20))
def test_no_write_of_an_undo_gives_those_who_leave_more(
    one: End, other: End, pods: list[int], policy: RolloutPolicy, begins: int
) -> None:
    """From anywhere on the way, in steps or at once, while Pods come and go; and the origin stands in the end."""
    before, after = end(*one), end(*other)
    way = way_to(before, after, CAREFUL, standing(before, pods[0]))
    reached = list(stretches(way, pods[0])) if way else []
    stands = reached[begins % len(reached)][3] if reached else after
    found = undone(stands, before, policy, cycle(pods))
    assert {key: one for key, one in found.items() if key in before} == before


def test_whole_weights_do_not_give_those_who_leave_more_for_a_moment() -> None:
    """A new VM has 1/4 beside an old one of weight 2 and a Pod. With the old one's weight of before it would have 1/3.

    So it goes first, and the old one is made lighter then; until that, weights stay as they are.
    """
    stands = documents(service_entry(workloadSelector=ALL), vm(1, weight=2), vm(2, weight=1))
    origin = documents(service_entry(workloadSelector=ALL), vm(1, weight=1))
    on = standing(stands, 1)
    back = way_to(stands, origin, AT_ONCE, on)
    assert back is not None
    assert back.steps[0].stages == (Stage.SHIFT, Stage.FINISH)
    assert at(back, 0, 0, on)[OLD] == origin[OLD]
    now = placed(back, 0, 0, back=True)
    (stuck,) = laid(now, stands, origin | {NEW: stands[NEW]}, 1).stuck
    assert "would expose 33.33%" in stuck.message
    assert effective(now, on)[OLD] == stands[OLD]
    assert undone(stands, origin, AT_ONCE, cycle([1]))[OLD] == origin[OLD]


def _to_pods() -> Way:
    before = documents(service_entry(workloadSelector=MACHINES), vm(1), vm(2))
    way = way_to(before, {**before, **documents(service_entry(workloadSelector=ALL))}, CAREFUL, standing(before, 4))
    assert way is not None
    return way


def test_the_writes_of_a_step_to_come_break_the_bound_of_the_one_before() -> None:
    """The Pods' share of the second step, while the first one is being written: refused, with how much it would be."""
    way = _to_pods()
    (_, _, before, first), (_, _, _, opened), (_, _, last, second), *_ = stretches(way, 4)
    now = placed(way, 0, 0)
    assert laid(now, before, first, 4).stuck == ()
    assert laid(placed(way, 0, 1), first, opened, 4).stuck == ()
    stuck = laid(placed(way, 0, 1), last, second, 4).stuck
    assert stuck[0].law == 2
    assert "where step 1 of 3 of its rollout allows 10%" in stuck[0].message


def test_a_rollout_that_waits_allows_nothing_yet() -> None:
    """Pods let in before the first step began: that is too much of anything."""
    way = _to_pods()
    waiting = replace(placed(way, 0, 0), started=None, phase=Phase.WAITING)
    (stuck,) = laid(waiting, way.before, {**way.before, **documents(service_entry(workloadSelector=ALL))}, 4).stuck
    assert stuck.law == 2
    on = standing(way.before, 4)
    assert list(bounds_of(replace(waiting, phase=Phase.IDLE), course_of(way, 0, on), on)) == []


def test_on_the_way_back_nobody_who_leaves_gets_more() -> None:
    """The VMs come back for the Pods; a VM that is made lighter now would give the Pods more than they had."""
    there_ = documents(service_entry(workloadSelector=ALL), vm(1, weight=8), vm(2, weight=8))
    origin = documents(service_entry(workloadSelector=MACHINES), vm(1), vm(2))
    way = way_to(there_, origin, CAREFUL, standing(there_, 4))
    assert way is not None
    on = standing(there_, 4)
    (bound,) = bounds_of(placed(way, 0, 0, back=True), course_of(way, 0, on), on)
    assert bound.exposed == {PODS}
    assert bound.most == Fraction(4, 20)
    lighter = {**there_, **documents(vm(1))}
    (stuck,) = laid(placed(way, 0, 0, back=True), there_, lighter, 4).stuck
    assert "of its way back allows 20%" in stuck.message


def test_a_leg_that_moves_nothing_between_endpoints_has_no_bound() -> None:
    """Addresses that change in place go by groups that were cut to the step."""
    before = documents(service_entry(workloadSelector=ALL), vm(1), vm(2))
    way = way_to(before, {**before, **documents(vm(1, address="10.0.9.1"))}, CAREFUL, standing(before, 0))
    assert way is not None
    assert way.legs[0].kind is LegKind.ENDPOINTS
    assert course_of(way, 0, Mesh(ObservedState({}))) == []
