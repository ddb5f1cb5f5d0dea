"""Whose an object and a field is: adoption, other tools, hand edits, fights, release."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.adoption import Adoption
from reconciler.core.changes import Action, Cause, State
from reconciler.core.owned import Conflicts
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Key
from reconciler.core.wanted import TARGET_LABEL
from reconciler.cycle.release import chosen, release_objects
from reconciler.cycle.run import Cycle
from reconciler.errors import InvalidInput
from reconciler.ports import FLIPS
from tests.building import service_entry, workload_entry
from tests.worlds import SHOP, World, inline, mixed

ENTRY = Key("ServiceEntry", "shop", "billing")
VM1 = Key("WorkloadEntry", "shop", "vm1")


@pytest.fixture
def world() -> World:
    """An empty target."""
    return World()


def _states(report: Report) -> dict[str, State]:
    return {str(one.key): one.state for one in report.differences}


def _adopt(*texts: str) -> Adoption:
    return Adoption.parse(texts)


def _made_by(world: World, manager: str, *documents: Document) -> None:
    for one in documents:
        world.cluster.create(one, manager)


def _older(world: World, manager: str = "kubectl-create") -> None:
    """The service is there already, with inline endpoints, made by somebody else."""
    _made_by(world, manager, *inline())


@pytest.mark.case("T-14")
def test_what_exists_already_is_not_touched(world: World) -> None:
    """An object that somebody else made is shown, with what adopts it; its unit waits, and exit 2 says so."""
    _older(world)
    before = world.live(*_key(ENTRY))
    world.commit(mixed())
    report = world.run()
    assert report.verdict is Verdict.CHANGES
    assert _states(report)[str(ENTRY)] is State.NOT_ADOPTED
    assert world.live(*_key(ENTRY)) == before
    assert world.live("WorkloadEntry", "vm1") is None, "half of a unit would change what its other half means"


def _key(key: Key) -> tuple[str, str, str]:
    return key.kind, key.name, key.namespace


@pytest.mark.parametrize("how", ["--adopt key", "--adopt all", "annotation"])
def test_adoption_takes_over_and_then_swaps_endpoints_for_the_selector(world: World, how: str) -> None:
    """By name, for everything, or by an annotation in Git; content changes only once ownership is ours."""
    _older(world)
    documents = mixed()
    if how == "annotation":
        adopt = {"annotations": {"mesh-reconciler.io/adopt": "true"}}
        documents = [{**one, "metadata": {**one["metadata"], **adopt}} for one in documents]
    world.commit(documents)
    texts = {"--adopt key": ("ServiceEntry/shop/billing", "Namespace/shop"), "--adopt all": ("all",), "annotation": ()}[how]
    report = world.run(adoption=_adopt(*texts))
    assert report.verdict is Verdict.APPLIED
    taken = [one.action for one in report.results if one.key == ENTRY]
    assert taken == [Action.HAND_OVER, Action.UPDATE]
    assert {one.cause for one in report.results if one.key == ENTRY} == {Cause.ADOPTION}
    assert "endpoints" not in world.spec("ServiceEntry", "billing")
    assert world.run("diff").verdict is Verdict.IN_SYNC


def test_an_object_of_another_tool_is_named_and_left(world: World) -> None:
    """Argo CD's mark: not written, not by `all` either, and the report says what takes it out of that tool."""
    _older(world)
    world.edit("ServiceEntry", "billing", {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "x"}}}, "argocd")
    world.commit(mixed())
    report = world.run(adoption=_adopt("all"))
    assert _states(report)[str(ENTRY)] is State.FOREIGN_TOOL
    assert "Application" in str([problem for one in report.differences for problem in one.problems])
    assert "endpoints" in world.spec("ServiceEntry", "billing")


def test_release_gives_ownership_and_forgets_and_changes_no_spec(world: World) -> None:
    """The objects stay as they are without our mark; nothing of them is in the inventory; Git's wish shows as not adopted."""
    world.commit(mixed())
    world.run()
    before = world.spec("ServiceEntry", "billing")
    process = world.process()
    names = chosen(["shop/billing"], process.units(), world.store.inventory())
    assert {key.kind for key in names} == {"ServiceEntry", "WorkloadEntry", "VirtualMachine"}
    assert release_objects(names, process.observe(), process._ports, "argocd-controller") == 5
    live = world.live("ServiceEntry", "billing")
    assert live is not None
    assert live.document["spec"] == before
    assert TARGET_LABEL not in live.labels
    assert {owner.manager for owner in live.owners} == {"argocd-controller"}
    assert world.store.inventory() == {Key("Namespace", "", "shop")}
    assert _states(world.run("diff"))[str(ENTRY)] in (State.NOT_ADOPTED, State.FOREIGN_TOOL)


def test_only_what_is_ours_can_be_released(world: World) -> None:
    """A name that is no unit and no object of ours is an error that names it, all of them at once."""
    world.commit(mixed())
    world.run()
    with pytest.raises(InvalidInput) as caught:
        chosen(["nobody", "WorkloadEntry/shop/vm9", "shop/billing"], world.process().units(), world.store.inventory())
    assert len(caught.value.problems) == 2


@pytest.mark.case("D-02")
def test_a_field_that_another_manager_took_is_yielded_by_default(world: World) -> None:
    """It is shown with the manager's name and is not written, in any number of passes; other fields still are."""
    world.commit(mixed(workload_entry("vm1", weight=3), workload_entry("vm2", address="10.0.0.2")))
    world.run()
    world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 50}}, "autoscaler")
    server = world.process()
    for _ in range(3):
        report = world.serve(server)
        (one,) = report.differences
        assert (one.state, one.fields[0].managers) == (State.CO_OWNED, ("autoscaler",))
    world.commit(mixed(workload_entry("vm1", weight=3, network="n1"), workload_entry("vm2", address="10.0.0.2")))
    world.serve(server)
    assert (world.spec("WorkloadEntry", "vm1")["weight"], world.spec("WorkloadEntry", "vm1")["network"]) == (50, "n1")


def test_a_hand_edit_is_put_back_where_the_policy_takes(world: World) -> None:
    """Cause drift, the manager's name in the report, and the value of Git afterwards."""
    world.commit(mixed(workload_entry("vm1", weight=3), workload_entry("vm2", address="10.0.0.2")))
    world.run()
    world.edit("WorkloadEntry", "vm1", {"spec": {"weight": 50}}, "kubectl-edit")
    report = world.run(cycle=world.process(conflicts=Conflicts.TAKE))
    assert report.verdict is Verdict.APPLIED
    assert {one.cause for one in report.results} == {Cause.DRIFT}
    assert report.differences[0].fields[0].managers == ("kubectl-edit",)
    assert world.spec("WorkloadEntry", "vm1")["weight"] == 3


@pytest.mark.case("A-13")
def test_a_deleted_object_comes_back(world: World) -> None:
    """Drift, too: Git has it, we wrote it, somebody took it away."""
    world.commit(mixed())
    world.run()
    world.cluster.remove(VM1)
    report = world.run()
    assert [(one.key, one.action, one.cause) for one in report.results] == [(VM1, Action.CREATE, Cause.DRIFT)]


class Fight:
    """A service in a fight: another writer who keeps setting a weight that Git does not want."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.commit(self.wanted(3))
        self.server: Cycle = world.process(conflicts=Conflicts.TAKE)
        world.serve(self.server)

    def wanted(self, weight: int) -> list[Document]:
        return mixed(workload_entry("vm1", weight=weight), workload_entry("vm2", address="10.0.0.2"))

    def flip(self, value: int = 50, **more: Any) -> Report:
        self.world.pass_time(minutes=2)
        self.world.edit("WorkloadEntry", "vm1", {"spec": {"weight": value, **more}}, "autoscaler")
        return self.world.serve(self.server)

    def until_left_alone(self) -> Report:
        for _ in range(FLIPS):
            assert self.flip().verdict is Verdict.APPLIED
            self.world.serve(self.server)
        return self.flip()

    @property
    def weight(self) -> int:
        weight: int = self.world.spec("WorkloadEntry", "vm1")["weight"]
        return weight


@pytest.fixture
def fight(world: World) -> Fight:
    """A fight that has not begun."""
    return Fight(world)


@pytest.mark.case("A-07")
def test_a_fight_ends_after_a_few_rounds_and_names_the_other(fight: Fight) -> None:
    """Put back three times, then left alone for good, in any number of passes: never a loop, and the manager is named."""
    report = fight.until_left_alone()
    for _ in range(3):
        (one,) = report.differences
        assert (one.state, report.results) == (State.FIGHT, ())
        assert "autoscaler" in one.problems[-1].message
        fight.world.pass_time(hours=5)
        report = fight.flip(51)
    assert fight.weight == 51


def test_a_persons_word_ends_a_fight(fight: Fight) -> None:
    """`--adopt KEY` writes once more and forgets the fight: afterwards counting begins anew."""
    fight.until_left_alone()
    taken = fight.world.run(cycle=fight.server, adoption=_adopt("WorkloadEntry/shop/vm1"))
    assert (taken.verdict, fight.weight) == (Verdict.APPLIED, 3)
    assert fight.world.store.fights() == {}
    assert fight.flip().verdict is Verdict.APPLIED


def test_a_commit_ends_a_fight(fight: Fight) -> None:
    """A commit that changes the field is tried again, and the old fight is forgotten."""
    fight.until_left_alone()
    fight.world.commit(fight.wanted(4))
    assert fight.world.serve(fight.server).verdict is Verdict.APPLIED
    assert (fight.weight, fight.world.store.fights()) == (4, {})


def test_giving_in_ends_a_fight(fight: Fight) -> None:
    """The other writer sets what Git wants: no value of ours was needed for that, so somebody has decided."""
    fight.until_left_alone()
    fight.flip(3)
    assert fight.world.store.fights() == {}
    assert fight.world.serve(fight.server).verdict is Verdict.IN_SYNC


def test_going_away_ends_a_fight(fight: Fight) -> None:
    """The object is dropped from Git and deleted by hand: nothing is left to fight over."""
    fight.until_left_alone()
    fight.world.commit([SHOP])
    fight.world.cluster.remove(VM1)
    fight.world.serve(fight.server)
    assert fight.world.store.fights() == {}


def test_being_in_sync_after_our_own_write_is_no_decision(fight: Fight) -> None:
    """Right after the last time we put it back the object is in sync: that says nothing about the other writer."""
    for _ in range(FLIPS):
        fight.flip()
    assert fight.world.serve(fight.server).verdict is Verdict.IN_SYNC
    assert VM1 in fight.world.store.fights()
    assert fight.flip().differences[0].state is State.FIGHT


def test_correcting_another_field_is_no_decision(fight: Fight) -> None:
    """Drift elsewhere in the object is put back, and the fight stays a fight."""
    for _ in range(FLIPS):
        fight.flip()
    fight.world.edit("WorkloadEntry", "vm1", {"spec": {"address": "10.9.9.9"}}, "kubectl-edit")
    assert fight.world.serve(fight.server).verdict is Verdict.APPLIED
    assert VM1 in fight.world.store.fights()


def test_four_edits_in_a_day_are_no_fight(fight: Fight) -> None:
    """Only flips within an hour count."""
    for _ in range(FLIPS * 2):
        assert fight.flip().verdict is Verdict.APPLIED
        fight.world.pass_time(hours=2)


def test_an_adopted_unit_of_another_target_is_not_taken_by_all(world: World) -> None:
    """Two targets never share an object by accident."""
    other = service_entry("billing", labels={TARGET_LABEL: "production"}, endpoints=[{"address": "10.0.0.1"}])
    _made_by(world, "mesh-reconciler", SHOP, other)
    world.commit(mixed())
    report = world.run(adoption=_adopt("all"))
    assert _states(report)[str(ENTRY)] is State.FOREIGN_TOOL
