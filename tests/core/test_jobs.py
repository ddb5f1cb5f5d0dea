"""Units as they are carried out."""

from __future__ import annotations

from reconciler.core.changes import Change
from reconciler.core.edges import Edge, Edges
from reconciler.core.jobs import Bundle, Job, bundles, jobs_of
from reconciler.core.resources import DesiredState, Document, ObservedState
from reconciler.core.units import Unit, cut
from reconciler.core.writes import in_order, writes_of
from tests.building import document, observed
from tests.core.meshes import commit, creating, differences, entry, namespace, route, rule, there, vm

HOST, LEDGER = "billing.internal", "ledger.internal"
SELECTING = entry(app="billing")
BILLING, LEDGERS = entry(endpoints=["10.0.0.1"]), entry("ledger", endpoints=["10.0.1.1"])


def jobs(git: DesiredState, seen: ObservedState) -> tuple[list[Job], list[Bundle]]:
    """The jobs of a plan and the bundles that they come in."""
    found = differences(git, seen)
    changes: list[Change] = [change for one in found for change in one.changes]
    writes, edges = in_order(changes, seen, "istio-system")
    units = cut(git, seen, found)
    made = jobs_of(units, writes, edges, edges.phases(writes))
    return made, bundles(made, units)


def waits(found: list[Job]) -> dict[str, tuple[str, ...]]:
    """What each job waits for, in order."""
    return {one.name: one.waits_for for one in found}


def test_units_that_need_nothing_of_each_other_wait_for_nobody() -> None:
    """Two services are two jobs in two bundles."""
    made, grouped = jobs(commit(BILLING, LEDGERS), there())
    assert waits(made) == {"shop/billing": (), "shop/ledger": ()}
    assert len(grouped) == 2


def test_the_base_comes_first_for_those_who_need_it() -> None:
    """And only for those."""
    git = commit(namespace(), BILLING, entry("other", endpoints=["10.0.0.1"], namespace="pay"))
    made, grouped = jobs(git, there())
    assert waits(made) == {"base shop": (), "pay/other": (), "shop/billing": ("base shop",)}
    assert len(grouped) == 3


def test_what_the_base_takes_away_goes_last() -> None:
    """The base is two jobs where it adds and removes."""
    account, policy = document("ServiceAccount", "a"), document("PeerAuthentication", "p", spec={})
    using = [vm("vm1", "10.0.0.1", serviceAccount="a"), vm("vm2", "10.0.0.2", app="x", serviceAccount="a")]
    made, _ = jobs(commit(policy), there(account, *using))
    assert waits(made) == {
        "base shop": (),
        "WorkloadEntry shop/vm1": (),
        "WorkloadEntry shop/vm2": (),
        "base shop removals": ("WorkloadEntry shop/vm1", "WorkloadEntry shop/vm2", "base shop"),
    }


def test_a_shared_route_goes_between_what_its_units_add_and_take_away() -> None:
    """From subset v1 to v2 of billing: widen, route, narrow; ledger is in the same bundle and not cut."""
    old, new = rule(subsets={"v1": {}}), rule(subsets={"v2": {}})
    shared = [route("r", to=[(HOST, subset, 50), (LEDGER, "", 50)]) for subset in ("v1", "v2")]
    more = entry("ledger", endpoints=["10.0.1.1", "10.0.1.2"])
    made, grouped = jobs(commit(BILLING, more, new, shared[1]), there(BILLING, LEDGERS, old, shared[0]))
    assert waits(made) == {
        "shop/billing": (),
        "shop/ledger": (),
        "VirtualService shop/r": ("shop/billing", "shop/ledger"),
        "shop/billing removals": ("VirtualService shop/r", "shop/billing"),
    }
    (bundle,) = grouped
    assert [unit.name for unit in bundle.units] == ["VirtualService shop/r", "shop/billing", "shop/ledger"]
    assert bundle.jobs == tuple(made)


def test_a_shared_route_that_goes_comes_before_the_services_that_go() -> None:
    """Mirrored, also for the unit that has nothing to do with it."""
    shared = route("r", to=[(HOST, "", 50), (LEDGER, "", 50)])
    made, _ = jobs(commit(namespace()), there(BILLING, LEDGERS, shared))
    found = waits(made)
    assert found["VirtualService shop/r"] == ()
    assert found["shop/billing removals"] == found["shop/ledger removals"] == ("VirtualService shop/r",)


def test_the_second_half_of_a_unit_waits_for_the_first() -> None:
    """Also where only a shared route between them says so."""
    git = commit(SELECTING, vm("new", "10.0.0.9"), LEDGERS, route("r", to=[(HOST, "", 60), (LEDGER, "", 40)]))
    seen = there(SELECTING, vm("old", "10.0.0.8"), LEDGERS, route("r", to=[(HOST, "", 50), (LEDGER, "", 50)]))
    assert waits(jobs(git, seen)[0]) == {
        "shop/billing": (),
        "VirtualService shop/r": ("shop/billing",),
        "shop/billing removals": ("VirtualService shop/r", "shop/billing"),
    }


def test_a_shared_route_that_does_not_change_ties_nobody() -> None:
    """Its units roll out independently."""
    shared = route("r", to=[(HOST, "", 50), (LEDGER, "", 50)])
    later = [entry(endpoints=["10.0.0.1", "10.0.0.2"]), entry("ledger", endpoints=["10.0.1.1", "10.0.1.2"])]
    made, grouped = jobs(commit(*later, shared), there(BILLING, LEDGERS, shared))
    assert waits(made) == {"shop/billing": (), "shop/ledger": ()}
    assert len(grouped) == 2


def test_jobs_that_wait_for_each_other_become_one() -> None:
    """Whatever else waits for either waits for it then."""
    documents: list[Document] = [vm(f"vm{number}", "10.0.0.1") for number in range(4)]
    writes = writes_of([creating(one) for one in documents], observed())
    units = [Unit(name, (write.key,)) for name, write in zip("abcd", writes, strict=True)]
    edges = Edges([Edge(0, 1, ""), Edge(1, 2, ""), Edge(2, 0, ""), Edge(2, 3, "")])
    made = jobs_of(units, writes, edges, [0, 0, 0, 0])
    assert waits(made) == {"a": (), "d": ("a",)}
    assert made[0].writes == tuple(writes[:3])
    assert made[0].unit.keys == tuple(write.key for write in writes[:3])
