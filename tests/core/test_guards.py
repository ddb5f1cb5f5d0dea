"""Which guards a plan gets, and where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.changes import ObjectDiff
from reconciler.core.guards import history_guards
from reconciler.core.plan import make_plan
from reconciler.core.plans import WHOLE, GuardCode, PlanSettings, Wholesale
from reconciler.core.resources import Document, Key, Relation, Revision
from reconciler.errors import Problem, Severity
from tests.building import TARGET, document
from tests.core.meshes import (
    NOW,
    SETTINGS,
    approved,
    asked,
    commit,
    differences,
    entry,
    guards,
    plan,
    pod,
    route,
    rule,
    there,
    unit,
    vm,
    waves,
)

VMS = [vm(f"vm{number}", f"10.0.0.{number}", locality=f"eu/eu-{number}") for number in (1, 2, 3)]
SELECTING = entry(app="billing")
MORE_PORTS = [{"number": number, "name": f"p{number}", "protocol": "HTTP"} for number in (80, 81)]
WIDER = entry(app="billing", ports=MORE_PORTS)


def policy(name: str = "billing", service: str = "billing", **spec: Any) -> Document:
    """A RolloutPolicy."""
    metadata = {"name": name, "namespace": "shop"}
    found = {"serviceEntry": service, **spec}
    return {"apiVersion": "mesh-reconciler.io/v1alpha1", "kind": "RolloutPolicy", "metadata": metadata, "spec": found}


@pytest.mark.parametrize(
    ("relation", "moving", "paused"),
    [
        (Relation.DIVERGED, True, True),
        (Relation.UNKNOWN, True, True),
        (Relation.DESCENDANT, True, False),
        (Relation.SAME, True, False),
        (Relation.DIVERGED, False, False),
        (Relation.UNKNOWN, False, False),
    ],
)
def test_a_branch_that_was_moved_pauses_everything(relation: Relation, moving: Any, paused: Any) -> None:
    """Until the commit is accepted by name; tags may move."""
    revision = Revision("c0ffee" + "0" * 34, moving=moving)
    found = list(history_guards(revision, relation))
    assert [one.override for one in found] == (["history:c0ffee0000"] if paused else [])


def test_a_paused_plan_writes_nothing_and_goes_on_by_name() -> None:
    """The guard stands in a unit of its own before the others."""
    git, seen = commit(SELECTING, *VMS), there()
    made = plan(git, seen, relation=Relation.DIVERGED)
    assert made.paused
    assert made.units[0].name == WHOLE
    assert all(not one.steps for one in made.units)
    assert len(made.units[1].held) == 4
    going = approved(git, seen, relation=Relation.DIVERGED)
    assert not going.paused
    assert waves(unit(going, "shop/billing"))[-1] == ["create ServiceEntry/billing"]
    assert going.digest == made.digest


def test_a_paused_plan_says_so_even_where_nothing_differs() -> None:
    """The moved branch is not accepted by silence."""
    assert plan(commit(SELECTING), there(SELECTING), relation=Relation.UNKNOWN).paused


def test_what_reaches_all_clients_waits_for_its_name_and_the_rest_goes() -> None:
    """The VM joins, the ports wait."""
    made = plan(commit(WIDER, *VMS), there(SELECTING, *VMS[:2]))
    billing = unit(made, "shop/billing")
    assert [one.override for one in billing.guards] == ["wholesale:shop/billing"]
    assert waves(billing) == [["create WorkloadEntry/vm3"]]
    assert [one.key.kind for one in billing.held] == ["ServiceEntry"]
    assert guards(approved(commit(WIDER, *VMS), there(SELECTING, *VMS[:2]))) == []


@pytest.mark.parametrize(
    ("operator", "git", "override"),
    [
        ("allow", None, None),
        ("allow", "approve", "wholesale:shop/billing"),
        ("approve", "allow", "wholesale:shop/billing"),
        ("approve", "refuse", ""),
        ("refuse", "allow", ""),
    ],
)
def test_the_stricter_word_of_operator_and_policy_counts(operator: str, git: str | None, override: str | None) -> None:
    """A commit cannot allow itself what the operator did not."""
    policies = [policy(**({"wholesale": git} if git else {}))]
    settings = replace(SETTINGS, wholesale=Wholesale(operator))
    made = plan(commit(WIDER, VMS[0], policies=policies), there(SELECTING, VMS[0]), settings=settings)
    assert [one.override for one in guards(made)] == ([] if override is None else [override])


def test_static_to_dns_has_no_override() -> None:
    """One guard with the way out, and no second one that says it is unlawful."""
    static, dns = entry(endpoints=["10.0.0.1"]), entry(endpoints=["10.0.0.1"], resolution="DNS")
    assert [(one.code, one.override) for one in guards(plan(commit(dns), there(static)))] == [(GuardCode.RESOLUTION, "")]


def test_two_rollout_policies_for_what_rolls_out_together_are_refused() -> None:
    """Both are named; the unit waits, its neighbours do not."""
    twin = entry("twin", endpoints=["10.0.0.9"], hosts=["billing.internal"])
    other = entry("other", endpoints=["10.0.0.8"])
    git = commit(SELECTING, VMS[0], twin, other, policies=[policy(), policy("mine", "twin")])
    made = plan(git, there())
    (guard,) = guards(made)
    assert (guard.code, guard.override) == (GuardCode.TWO_POLICIES, "")
    assert "RolloutPolicy shop/billing and RolloutPolicy shop/mine" in guard.message
    assert unit(made, "shop/billing").steps == ()
    assert unit(made, "shop/other").steps


def test_a_write_that_the_server_refuses_is_held_with_what_needs_it() -> None:
    """The comparison found out by a dry-run; a unit must not begin with it."""
    git, seen = commit(entry(endpoints=["10.0.0.9"]), document("Telemetry", "t", spec={})), there(SELECTING, *VMS)
    found = [
        replace(one, problems=(Problem("MR4011", "is refused by the server: no", Severity.ERROR),))
        if one.key.kind == "ServiceEntry"
        else one
        for one in differences(git, seen)
    ]
    made = make_plan(git, seen, found, now=NOW, settings=SETTINGS, overrides=["endpoints:shop/billing.internal"])
    refused = guards(made, GuardCode.REFUSED_BY_SERVER)
    assert [(one.message, one.keys) for one in refused] == [
        ("ServiceEntry shop/billing is refused by the server: no", (Key.of(SELECTING),))
    ]
    assert unit(made, "shop/billing").steps == ()
    assert waves(unit(made, "base shop")) == [["create Telemetry/t"]]


def test_a_split_that_moves_and_cannot_be_predicted_is_held() -> None:
    """A third VM joins while localities decide. Standing still, or a new service, is nobody's trouble."""
    ejecting = rule(trafficPolicy={"outlierDetection": {"consecutive5xxErrors": 5}})
    made = plan(commit(SELECTING, ejecting, *VMS), there(SELECTING, ejecting, *VMS[:2]))
    (guard,) = guards(made)
    assert (guard.code, guard.override) == (GuardCode.CAVEAT, "locality-failover:shop/billing.internal")
    assert "set localityLbSetting.enabled: false in the DestinationRule" in guard.message
    assert unit(made, "shop/billing").steps == ()
    labelled = {**VMS[0], "metadata": {**VMS[0]["metadata"], "labels": {"a": "b"}}}
    assert guards(plan(commit(SELECTING, ejecting, labelled, VMS[1]), there(SELECTING, ejecting, *VMS[:2]))) == []
    assert guards(plan(commit(SELECTING, ejecting, *VMS), there())) == []


def test_health_and_pods_do_not_change_what_is_to_be_approved() -> None:
    """The digest stays when a Pod comes that voids the prediction, though one guard more stands."""
    ejecting = rule(trafficPolicy={"outlierDetection": {"consecutive5xxErrors": 5}})
    one, heavier = vm("vm1", "10.0.0.1"), vm("vm1", "10.0.0.1", weight=9)
    git, mesh = commit(SELECTING, ejecting, heavier), [SELECTING, ejecting, one]
    quiet, busy = plan(git, there(*mesh)), plan(git, there(*mesh, pods=[pod("p1")]))
    assert asked(quiet) == frozenset()
    assert asked(busy) == {"locality-failover:shop/billing.internal"}
    assert quiet.digest == busy.digest


def test_the_default_settings_are_the_documented_ones() -> None:
    """Approval, half an hour, three services, a third of the endpoints."""
    found = PlanSettings()
    assert (found.wholesale, found.prune_after.total_seconds(), found.max_deleted_services) == (Wholesale.APPROVE, 1800, 3)
    assert str(found.max_lost_endpoints) == "1/3"
    assert SETTINGS.target == TARGET


def test_an_object_without_changes_gets_no_guard() -> None:
    """Its problems are the comparison's to tell."""
    left = ObjectDiff(Key.of(SELECTING), differences(commit(SELECTING), there())[0].state, problems=(Problem("MR4011", "x"),))
    assert make_plan(commit(SELECTING), there(), [left], now=NOW, settings=SETTINGS).units == ()


def test_what_routes_divide_cannot_be_unsettled_by_localities() -> None:
    """Pods come into a subset of their own, of which a route says what it gets; a VM in the VMs' subset is another matter."""
    subsets = {name: {"platform": name} for name in ("vm", "pod")}
    ejecting = rule(subsets=subsets, trafficPolicy={"outlierDetection": {"consecutive5xxErrors": 5}})
    machines = [vm(f"vm{n}", f"10.0.0.{n}", labels={"platform": "vm"}, locality=f"eu/{n}") for n in (1, 2, 3)]
    mesh = [ejecting, route(to=[("billing.internal", "vm", 100), ("billing.internal", "pod", 0)])]
    apart = entry(workloadSelector={"labels": {"app": "billing", "platform": "vm"}})
    pods = [pod(f"p{number}", labels={"platform": "pod"}) for number in (1, 2)]
    joined = plan(commit(SELECTING, *mesh, *machines[:2]), there(apart, *mesh, *machines[:2], pods=pods))
    assert guards(joined, GuardCode.CAVEAT) == []
    assert [one.key.kind for one in unit(joined, "shop/billing").steps[0].changes] == ["ServiceEntry"]
    (guard,) = guards(plan(commit(SELECTING, *mesh, *machines), there(SELECTING, *mesh, *machines[:2], pods=pods)))
    assert guard.override == "locality-failover:shop/billing.internal"
