"""By which workloads gates tell canary from stable, and what is said where they cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from reconciler.core.gates.reading import by_workload
from reconciler.core.istio import WORKLOAD_NAME
from reconciler.core.resources import Controller, Document, ObservedState, Pod
from reconciler.core.rollouts.arms import arm_figures
from reconciler.core.rollouts.figures import figures
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.policy import PolicyStep, RolloutPolicy
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.scenes import scene_of
from reconciler.core.rollouts.seen import Pace, Seen
from reconciler.core.rollouts.values import ArmFigures, Documents
from reconciler.core.rollouts.ways import way_to
from tests.building import service_entry, workload_entry
from tests.core.rollouts.test_ways import ALL, documents, vm

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COMPARE = {"name": "compare", "compare": {"metric": "errors"}}
STEPS = tuple(PolicyStep(Fraction(exposure, 100), gates=("compare",)) for exposure in (50, 100))
BILLING = {"app": "billing"}


def policy(gate: Document = COMPARE, **parts: Any) -> RolloutPolicy:
    """Half, then all, each with one gate."""
    return RolloutPolicy(**{"steps": STEPS, "gates": {gate["name"]: gate}, **parts})


def mesh(deployment: str = "", *, pods: int = 2) -> Mesh:
    """A mesh with a Deployment of billing, and its Pods."""
    labels, run = {**BILLING, "pod-template-hash": "5d4f"}, f"ReplicaSet/{deployment}-5d4f"
    running = tuple(
        Pod("shop", f"p{i}", f"10.1.0.{i}", labels, ready=True, owner=run) for i in range(pods if deployment else 0)
    )
    controllers = (Controller("Deployment", "shop", deployment, pods, BILLING),) if deployment else ()
    return Mesh(ObservedState({}, pods=running, controllers=controllers))


def rollout(
    before: Documents,
    after: Documents,
    on: Mesh,
    by: RolloutPolicy | None = None,
    splits: tuple[Fraction | None, Fraction | None] = (None, None),
) -> Rollout:
    """A rollout that has not begun."""
    by = by or policy()
    way = way_to(before, after, by, on, splits)
    assert way is not None
    return Rollout("r", "shop/billing", "c", "d", "e", 1, by, before, way, NOON)


def arms(*given: Any, **parts: Any) -> tuple[ArmFigures, ...]:
    """Its arms; the third of what is given is the mesh."""
    return arm_figures(rollout(*given, **parts), given[2])


UNIT = service_entry(workloadSelector=ALL)
REPLACED = documents(UNIT, vm(1), vm(2)), documents(UNIT, vm(3))


def named(name: str, number: int = 1, *, workload: str = "") -> Document:
    """A VM of billing with a name of its own; a label may name another workload."""
    found = workload_entry(name, address=f"10.0.0.{number}", labels=BILLING)
    return {**found, "metadata": {**found["metadata"], "labels": {WORKLOAD_NAME: workload} if workload else {}}}


def halves(machine: Document, on: Mesh) -> tuple[ArmFigures, ...]:
    """The arms of a service that gives a VM's share to Pods."""
    unit = documents(UNIT, machine)
    return arms(unit, unit, on, splits=(Fraction(8, 10), Fraction(2, 10)))


def test_arms_without_a_common_workload_are_told_apart_by_their_names() -> None:
    """VMs by the names of their WorkloadEntries, Pods by that of their Deployment."""
    assert arms(*REPLACED, mesh()) == (ArmFigures("shop/billing", ("vm3",), ("vm1", "vm2")),)
    assert halves(named("old"), mesh("billing")) == (ArmFigures("shop/billing", ("billing",), ("old",)),)


def test_one_name_on_both_sides_is_what_has_to_change() -> None:
    """A VM that is called like the Deployment; with a label that names its workload it is told apart."""
    (found,) = halves(named("billing"), mesh("billing"))
    assert found.why.startswith("both sides are the workload billing to the metrics: give the WorkloadEntry the label")
    assert WORKLOAD_NAME in found.why
    (cured,) = halves(named("billing", workload="billing-vm"), mesh("billing"))
    assert (cured.why, cured.stable) == ("", ("billing-vm",))


def test_what_is_said_before_is_what_the_gates_are_told_at_the_step() -> None:
    """The scene of each step has arms where they were said to be told apart, by the same names."""
    for name in ("billing", "old"):
        unit, on = documents(UNIT, named(name)), mesh("billing")
        one = rollout(unit, unit, on, splits=(Fraction(8, 10), Fraction(2, 10)))
        (said,), scene = arm_figures(one, on), scene_of(one, on, NOON)
        assert bool(scene.canary and scene.stable) == (not said.why) == (name == "old")
        if scene.canary and scene.stable:
            assert (scene.canary.workloads, scene.stable.workloads) == (said.canary, said.stable)


def test_machines_with_one_workload_name_need_a_label_of_their_own() -> None:
    """No Deployment is to blame then."""
    old, new = named("a", 1, workload="billing"), named("b", 2, workload="billing")
    (found,) = arms(documents(UNIT, old), documents(UNIT, new), mesh())
    assert "give the WorkloadEntries of one side the label" in found.why


def test_inline_endpoints_have_no_name_of_their_own() -> None:
    """Metrics have the ServiceEntry's, and in newer versions of Istio a number that changes with the list."""
    old, new = (documents(service_entry(endpoints=[{"address": one, "labels": BILLING}])) for one in ("10.0.0.1", "10.0.0.2"))
    found = arms(old, new, mesh())
    assert [one.why for one in found] == [
        "metrics name inline endpoints after their ServiceEntry, at best by their place in it: write them as WorkloadEntries"
    ]


@pytest.mark.parametrize(("deployment", "why"), [("billing", ""), ("", "nobody knows the workload of its Pods")])
def test_pods_that_are_to_come_have_the_name_of_their_deployment(deployment: str, why: str) -> None:
    """Where none runs yet; without any Deployment nobody knows."""
    unit = documents(UNIT, named("old"))
    by = policy(expect_pods=2)
    one = rollout(unit, unit, mesh(deployment, pods=0), by, (Fraction(1), Fraction(1, 2)))
    assert [found.why[: len(why)] for found in arm_figures(one, mesh(deployment, pods=0))] == [why]


@pytest.mark.parametrize(
    ("gate", "asks"),
    [
        ({"compare": {"metric": "errors"}}, True),
        ({"compare": {"metric": "errors", "canary": {"v": "2"}}}, True),
        ({"compare": {"metric": "errors", "canary": {"v": "2"}, "stable": {"v": "1"}}}, False),
        ({"prometheus": {"template": "istio-latency", "max": 5}}, True),
        ({"prometheus": {"template": "istio-latency", "max": 5, "of": "all"}}, False),
        ({"prometheus": {"query": "up", "min": 1}}, False),
        ({"approval": {}}, False),
    ],
)
def test_only_gates_that_find_arms_by_workload_ask(gate: Document, *, asks: bool) -> None:
    """Others make no line; nor does a gate that no step asks for and no watch arms."""
    assert by_workload(gate) is asks
    named_so = {"name": "compare", **gate}
    assert bool(arms(*REPLACED, mesh(), policy(named_so))) is asks
    unasked = tuple(PolicyStep(one.exposure) for one in STEPS)
    assert arms(*REPLACED, mesh(), policy(named_so, steps=unasked)) == ()


def test_they_are_kept_with_the_figures_of_a_look() -> None:
    """So that a plan, a report and the state store have them."""
    one, on = rollout(*REPLACED, mesh()), mesh()
    assert figures(one, Seen(), on, NOON, Pace(), ahead=True).arms == arm_figures(one, on)
