"""Who is lost gets no requests by routes, and who is left no more than he bears."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from reconciler.core.resources import Document, Key, ObservedState, Pod
from reconciler.core.rollouts.balance import Anchor
from reconciler.core.rollouts.mesh import PODS, Mesh, shares
from reconciler.core.rollouts.platforms import Platforms
from reconciler.core.rollouts.relief import relieved, spared
from reconciler.core.rollouts.subsets import routed
from tests.building import observed, service_entry, written
from tests.core.meshes import record
from tests.core.rollouts.test_ways import ALL, ENTRY, documents, mesh, vm

UNIT = documents(service_entry(workloadSelector=ALL), vm(1), vm(2), record(vm(1)), record(vm(2)))
BY = Platforms("platform", "vm", "pod")


def unit(share: Fraction) -> dict[Key, Document | None]:
    """The service with this share for its two VMs."""
    return routed(UNIT, {ENTRY: share}, BY)


def anchor(pods: int, vms: int = 1) -> Anchor:
    """Who was there when the step began."""
    return Anchor({str(ENTRY): pods, **{str(key): vms for key in UNIT if key.kind == "WorkloadEntry"}})


def ill(*numbers: int, pods: int) -> Mesh:
    """A mesh with so many Pods, in which these VMs are unhealthy."""
    machines = [record(vm(number), health="unhealthy", address=f"10.0.0.{number}") for number in numbers]
    found = observed(*map(written, machines))
    live = {key: replace(one, document=machine) for (key, one), machine in zip(found.machines.items(), machines, strict=True)}
    labels = {"app": "billing", "platform": "pod"}
    running = tuple(Pod("shop", f"p{i}", f"10.1.0.{i}", labels, ready=True) for i in range(pods))
    return Mesh(ObservedState({}, live, pods=running))


@pytest.mark.parametrize(
    ("pods", "at_start", "expected"),
    [(10, 10, 70), (12, 10, 70), (7, 10, 70), (5, 10, Fraction(105, 2)), (2, 10, 21), (0, 10, 0), (0, 0, 0), (3, 0, 70)],
)
def test_pods_that_are_left_get_what_each_bears(pods: int, at_start: int, expected: Fraction) -> None:
    """Of 70 %: 1.5 times what each got when the step began, and nothing where none is left. More Pods change nothing."""
    on = mesh(pods)
    found = relieved(unit(Fraction(3, 10)), on, anchor(at_start))
    assert shares(on.world(found), ENTRY, {}).get(PODS, Fraction(0)) == Fraction(expected) / 100
    assert bool(spared(unit(Fraction(3, 10)), on, anchor(at_start))) is (expected != 70)


def test_vms_that_are_ill_give_way_to_pods() -> None:
    """Both are: the Pods get all. One is, of 90 %: the other one bears 1.5 times of its 45 %."""
    for numbers, expected in (((1, 2), Fraction(1)), ((1,), Fraction(325, 1000))):
        on = ill(*numbers, pods=4)
        found = relieved(unit(Fraction(9, 10)), on, anchor(4))
        assert 1 - sum(share for key, share in shares(on.world(found), ENTRY, {}).items() if key != PODS) == expected


def test_with_both_sides_in_trouble_the_share_stays() -> None:
    """Neither could take over from the other; of nobody at all nothing is said either."""
    for on in (ill(1, pods=1), ill(1, 2, pods=0)):
        start = unit(Fraction(1, 2))
        assert relieved(start, on, anchor(10)) == start


def test_what_is_said_names_the_service_and_the_reason() -> None:
    """In percent of its requests."""
    assert spared(unit(Fraction(3, 10)), mesh(2), anchor(10)) == (
        "routes give the VMs of shop/billing 79% instead of 30%: 8 of 10 Pods do not serve",
    )
    assert spared(UNIT, mesh(2), anchor(10)) == ()
    assert relieved(UNIT, mesh(0), anchor(10)) == UNIT
