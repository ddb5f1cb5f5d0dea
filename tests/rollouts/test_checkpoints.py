"""Checkpoints of rollouts on their ServiceEntry, and rollouts put together again from them when the store is lost."""

from __future__ import annotations

import copy
import json
from dataclasses import fields, replace
from typing import Any

import pytest
import yaml

from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.report import Verdict
from reconciler.core.resources import Key
from reconciler.core.rollouts.checkpoint import CHECKPOINT, Checkpoint
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase
from reconciler.core.rollouts.seen import Word
from reconciler.cycle.recovery import ours_in, recover
from reconciler.cycle.release import chosen, release_objects
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.cycle.test_rollouts_split import scale
from tests.worlds import mixed


@pytest.fixture
def rolled() -> Rolled:
    """A third VM is coming in beside two, and the first step is in force."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    return rolled


def noted(rolled: Rolled) -> dict[str, Any] | None:
    """The checkpoint as it stands on the ServiceEntry."""
    live = rolled.world.live("ServiceEntry", "billing")
    assert live is not None
    text = live.annotations.get(CHECKPOINT)
    return json.loads(text) if text else None


def lose_store(rolled: Rolled, store: MemoryStore | None = None) -> None:
    """The store is gone, or an older one is put in its place; another process starts on it, and a person says `recover`."""
    rolled.cycle.authority.release()
    rolled.world.store = store or MemoryStore()
    rolled.cycle = rolled.process("new:2")
    report = rolled.world.serve(rolled.cycle)
    assert (report.verdict, report.results) == (Verdict.REFUSED, ())
    assert "recover" in report.reason
    recovered(rolled)


def recovered(rolled: Rolled) -> None:
    """What `reconciler recover` does."""
    world, observed = rolled.world, rolled.cycle.observe()
    revision = world.source.poll()
    rollouts = rolled.cycle.recovered(observed, revision)
    owned = ours_in(observed, "test")
    rolled.cycle.authority.seize(lambda: recover(world.store, owned, revision, world.clock, rollouts))


def copied(store: MemoryStore) -> MemoryStore:
    """The store as it is now, under the same id: what a backup brings back."""
    backup = copy.copy(store)
    backup.__dict__.update({name: copy.copy(one) for name, one in vars(store).items() if isinstance(one, dict | list | set)})
    parts = {one.name: copy.copy(getattr(store.rollouts, one.name)) for one in fields(store.rollouts) if one.name != "lock"}
    backup.rollouts = replace(store.rollouts, **parts)
    return backup


def test_a_checkpoint_says_where_a_rollout_is_until_it_is_over(rolled: Rolled) -> None:
    """With its commits and its digest; it is no content of the ServiceEntry, and belongs to a manager of its own."""
    found = rolled.newest
    assert noted(rolled) == {
        "rollout": found.id,
        "commit": found.commit,
        "base": found.base,
        "digest": found.digest,
        "step": 0,
        "stage": 1,
        "back": False,
    }
    assert len(json.dumps(noted(rolled))) < 1_024
    rolled.until(Phase.SOAKING, 1)
    assert (noted(rolled) or {})["step"] == 1
    assert rolled.world.run("diff").verdict is Verdict.IN_SYNC
    rolled.until(Phase.WATCHING)
    rolled.until_settled()
    assert noted(rolled) is None


def test_a_rollout_is_recovered_without_its_store_and_goes_on(rolled: Rolled) -> None:
    """It stands where it stood, and nothing is written until a person says so; then it ends as if nothing had been."""
    rolled.until(Phase.SOAKING, 1)
    before, shares, way = rolled.newest, rolled.shares(), rolled.newest.way
    lose_store(rolled)
    found = rolled.newest
    assert (found.id, found.phase, found.cause, found.step, found.stage) == (
        before.id,
        Phase.PAUSED,
        Cause.RECOVERED,
        1,
        before.stage,
    )
    assert (found.way.steps, found.origin) == (way.steps, before.origin)
    for _ in range(5):
        assert rolled.look().results == ()
    assert rolled.shares() == shares
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)
    rolled.until_settled()
    assert "weight" not in rolled.world.spec("WorkloadEntry", "vm1")
    assert noted(rolled) is None


def test_a_recovered_rollout_can_be_taken_back_to_where_it_began(rolled: Rolled) -> None:
    """Git tells what stood before it."""
    lose_store(rolled)
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert {name: share for name, share in rolled.shares().items() if share} == {"vm1": 0.5, "vm2": 0.5}


def test_an_older_store_learns_where_its_rollout_is_now(rolled: Rolled) -> None:
    """Its record was of the first step; the checkpoint is of the second."""
    backup = copied(rolled.world.store)
    rolled.until(Phase.SOAKING, 1)
    shares = rolled.shares()
    lose_store(rolled, backup)
    assert (rolled.newest.phase, rolled.newest.cause, rolled.newest.step) == (Phase.PAUSED, Cause.RECOVERED, 1)
    rolled.look()
    assert rolled.shares() == shares


def test_what_was_over_when_an_older_store_came_back_is_over(rolled: Rolled) -> None:
    """No checkpoint stands there any more: the old record does not take traffic back."""
    backup = copied(rolled.world.store)
    rolled.until(Phase.WATCHING)
    rolled.until_settled()
    lose_store(rolled, backup)
    assert rolled.world.store.rollouts.history(1)[0].outcome is Outcome.SUPERSEDED
    assert rolled.look().results == ()
    assert set(rolled.shares()) == {"vm1", "vm2", "vm3"}


def test_a_split_that_was_held_is_held_again_without_the_store() -> None:
    """Whole weights come near it and no nearer: nothing is rolled out for that, and Pods scale as ever."""
    rolled = Rolled(policy=policy(split={"vm": 37, "pod": 63}))
    scale(rolled, 7)
    rolled.commit(*mixed(vm(1), vm(2)))
    rolled.look()
    rolled.look()
    before = rolled.shares()
    lose_store(rolled)
    report = rolled.look()
    assert (report.verdict, report.results) == (Verdict.IN_SYNC, ())
    assert rolled.shares() == before
    scale(rolled, 12)
    assert rolled.look().verdict is Verdict.APPLIED
    assert float(rolled.shares()["pods"]) == pytest.approx(0.63, abs=0.031)


def test_a_split_that_was_held_is_what_an_abort_leads_back_to_without_the_store() -> None:
    """No commit's weights say it: the policy of the one before does."""
    rolled = Rolled(policy=policy(split={"vm": 50, "pod": 50}))
    scale(rolled, 8)
    rolled.commit(*mixed(vm(1), vm(2)))
    rolled.look()
    rolled.policy = policy(split={"vm": 20, "pod": 80})
    rolled.begin(*mixed(vm(1), vm(2)))
    rolled.until(Phase.SOAKING, 1)
    lose_store(rolled)
    assert rolled.newest.cause is Cause.RECOVERED
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert rolled.shares() == {"vm1": 0.25, "vm2": 0.25, "pods": 0.5}


@pytest.mark.parametrize("kept", [50, 80])
def test_a_split_that_was_taken_back_stands_as_it_was_without_the_store(kept: int) -> None:
    """What holds the old one is in no commit: it is read from what is live. Git's own weights would make 20 %."""
    rolled = Rolled(policy=policy(split={"vm": kept, "pod": 100 - kept}))
    scale(rolled, 8)
    rolled.commit(*mixed(vm(1), vm(2)))
    rolled.look()
    before = rolled.shares()
    rolled.policy = policy(split={"vm": 20, "pod": 80})
    rolled.begin(*mixed(vm(1), vm(2)))
    rolled.until(Phase.SOAKING, 1)
    rolled.say(Word.ABORT)
    rolled.until(Phase.IDLE)
    rolled.look()
    lose_store(rolled)
    for _ in range(3):
        report = rolled.look()
        assert (report.verdict, report.results) == (Verdict.REFUSED, ())
    assert rolled.shares() == before


def test_a_vm_that_has_left_comes_back_by_an_undo_without_the_store() -> None:
    """It is live without the labels by which it is picked: what belongs together, both commits say."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    rolled.begin(*mixed(vm(2)))
    rolled.until(Phase.WATCHING)
    assert set(rolled.shares()) == {"vm2"}
    lose_store(rolled)
    assert rolled.newest.cause is Cause.RECOVERED
    rolled.say(Word.ABORT)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE
    assert rolled.shares() == {"vm1": 0.5, "vm2": 0.5}


@pytest.mark.parametrize("reverted", [False, True])
@pytest.mark.parametrize("old", [False, True])
def test_what_was_refused_stays_refused_without_the_store(rolled: Rolled, *, old: bool, reverted: bool) -> None:
    """It was taken back, and Git still asks for it: nothing is written until a person says retry, or Git something else."""
    backup = copied(rolled.world.store)
    before = {"vm1": 0.5, "vm2": 0.5}
    rolled.say(Word.ABORT)
    first = rolled.until(Phase.IDLE)
    rolled.look()
    lose_store(rolled, backup if old else None)
    for _ in range(3):
        report = rolled.look()
        assert (report.verdict, report.results) == (Verdict.REFUSED, ())
        assert rolled.shares() == before
    assert (rolled.newest.id, rolled.newest.outcome) == (first.id, Outcome.UNDONE)
    if reverted:
        rolled.commit(*mixed(vm(1), vm(2)))
        for _ in range(3):
            rolled.look()
        assert noted(rolled) is None
        rolled.commit(*mixed(vm(1), vm(2), vm(3)))
        assert rolled.look().verdict is Verdict.REFUSED
        return
    rolled.say(Word.RETRY)
    rolled.until(Phase.WATCHING)
    assert set(rolled.shares()) == {"vm1", "vm2", "vm3"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"rollout": "x"}', json.dumps({"rollout": 1}), "null"])
def test_what_is_no_checkpoint_is_read_as_none(text: str) -> None:
    """Anybody may write into an annotation."""
    assert Checkpoint.read(text) is None


def test_a_checkpoint_of_commits_that_git_does_not_have_recovers_nothing(rolled: Rolled) -> None:
    """Its unit begins anew, from where traffic is."""
    found = noted(rolled)
    assert found is not None
    patch = {"metadata": {"annotations": {CHECKPOINT: json.dumps({**found, "commit": "f" * 40})}}}
    rolled.world.cluster.edit(Key("ServiceEntry", "shop", "billing"), patch, "mesh-reconciler-notes")
    lose_store(rolled)
    assert rolled.world.store.rollouts.history(5) == []
    rolled.look()
    assert rolled.newest.way.steps[-1].exposure == 1


def test_a_checkpoint_of_a_commit_that_was_never_accepted_recovers_nothing(rolled: Rolled) -> None:
    """Whoever may edit a ServiceEntry shall not choose what is rolled out: a commit beside the branch counts for nothing."""
    found = noted(rolled)
    assert found is not None
    source = rolled.world.source
    files = {"mesh.yaml": yaml.safe_dump_all([*mixed(vm(1)), policy()]).encode()}
    beside = source.commit(files, subject="never merged", root=True)
    source.commit({"mesh.yaml": yaml.safe_dump_all([*mixed(vm(1), vm(2), vm(3)), policy()]).encode()}, root=True)
    patch = {"metadata": {"annotations": {CHECKPOINT: json.dumps({**found, "commit": beside})}}}
    rolled.world.cluster.edit(Key("ServiceEntry", "shop", "billing"), patch, "kubectl-edit")
    lose_store(rolled)
    assert rolled.world.store.rollouts.history(5) == []


def test_what_is_released_keeps_no_checkpoint(rolled: Rolled) -> None:
    """All our marks go away, in the middle of a rollout too."""
    cycle = rolled.cycle
    release_objects(
        chosen(["shop/billing"], cycle.units(), cycle._ports.store.inventory()), cycle.observe(), cycle._ports, "argo"
    )
    assert noted(rolled) is None
    live = rolled.world.live("ServiceEntry", "billing")
    assert live is not None
    assert {owner.manager for owner in live.owners} == {"argo"}
