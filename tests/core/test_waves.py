"""Waves: what may go together, what is put off, what has no place."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from hypothesis import given, settings

from reconciler.core.changes import Change
from reconciler.core.resources import Document, Key
from reconciler.core.waves import Schedule, schedule
from reconciler.core.world import World
from reconciler.core.writes import in_order
from tests.core import oracle
from tests.core.meshes import (
    creating,
    deleting,
    entry,
    pod,
    record,
    route,
    rule,
    there,
    updating,
    vm,
)
from tests.core.test_plan_properties import PodsAndServices, broken, meshes, surroundings

HOST = "billing.internal"
SELECTING = entry(app="billing")
VM1, VM2, VM3 = (vm(f"vm{number}", f"10.0.0.{number}") for number in (1, 2, 3))


def scheduled(live: Sequence[Document], changes: Sequence[Change], **around: object) -> Schedule:
    """Changes placed on a world of these documents, whatever unit they are of."""
    seen = there(*live, **around)  # type: ignore[arg-type]
    writes, edges = in_order(changes, seen, "istio-system")
    return schedule(World.of(seen), writes, edges.waits, edges.phases(writes))


def waves(found: Schedule) -> list[list[str]]:
    """Names of the objects, wave by wave."""
    return [sorted(write.key.name for write in wave) for wave in found.waves]


def relabelled(one: Document, app: str) -> Change:
    """The write that gives a VM another label."""
    return updating(one, {**one, "spec": {**one["spec"], "labels": {"app": app}}})


def test_independent_writes_go_together_and_ranks_one_after_the_other() -> None:
    """Records, then VMs, then the service that picks them."""
    found = scheduled([], [creating(one) for one in (SELECTING, VM1, VM2, record(VM1), record(VM2))])
    assert waves(found) == [["vm1", "vm2"], ["vm1", "vm2"], ["billing"]]


def test_a_wave_never_takes_the_last_ones_together() -> None:
    """Three VMs leave for another service: two at once, the last one when the selector has followed."""
    moves = [relabelled(one, "other") for one in (VM1, VM2, VM3)]
    found = scheduled([SELECTING, VM1, VM2, VM3], [*moves, updating(SELECTING, entry(app="other"))])
    assert waves(found) == [["vm1", "vm2"], ["billing"], ["vm3"]]


def test_whoever_comes_does_not_excuse_whoever_goes_in_the_same_wave() -> None:
    """vm2 joins as vm1 leaves: in one wave the leaving could land first, so it waits for the next."""
    other = vm("vm2", "10.0.0.2", app="other")
    found = scheduled([SELECTING, VM1, other], [relabelled(VM1, "other"), relabelled(other, "billing")])
    assert waves(found) == [["vm2"], ["vm1"]]


def test_what_has_no_lawful_place_is_stuck_with_the_reason() -> None:
    """The only VM of each of two services cannot change places with the other one."""
    mesh = [SELECTING, VM1, entry("ledger", app="ledger"), vm("vm9", "10.0.0.9", app="ledger")]
    found = scheduled(mesh, [relabelled(VM1, "ledger"), relabelled(mesh[3], "billing")])
    assert {one.write.key.name for one in found.stuck} == {"vm1", "vm9"}
    alone = scheduled([SELECTING, VM1], [relabelled(VM1, "ledger")])
    assert [(one.write.key.name, one.law) for one in alone.stuck] == [("vm1", 1)]
    assert "would leave billing.internal port 80 without a healthy endpoint" in alone.stuck[0].message


def test_nothing_goes_before_all_that_is_new_is_there() -> None:
    """A VM under a new name: made first, then the old one goes (D-08)."""
    found = scheduled([SELECTING, VM1], [deleting(VM1), creating(VM2)])
    assert waves(found) == [["vm2"], ["vm1"]]


def test_two_service_entries_of_one_host_do_not_share_a_wave() -> None:
    """Each could be the one that leaves the other empty."""
    one, two = (entry(name, endpoints=[address], hosts=[HOST]) for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.2")))
    changes = [updating(each, entry(each["metadata"]["name"], app="x", hosts=[HOST])) for each in (one, two)]
    found = scheduled([one, two], changes, pods=[pod("p1", app="x")])
    assert [len(wave) for wave in found.waves] == [1, 1]


def test_a_route_moves_between_a_widened_and_a_narrowed_rule() -> None:
    """Three writes, one after the other."""
    mesh = [SELECTING, vm("vm1", "10.0.0.1", labels={"v": "1"}), vm("vm2", "10.0.0.2", labels={"v": "2"})]
    old, new = rule("r", subsets={"v1": {"v": "1"}}), rule("r", subsets={"v2": {"v": "2"}})
    before, after = route("v", to=[(HOST, "v1", 100)]), route("v", to=[(HOST, "v2", 100)])
    found = scheduled([*mesh, old, before], [updating(before, after), updating(old, new)])
    assert waves(found) == [["r"], ["v"], ["r"]]


@settings(max_examples=40, deadline=None)
@given(before=meshes(), after=meshes(), around=surroundings())
def test_every_order_inside_a_wave_is_lawful(before: list[Document], after: list[Document], around: PodsAndServices) -> None:
    """All permutations of small waves, by the slow oracle: the argument at the head of the module."""
    old, new = ({Key.of(one): one for one in each} for each in (before, after))
    changes = [updating(old[key], one) if key in old else creating(one) for key, one in new.items() if old.get(key) != one]
    changes += [deleting(one) for key, one in old.items() if key not in new]
    pods, services = around
    found = scheduled(before, changes, pods=pods, services=services)
    documents: dict[Key, Document] = old
    for wave in found.waves:
        for order in permutations([write.change for write in wave][:4]):
            assert not broken(documents, order, oracle.Surroundings(pods, services))
        for write in wave:
            documents = oracle.step(documents, write.change)


def test_what_leads_requests_further_on_goes_after_what_holds_them_back() -> None:
    """All weights fall; were the others' to fall first, the VM whose share is bounded would get more than before and after."""
    heavy = [vm(f"vm{number}", f"10.0.0.{number}", weight=weight) for number, weight in ((1, 5), (2, 5), (3, 2))]
    changes = [updating(old, new) for old, new in zip(heavy, (VM1, VM2, VM3), strict=True)]
    seen = there(SELECTING, *heavy)
    gains = {Key.of(one): one is VM3 for one in (VM1, VM2, VM3)}
    writes, edges = in_order(changes, seen, "istio-system", gains)
    found = schedule(World.of(seen), writes, edges.waits, edges.phases(writes))
    assert waves(found) == [["vm3"], ["vm1", "vm2"]]
    assert waves(scheduled([SELECTING, *heavy], changes)) == [["vm1", "vm2", "vm3"]]
