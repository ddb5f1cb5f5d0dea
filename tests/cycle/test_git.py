"""What becomes of the target while Git is down, empty, rewritten, refused or wrong."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.owned import Conflicts
from reconciler.core.report import Verdict
from reconciler.core.resources import Key, Revision
from reconciler.cycle.run import Cycle
from reconciler.desired.quarantine import ATTEMPTS
from reconciler.errors import InvalidInput, Unavailable
from tests.building import document, workload_entry
from tests.worlds import SHOP, Hooked, World, mixed

VM1 = Key("WorkloadEntry", "shop", "vm1")


@pytest.fixture
def world() -> World:
    """A target that holds what Git says."""
    world = World()
    world.commit(mixed())
    world.run()
    return world


@pytest.fixture
def server(world: World) -> Cycle:
    """A serving process that has had its first pass, and puts hand edits back."""
    cycle = world.process(conflicts=Conflicts.TAKE)
    world.serve(cycle)
    return cycle


def _break_by_hand(world: World) -> None:
    world.edit("WorkloadEntry", "vm1", {"spec": {"address": "10.9.9.9"}})
    world.cluster.remove(Key("WorkloadEntry", "shop", "vm2"))


def _is_as_git_said(world: World) -> bool:
    vm1, vm2 = world.live("WorkloadEntry", "vm1"), world.live("WorkloadEntry", "vm2")
    return vm1 is not None and vm2 is not None and vm1.document["spec"]["address"] == "10.0.0.1"


def _wrong() -> list[dict[str, Any]]:
    return mixed(workload_entry("vm1", address=""), workload_entry("vm2", weight="many"))


def test_an_invalid_commit_is_told_whole_and_changes_nothing(world: World) -> None:
    """Every problem with its place; not a write, and the accepted commit stays the accepted one."""
    accepted, before = world.store.accepted(), world.cluster.observe()
    world.commit(_wrong())
    for command in ("diff", "plan", "apply"):
        report = world.run(command)
        assert (report.verdict, report.verdict.exit_code) == (Verdict.INVALID, 1)
        assert {problem.field for problem in report.errors} >= {"spec.address", "spec.weight"}
        assert all(problem.place and problem.place.line for problem in report.errors)
    assert world.cluster.observe() is before
    assert world.store.accepted() == accepted


def test_the_accepted_commit_stays_in_force_while_the_newest_is_invalid(world: World, server: Cycle) -> None:
    """Serving goes on from it: drift is corrected, the problems are told, and the commit that fixes them takes over."""
    good = world.source.poll()
    world.commit(_wrong())
    _break_by_hand(world)
    report = world.serve(server)
    assert report.verdict is Verdict.INVALID
    assert report.in_force == good
    assert f"{good.short} stays in force" in report.notes
    assert _is_as_git_said(world)
    world.serve(server)
    assert server.nothing_new(), "an invalid commit is old news after the first look"
    world.commit(mixed(workload_entry("vm1", weight=2), workload_entry("vm2", address="10.0.0.2")))
    assert world.serve(server).verdict is Verdict.APPLIED
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 2


@pytest.mark.case("M-09")
def test_one_broken_file_refuses_the_commit_and_prunes_nothing(world: World, server: Cycle) -> None:
    """Files that could not be read are not absent: what the good ones say is not applied alone."""
    world.source.commit({"mesh.yaml": b"apiVersion: v1\nkind: [", "more.yaml": b"apiVersion: v1\nkind: ConfigMap\n"})
    for _ in range(3):
        world.pass_time(hours=1)
        assert world.serve(server).verdict is Verdict.INVALID
    assert _is_as_git_said(world)


def test_the_problems_of_a_first_commit_are_told_however_often_it_is_looked_at() -> None:
    """Nothing was accepted yet: each pass says what is wrong, and never that the commit ended the process."""
    world = World()
    world.commit(_wrong())
    server = world.process()
    for _ in range(ATTEMPTS * 2):
        report = world.serve(server)
        assert "spec.weight" in {problem.field for problem in report.errors}
    assert server.nothing_new()


@pytest.mark.case("G-11")
def test_git_down_leaves_the_accepted_commit_in_force(world: World, server: Cycle) -> None:
    """Serving says that it is stale and corrects drift; nothing is pruned; runs by hand end as unavailable."""
    world.source.fail(Unavailable("the repository cannot be reached"))
    _break_by_hand(world)
    report = world.serve(server)
    assert report.verdict is Verdict.UNAVAILABLE
    assert "cannot be reached" in report.reason
    assert "stays in force" in report.reason
    assert _is_as_git_said(world)
    by_hand = world.run()
    assert (by_hand.verdict, by_hand.results) == (Verdict.UNAVAILABLE, ())
    world.source.fail(None)
    assert world.serve(server).verdict is Verdict.IN_SYNC


@pytest.mark.case("G-11")
def test_git_stays_down_until_it_is_asked_again(world: World, server: Cycle) -> None:
    """Between two polls nobody asks it, and nobody forgets that it is down: the state does not flap."""
    world.source.fail(Unavailable("the repository cannot be reached"))
    world.serve(server)
    world.source.fail(None)
    for number in (5, 6):
        world.edit("WorkloadEntry", "vm1", {"spec": {"address": f"10.9.9.{number}"}})
        assert server.run("serve", write=True).verdict is Verdict.UNAVAILABLE
        assert _is_as_git_said(world)
    assert world.serve(server).verdict is Verdict.IN_SYNC


def test_a_restart_while_git_is_down_goes_on_from_the_accepted_commit(world: World) -> None:
    """The mirror still has its content: a new process corrects drift before Git is back."""
    world.source.fail(Unavailable("the repository cannot be reached"))
    _break_by_hand(world)
    world.serve(world.process(conflicts=Conflicts.TAKE))
    assert _is_as_git_said(world)


@pytest.mark.case("G-12")
@pytest.mark.parametrize("nothing", ["branch gone", "no manifest", "only comments"])
def test_an_empty_repository_never_means_that_nothing_is_wanted(world: World, server: Cycle, nothing: str) -> None:
    """Branch deleted, folder empty, files empty: an error, again and again, and everything stays."""
    match nothing:
        case "branch gone":
            world.source.reset("")
        case "no manifest":
            world.source.commit({"README.md": b"hello"})
        case _:
            world.source.commit({"mesh.yaml": b"# all gone\n---\n"})
    for _ in range(4):
        world.pass_time(hours=30)
        report = world.serve(server)
        assert report.verdict.exit_code in (1, 3)
        assert world.run().verdict.exit_code in (1, 3)
    assert _is_as_git_said(world)
    assert world.live("VirtualMachine", "vm1") is not None


@pytest.mark.case("G-13")
def test_a_force_push_pauses_until_it_is_accepted_by_name(world: World, server: Cycle) -> None:
    """History that does not follow on the accepted commit is refused with exit 3; its own override lets it through."""
    accepted = world.store.accepted()
    world.source.commit({"mesh.yaml": b"apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"}, root=True)
    newest = world.source.poll()
    for report in (world.run("plan"), world.run(), world.serve(server)):
        assert report.verdict.exit_code == 3
        assert report.results == ()
        assert f"history:{newest.short}" in {guard.override for guard in report.guards}
    assert world.store.accepted() == accepted
    assert world.live("ServiceEntry", "billing") is not None
    report = world.run(allow=frozenset([f"history:{newest.short}"]))
    assert not any(guard.code == "history" for guard in report.guards)
    assert world.store.accepted() == newest


@pytest.mark.case("G-13")
def test_accepting_one_force_push_accepts_no_other(world: World) -> None:
    """The name is the new commit's: the next rewrite pauses again."""
    world.source.commit({"mesh.yaml": _namespace("one")}, root=True)
    first = world.source.poll()
    world.source.commit({"mesh.yaml": _namespace("two")}, root=True)
    assert world.run(allow=frozenset([f"history:{first.short}"])).verdict is Verdict.REFUSED


def _namespace(team: str) -> bytes:
    return f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {{team: {team}}}}}\n".encode()


@pytest.mark.case("G-19")
def test_an_older_commit_than_the_accepted_one_is_refused(world: World, server: Cycle) -> None:
    """A mirror that serves yesterday's branch does not turn the clock back."""
    old = world.source.poll()
    world.commit(mixed(workload_entry("vm1", weight=4), workload_entry("vm2", address="10.0.0.2")))
    assert world.serve(server).verdict is Verdict.APPLIED
    world.source.reset(old.id)
    report = world.serve(server)
    assert report.verdict is Verdict.REFUSED
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 4


@pytest.mark.case("G-13")
def test_a_lost_base_commit_is_survived(world: World, server: Cycle) -> None:
    """The accepted commit is known to nobody any more: said like a force push, and no error."""
    base = world.source.poll()
    world.commit([*mixed(), document("ServiceAccount", "late")])
    world.source.forget(base.id)
    report = world.serve(server)
    assert report.verdict is Verdict.REFUSED
    assert "not known any more" in report.guards[0].message


@pytest.mark.case("G-16")
def test_a_refused_signature_leaves_the_accepted_commit_in_force(world: World, server: Cycle) -> None:
    """What the source refuses by policy is told each time, once, and the old commit goes on being enforced."""
    world.source.fail(InvalidInput("commit deadbeef is not signed by a key that may", code="MR1090"))
    _break_by_hand(world)
    report = world.serve(server)
    assert report.verdict is Verdict.INVALID
    assert _is_as_git_said(world)
    world.serve(server)
    server.poll_due()
    assert server.nothing_new()


@pytest.mark.case("G-18")
def test_a_push_every_second_ends_at_the_newest(world: World, server: Cycle) -> None:
    """Six hundred commits, a pass every seven seconds: few are applied, the last one surely."""
    passes = 0
    for second in range(600):
        world.commit(mixed(workload_entry("vm1", weight=second + 1), workload_entry("vm2", address="10.0.0.2")))
        if second % 7 == 0:
            world.serve(server)
            passes += 1
    world.serve(server)
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 600
    assert sum(one.written for one in world.store.history(1000)) <= 6 + 2 * (passes + 1)


@pytest.mark.case("D-07")
def test_moving_a_manifest_to_another_file_changes_nothing(world: World) -> None:
    """Other path, other order, same objects: an empty plan."""
    before = world.cluster.observe()
    world.commit(mixed()[:2], other="\n---\n".join(_as_json(one) for one in mixed()[:1:-1]))
    report = world.run()
    assert (report.verdict, report.results) == (Verdict.IN_SYNC, ())
    assert world.cluster.observe() is before


def _as_json(one: dict[str, Any]) -> str:
    import json

    return json.dumps(one)


@pytest.mark.case("S-08")
def test_a_commit_that_trips_over_a_bug_is_left_alone_after_a_few_passes(world: World) -> None:
    """The bug is raised to whoever logs it, three times; then the accepted commit goes on, whatever the new one would do."""
    bad = world.commit([*mixed(), document("ServiceAccount", "late")])
    buggy = world.process(source=Hooked(world.source, lambda name, *rest: _trip(bad, name, *rest)))
    for _ in range(ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            world.serve(buggy)
    _break_by_hand(world)
    report = world.serve(buggy)
    assert "ended the process" in report.errors[0].message
    assert world.live("WorkloadEntry", "vm2") is not None
    fixed = world.commit([*mixed(), document("ServiceAccount", "later")])
    assert world.serve(buggy).revision == world.source.poll()
    assert world.source.poll().id == fixed
    assert world.live("ServiceAccount", "later") is not None


def _trip(bad: str, name: str, *arguments: Any) -> None:
    if name == "files" and isinstance(arguments[0], Revision) and arguments[0].id == bad:
        raise ZeroDivisionError


def test_writes_that_failed_are_tried_again_although_the_newest_commit_is_invalid(world: World) -> None:
    """Drift of the accepted commit could not be corrected: that is what the verdict says, so that it is tried again."""
    refusing = True

    def refuse(name: str, *_: Any) -> None:
        if refusing and name == "apply":
            raise Unavailable("timed out")

    server = world.process(cluster=Hooked(world.cluster, refuse))
    world.serve(server)
    world.commit(_wrong())
    world.cluster.remove(VM1)
    report = world.serve(server)
    assert report.verdict is Verdict.FAILED
    assert report.errors
    refusing = False
    assert not server.nothing_new()
    world.serve(server)
    assert world.live("WorkloadEntry", "vm1") is not None


def test_an_override_for_a_commit_that_only_diverged_in_dry_runs_is_not_needed() -> None:
    """Where nothing was ever accepted any history is the first one."""
    world = World()
    world.commit([SHOP])
    world.source.commit({"mesh.yaml": _namespace("other")}, root=True)
    assert world.run().verdict is Verdict.APPLIED
