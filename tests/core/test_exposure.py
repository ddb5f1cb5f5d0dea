"""Law 2 on single writes: no more requests go where a rollout leads to than its step allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.changes import Change
from reconciler.core.exposure import Bound
from reconciler.core.laws import check
from reconciler.core.plans import GuardCode
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.mesh import shares
from reconciler.core.simulation import after
from reconciler.core.waves import Schedule, schedule
from reconciler.core.world import World
from reconciler.core.writes import in_order
from tests.core.meshes import (
    commit,
    creating,
    deleting,
    entry,
    guards,
    plan,
    pod,
    route,
    rule,
    there,
    unit,
    updating,
    vm,
    waves,
    world,
)

SELECTING = entry(app="billing")
ENTRY = Key.of(SELECTING)
VM1, VM2, VM3 = (vm(f"vm{number}", f"10.0.0.{number}") for number in (1, 2, 3))


def bounds(percent: int, *exposed: Document) -> dict[Key, Bound]:
    """Billing may give so many percent to these VMs."""
    keys = frozenset(map(Key.of, exposed))
    return {ENTRY: Bound(ENTRY, keys, {}, Fraction(percent, 100), "step 1 of 3 of its rollout")}


def weighing(one: Document, weight: int) -> Document:
    """The same VM with a weight."""
    return {**one, "spec": {**one["spec"], "weight": weight}}


def scheduled(live: Sequence[Document], changes: Sequence[Change], bound: dict[Key, Bound]) -> Schedule:
    """Changes placed on a world of these documents."""
    seen = there(*live)
    writes, edges = in_order(changes, seen, "istio-system")
    return schedule(World.of(seen), writes, edges.waits, edges.phases(writes), bound)


def test_a_plan_that_exposes_too_much_is_refused_with_the_write_and_the_reason() -> None:
    """A new VM of weight 1 beside one other would get half, where a quarter is allowed: not one write leaves."""
    git, live = commit(SELECTING, VM1, VM2), there(SELECTING, VM1)
    made = plan(git, live, bounds=bounds(25, VM2))
    (guard,) = guards(made, GuardCode.UNLAWFUL)
    assert guard.message == (
        "write 1 of 1 (create WorkloadEntry shop/vm2) would expose 50% of the requests to shop/billing, "
        "where step 1 of 3 of its rollout allows 25%: "
        "see what else changes its endpoints, or take the rollout back with `reconciler abort`"
    )
    assert waves(unit(made, "shop/billing")) == []
    assert guards(plan(git, live, bounds=bounds(50, VM2))) == []


def test_what_makes_room_goes_first() -> None:
    """With vm1 at 3 the newcomer's quarter is lawful: its weight is a wave of its own, whatever the names are."""
    changes = [creating(VM2), updating(VM1, weighing(VM1, 3))]
    found = scheduled([SELECTING, VM1], changes, bounds(25, VM2))
    assert [[write.key.name for write in wave] for wave in found.waves] == [["vm1"], ["vm2"]]
    assert [len(wave) for wave in scheduled([SELECTING, VM1], changes, {}).waves] == [2]


def test_a_sequence_is_judged_write_by_write() -> None:
    """The end is lawful, the way there is not: law 2 at the first write."""
    changes = [creating(VM2), updating(VM1, weighing(VM1, 3))]
    assert [(one.law, one.write) for one in check(world(SELECTING, VM1), changes, bounds(25, VM2))] == [(2, 1)]
    assert check(world(SELECTING, VM1), changes[::-1], bounds(25, VM2)) == ()


def test_what_is_over_its_bound_may_come_down_and_not_go_up() -> None:
    """vm2 has half and may have a tenth: vm1 at 3 is a step in the right direction; without vm3 it would get more."""
    live = world(SELECTING, VM1, VM2, VM3)
    assert check(live, [updating(VM1, weighing(VM1, 3))], bounds(10, VM2)) == ()
    assert [one.law for one in check(live, [deleting(VM3)], bounds(10, VM2))] == [2]


def test_a_selector_that_lets_pods_in_counts_as_one_write() -> None:
    """The VMs' weights stand before the Pods come in with the selector: three Pods get 3 of 13, and not 3 of 4."""
    only = entry(workloadSelector={"labels": {"app": "billing", "on": "vm"}})
    heavy = vm("vm1", "10.0.0.1", labels={"on": "vm"}, weight=10)
    bound = {ENTRY: Bound(ENTRY, frozenset({Key("Pod", "", "")}), {}, Fraction(1, 4), "step 1 of 3 of its rollout")}
    pods = [pod(name) for name in ("p1", "p2", "p3")]
    assert check(world(only, heavy, pods=pods), [updating(only, SELECTING)], bound) == ()
    light = weighing(heavy, 1)
    assert [one.law for one in check(world(only, light, pods=pods), [updating(only, SELECTING)], bound)] == [2]


_WEIGHTS = st.dictionaries(st.integers(1, 5), st.integers(1, 9), min_size=1)


def _vms(weights: dict[int, int]) -> dict[Key, Document]:
    found = (vm(f"vm{number}", f"10.0.0.{number}", weight=weight) for number, weight in weights.items())
    return {Key.of(one): one for one in found}


def _exposed(live: World, bound: Bound) -> Fraction:
    found = shares(live, ENTRY, {})
    return sum((found.get(key, Fraction(0)) for key in bound.exposed), Fraction(0))


def _most(live: World, bound: Bound, order: Iterable[Change]) -> Fraction:
    found = [_exposed(live, bound)]
    for change in order:
        live = after(live, change)
        found.append(_exposed(live, bound))
    return max(found[1:], default=Fraction(0))


@settings(max_examples=60, deadline=None)
@given(_WEIGHTS, _WEIGHTS, st.sets(st.integers(1, 5)), st.integers(0, 100))
def test_no_order_inside_a_wave_exposes_too_much(
    before: dict[int, int], wanted: dict[int, int], exposed: set[int], percent: int
) -> None:
    """Any weights to any others, in all orders of every wave: at most the bound, or what was exposed before the wave."""
    old, new = _vms(before), _vms(wanted)
    changes = [updating(old[key], one) if key in old else creating(one) for key, one in new.items() if old.get(key) != one]
    changes += [deleting(one) for key, one in old.items() if key not in new]
    bound = bounds(percent, *(_vms(dict.fromkeys(exposed, 1)).values()))
    found = scheduled([SELECTING, *old.values()], changes, bound)
    live = world(SELECTING, *old.values())
    for wave in found.waves:
        allowed = max(bound[ENTRY].most, _exposed(live, bound[ENTRY]))
        for order in permutations([write.change for write in wave]):
            assert _most(live, bound[ENTRY], order) <= allowed
        for write in wave:
            live = after(live, write.change)
    assert not found.stuck or percent < 100


SUBSETS = rule(subsets={"old": {"v": "1"}, "new": {"v": "2"}})
OLD, NEW = (vm(f"vm{number}", f"10.0.0.{number}", labels={"v": str(number)}) for number in (1, 2))
HOST = "billing.internal"


def routed(percent: int) -> Document:
    """A route that gives so much to the new subset."""
    return route(to=[(HOST, "old", 100 - percent), (HOST, "new", percent)])


def test_a_write_of_a_route_is_held_against_the_bound() -> None:
    """Weights say nothing where routes do: the new one weighs as much as the old one, and gets what the route says."""
    live = world(SELECTING, OLD, NEW, SUBSETS, routed(0))
    assert check(live, [updating(routed(0), routed(10))], bounds(10, NEW)) == ()
    (found,) = check(live, [updating(routed(0), routed(11))], bounds(10, NEW))
    assert (found.law, found.message) == (2, bounds(10, NEW)[ENTRY].says(Fraction(11, 100)))
    assert check(live, [updating(NEW, weighing(NEW, 900))], bounds(10, NEW)) == ()


def test_a_newcomer_in_a_subset_gets_its_part_of_that() -> None:
    """A third VM of the old subset, which gets all requests: a half of these, however many others there are."""
    live = world(SELECTING, OLD, NEW, SUBSETS, routed(0), pods=[pod(f"p{number}") for number in range(9)])
    third = vm("vm3", "10.0.0.3", labels={"v": "1"})
    assert check(live, [creating(third)], bounds(50, third)) == ()
    assert [one.law for one in check(live, [creating(third)], bounds(49, third))] == [2]


def test_the_last_write_of_a_route_uncovers_weights() -> None:
    """Without it the new one gets half."""
    live = world(SELECTING, OLD, NEW, SUBSETS, routed(10))
    assert [one.law for one in check(live, [deleting(routed(10))], bounds(10, NEW))] == [2]
    assert check(live, [deleting(routed(10))], bounds(50, NEW)) == ()


def test_weights_count_again_once_a_route_is_gone() -> None:
    """What was counted by routes is no start for counting by weights."""
    live = world(SELECTING, OLD, NEW, SUBSETS, routed(50))
    heavier = [updating(NEW, weighing(NEW, weight)) for weight in (2, 3)]
    assert check(live, [deleting(routed(50)), *heavier], bounds(75, NEW)) == ()
    assert [one.write for one in check(live, [deleting(routed(50)), *heavier], bounds(74, NEW))] == [3]
