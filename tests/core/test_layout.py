"""Jobs on the simulated world: what goes, what is held, what is unlawful."""

from __future__ import annotations

from reconciler.core.changes import Change
from reconciler.core.jobs import bundles, jobs_of
from reconciler.core.layout import Laid, circle_guards, lay_out, lay_out_all
from reconciler.core.plans import GuardCode
from reconciler.core.resources import DesiredState, Key, ObservedState
from reconciler.core.units import cut
from reconciler.core.world import World
from reconciler.core.writes import in_order
from tests.core.meshes import commit, differences, entry, route, rule, there, vm

HOST = "billing.internal"
SELECTING = entry(app="billing")
VMS = [vm(f"vm{number}", f"10.0.0.{number}") for number in (1, 2, 3)]


def laid(git: DesiredState, seen: ObservedState, *held: str) -> dict[str, Laid]:
    """The jobs of a plan laid out, with the writes of these objects held."""
    found = differences(git, seen)
    changes: list[Change] = [change for one in found for change in one.changes]
    writes, edges = in_order(changes, seen, "istio-system")
    units = cut(git, seen, found)
    phase = edges.phases(writes)
    numbers = edges.held_with(write.number for write in writes if write.key.name in held)
    groups = bundles(jobs_of(units, writes, edges, phase), units)
    return {one.job.name: one for each in groups for one in lay_out(each, World.of(seen), numbers, edges, phase)}


def names(found: Laid) -> list[list[str]]:
    """The waves."""
    return [sorted(write.key.name for write in wave) for wave in found.waves]


def test_what_is_held_stays_out_with_all_that_needs_it() -> None:
    """A VM that is held keeps the service that would newly pick it; the other VM goes."""
    git = commit(SELECTING, *VMS[:2])
    found = laid(git, there(entry(endpoints=["10.0.0.9"])), "vm1")["shop/billing"]
    assert names(found) == [["vm2"]]
    assert sorted(write.key.name for write in found.held) == ["billing", "vm1"]
    assert found.guards == ()


def test_the_whole_unit_is_held_where_the_rest_alone_is_unlawful() -> None:
    """The last VM may only leave once another has come, and that one is held: nothing moves, for the reason it is held for."""
    mesh = [SELECTING, VMS[0], vm("vm2", "10.0.0.2", app="other")]
    git = commit(SELECTING, vm("vm1", "10.0.0.1", app="other"), VMS[1])
    found = laid(git, there(*mesh), "vm2")["shop/billing"]
    assert names(found) == []
    assert len(found.held) == 2
    assert found.guards == ()
    assert names(laid(git, there(*mesh))["shop/billing"]) == [["vm2"], ["vm1"]]


def test_an_unlawful_unit_is_held_whole_and_says_which_write_and_why() -> None:
    """Counted as it would be carried out."""
    git = commit(SELECTING, vm("vm1", "10.0.0.1", app="other"), vm("vm2", "10.0.0.2", app="other"))
    found = laid(git, there(SELECTING, *VMS[:2]))["shop/billing"]
    (guard,) = found.guards
    assert (guard.code, guard.override, guard.keys) == (GuardCode.UNLAWFUL, "", ())
    assert guard.message == (
        "write 2 of 2 (update WorkloadEntry shop/vm2) would leave billing.internal port 80 without a healthy endpoint: "
        "WorkloadEntry shop/vm2 would be the last to go: let other endpoints become healthy first, or do it in two commits"
    )
    assert names(found) == []
    assert len(found.held) == 2
    assert found.after is found.before


def test_jobs_see_what_the_ones_before_them_leave() -> None:
    """A shared route is laid out on a world in which its subset is defined."""
    old, new = rule(subsets={"v1": {}}), rule(subsets={"v2": {}})
    shared = [route("r", to=[(HOST, one, 50), ("ledger.internal", "", 50)]) for one in ("v1", "v2")]
    mesh = [SELECTING, *VMS, entry("ledger", endpoints=["10.0.1.1"])]
    found = laid(commit(*mesh, new, shared[1]), there(*mesh, old, shared[0]))
    assert {name: names(one) for name, one in found.items()} == {
        "shop/billing": [["billing"]],
        "VirtualService shop/r": [["r"]],
        "shop/billing removals": [["billing"]],
    }
    held = laid(commit(*mesh, new, shared[1]), there(*mesh, old, shared[0]), "billing")
    assert all(names(one) == [] for one in held.values())


def test_the_world_after_all_writes_is_told_even_where_they_are_unlawful() -> None:
    """Guards compare it with the world before."""
    git = commit(SELECTING, vm("vm1", "10.0.0.1", app="other"))
    seen = there(SELECTING, VMS[0])
    found = differences(git, seen)
    writes, edges = in_order([change for one in found for change in one.changes], seen, "istio-system")
    units = cut(git, seen, found)
    phase = edges.phases(writes)
    (bundle,) = bundles(jobs_of(units, writes, edges, phase), units)
    ((change, jobs),) = lay_out_all([(bundle, World.of(seen))], edges, phase)
    assert jobs[0].held
    counts = [len(list(one.endpoints("shop", HOST, 80))) for one in (change.before, change.after)]
    assert counts == [1, 0]


def test_writes_that_go_in_circles_are_refused_by_name() -> None:
    """The service gives up a host that the route leaves for the one that the service takes on: one commit cannot order that."""
    before, after = entry(app="billing", hosts=["old.internal"]), entry(app="billing", hosts=["new.internal"])
    routes = [route("r", to=[(host, "", 100)]) for host in ("old.internal", "new.internal")]
    git, seen = commit(after, VMS[0], routes[1]), there(before, VMS[0], routes[0])
    found = differences(git, seen)
    writes, edges = in_order([change for one in found for change in one.changes], seen, "istio-system")
    made = jobs_of(cut(git, seen, found), writes, edges, edges.phases(writes))
    ((name, guard),) = circle_guards(made, writes, edges)
    assert (name, guard.code) == ("shop/billing", GuardCode.UNLAWFUL)
    assert set(guard.keys) == {Key.of(after), Key.of(routes[1])}
    assert "do this in two commits" in guard.message
