"""A rollout that is kept from writing, by the owner of an object or by a guard, says so and calls a person in the end."""

from __future__ import annotations

import logging
from datetime import timedelta

from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase
from reconciler.core.rollouts.seen import Pace, Word
from reconciler.cycle.status import read_status
from reconciler.ports import Override
from reconciler.reports.logged import Line, Log
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.cycle.test_rollouts_scaling import autoscaled, moving_to_vms
from tests.cycle.test_rollouts_split import HALF, TWO, born, scale
from tests.worlds import TARGET, World, inline, mixed

OWNED = "WorkloadEntry shop/vm1 spec.network is owned by argocd and is not written: settle it there"


def test_a_rollout_that_yields_to_an_owner_says_so_and_pauses_when_patience_is_out() -> None:
    """It names the object, the manager and what to do, once in the log; a resume goes on once it is settled."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1, network="n1"), vm(2)))
    rolled.world.edit("WorkloadEntry", "vm1", {"spec": {"network": "mine"}}, "argocd")
    rolled.begin(*mixed(vm(1, weight=40, network="n2"), vm(2)))
    rolled.look()
    log, said, looks = Log(), list[str](), 0
    since, world = rolled.world.clock.now(), rolled.world
    while rolled.newest.cause is Cause.NONE and looks < 60:
        looks += 1
        world.pass_time(seconds=rolled.cycle.due_in(600))
        said += [line.text for line in log.news(world.serve(rolled.cycle))]
        (shown,) = read_status(TARGET, world.store, world.lease(), world.clock.now()).rollouts
        assert any(text.startswith(OWNED) for text in (*shown.waits, shown.reason.partition(": ")[2]))
    paused, waited = rolled.newest, world.clock.now() - since
    assert (paused.phase, paused.cause, OWNED in paused.reason) == (Phase.PAUSED, Cause.UNDECIDED, True)
    assert timedelta(hours=1) <= waited < timedelta(hours=1, minutes=5)
    assert len(said) == len(set(said))
    world.edit("WorkloadEntry", "vm1", {"spec": {"network": None}}, "argocd")
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)
    assert world.spec("WorkloadEntry", "vm1")["network"] == "n2"


def test_a_commit_that_drops_the_field_takes_over_at_once() -> None:
    """It is one of the ways out that the wait names: nobody has to wait for the pause first."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1, network="n1"), vm(2)))
    rolled.world.edit("WorkloadEntry", "vm1", {"spec": {"network": "mine"}}, "argocd")
    first = rolled.begin(*mixed(vm(1, weight=40, network="n2"), vm(2)))
    for _ in range(3):
        rolled.look()
    rolled.commit(*mixed(vm(1, weight=40), vm(2)))
    for _ in range(2):
        rolled.look()
    assert rolled.newest.id != first.id
    rolled.until(Phase.WATCHING)
    assert [rolled.world.spec("WorkloadEntry", "vm1")[name] for name in ("network", "weight")] == ["mine", 40]


def test_a_rollout_that_a_guard_holds_for_too_long_pauses_and_goes_on_once_both_are_answered() -> None:
    """A change that reaches all clients at once waits for its name; after an hour a person is called, with just that."""
    rolled = Rolled()
    before = mixed(vm(1), vm(2))
    rolled.begin_with(*before)
    external = [
        {**one, "spec": {**one["spec"], "location": "MESH_EXTERNAL"}} if one["kind"] == "ServiceEntry" else one
        for one in before
    ]
    rolled.begin(*external)
    since, world = rolled.world.clock.now(), rolled.world
    while rolled.newest.phase is Phase.APPLYING:
        world.pass_time(seconds=rolled.cycle.due_in(600))
        report = world.serve(rolled.cycle)
    assert timedelta(hours=1) <= world.clock.now() - since < timedelta(hours=1, minutes=5)
    (guard,) = report.guards
    assert (rolled.newest.phase, rolled.newest.cause) == (Phase.PAUSED, Cause.UNDECIDED)
    assert rolled.newest.reason.endswith(guard.message)
    assert report.plan is not None
    world.store.override(Override(report.plan.digest, guard.override, "ada", "it is time", world.clock.now()))
    rolled.look()
    assert world.spec("ServiceEntry", "billing")["location"] == "MESH_EXTERNAL"
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)


def told(rolled: Rolled, minutes: int) -> list[Line]:
    """Look for so long, with a patience of ten minutes, and return the lines of the log that speak of a long wait."""
    pace = Pace(settle=timedelta(seconds=5), patience=timedelta(minutes=10))
    rolled.cycle = rolled.world.process("serve:1", rollouts=RolloutLimits(careful=False), pace=pace)
    world, log, found = rolled.world, Log(), list[Line]()
    until = world.clock.now() + timedelta(minutes=minutes)
    while world.clock.now() < until:
        world.pass_time(seconds=rolled.cycle.due_in(60))
        found += log.news(world.serve(rolled.cycle))
    long = ("waited for", "more than 0:10:00")
    return [line for line in found if line.text.startswith("rollout ") and any(text in line.text for text in long)]


def test_a_step_that_lacks_pods_for_too_long_pauses_with_what_is_to_be_set() -> None:
    """A person sets it, says so, and the rollout goes on."""
    rolled = Rolled(World())
    autoscaled(rolled, 1, (1, 4))
    rolled.begin_with(*inline("10.0.0.1", "10.0.0.2"))
    rolled.policy = policy(split={"vm": 10, "pod": 90})
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 1)
    (line,) = told(rolled, 13)
    assert line.level == logging.WARNING
    assert line.text.endswith("each: 2 are needed; set minReplicas of hpa/billing to 2")
    assert (rolled.newest.phase, rolled.newest.cause) == (Phase.PAUSED, Cause.UNDECIDED)
    autoscaled(rolled, 2, (2, 4))
    rolled.say(Word.RESUME)
    rolled.until(Phase.WATCHING)


def test_an_undo_that_lacks_pods_for_too_long_says_so_once_and_goes_on_by_itself() -> None:
    """In the log and in `status`."""
    rolled = moving_to_vms()
    rolled.until(Phase.WATCHING)
    autoscaled(rolled, 1)
    rolled.say(Word.UNDO)
    (line,) = told(rolled, 35)
    assert line.level == logging.WARNING
    assert line.text.endswith("each: 2 are needed, 14 further on; set minReplicas of hpa/billing to 14")
    world = rolled.world
    (shown,) = read_status(TARGET, world.store, world.lease(), world.clock.now()).rollouts
    assert (shown.phase, shown.reason.startswith("more than 0:10:00 without")) == (Phase.UNDOING, True)
    autoscaled(rolled, 20)
    assert rolled.until(Phase.IDLE).outcome is Outcome.UNDONE


def test_armed_weights_await_the_first_pod_for_as_long_as_it_takes() -> None:
    """Somebody starts them in an hour or in a week: nobody is called for that."""
    rolled = born(0)
    rolled.policy = policy(split=HALF, expectPods=8)
    rolled.begin(*TWO)
    rolled.until(Phase.SOAKING, 0)
    assert told(rolled, 20) == []
    (shown,) = rolled.look().rollouts
    assert (rolled.newest.phase, shown.waits[0]) == (Phase.SOAKING, "no Pod of shop/billing runs yet")
    scale(rolled, 8)
    rolled.until(Phase.WATCHING)
