"""What is kept of rollouts through whole cycles: each write with its cause, also of a process that is no more."""

from __future__ import annotations

import pytest

from reconciler.adapters.memory_metrics import MemoryMetrics
from reconciler.core.gates.consequence import Consequence
from reconciler.core.gates.reading import Library
from reconciler.core.gates.verdict import Reason
from reconciler.core.resources import Key
from reconciler.core.rollouts.records import EvidenceKind
from reconciler.core.rollouts.replay import Replayed
from reconciler.core.rollouts.rollout import Cause, Phase
from reconciler.errors import InvalidInput, Rejected
from reconciler.history.replaying import altered, replayed
from tests.cycle.test_rollouts import GATES, STEPS, Rolled, policy, served, vm
from tests.worlds import Hooked, mixed


@pytest.fixture
def rolled() -> Rolled:
    """A target that holds a service on two VMs."""
    rolled = Rolled()
    rolled.begin_with(*mixed(vm(1), vm(2)))
    return rolled


def written(rolled: Rolled) -> list[tuple[str, str, int | None, str]]:
    """The writes in the evidence of the newest rollout: object, what became of it, its weight, and why."""
    store = rolled.world.store.rollouts
    (newest,) = store.history(1)
    found = [one for one in store.evidence(newest.id) if one.kind is EvidenceKind.WRITE]
    return [
        (Key.parse(one.name).name, one.data["outcome"], next(iter(one.data["weights"].values()), None), one.says)
        for one in found
        if one.name.startswith("WorkloadEntry")
    ]


def test_each_write_is_kept_with_its_weight_and_its_cause(rolled: Rolled) -> None:
    """Once, in order, by the step that it belongs to; hand edits that were put back are among them."""
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    rolled.until(Phase.SOAKING, 0)
    rolled.world.edit("WorkloadEntry", "vm3", {"spec": {"weight": 90}})
    rolled.until(Phase.SOAKING, 1)
    assert written(rolled) == [
        ("vm1", "done", 29, "step 1 of 3, prepare"),
        ("vm2", "done", 29, "step 1 of 3, prepare"),
        ("vm3", "done", 2, "step 1 of 3, shift"),
        ("vm3", "done", 2, "keeps up step 1 of 3"),
        ("vm1", "done", 5, "step 2 of 3, shift"),
        ("vm2", "done", 5, "step 2 of 3, shift"),
    ]


@pytest.mark.case("C-01", "A-08")
def test_a_write_that_was_refused_is_not_sent_again_by_another_process(rolled: Rolled) -> None:
    """The one that sent it has died since: the next one knows it from the journal, and the rollout pauses with the reason."""
    sent: list[str] = []

    def refuse(method: str, *arguments: object) -> None:
        if method == "apply":
            sent.append(str(arguments[0]))
            raise Rejected("denied by the admission webhook of the shop team")

    rolled.cycle.authority.release()
    rolled.cycle = rolled.process("refused:1", cluster=Hooked(rolled.world.cluster, refuse))
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    before = len(sent)
    assert before > 0
    rolled.cycle.authority.release()
    rolled.cycle = rolled.process("next:1", cluster=Hooked(rolled.world.cluster, refuse))
    paused = rolled.until(Phase.PAUSED)
    assert (paused.cause, len(sent)) == (Cause.FAILED, before)
    assert "admission webhook" in paused.reason
    name, outcome, _, says = written(rolled)[0]
    assert (name, outcome) == ("vm1", "failed")
    assert "admission webhook" in says


def gated(rolled: Rolled, bad: str = "") -> tuple[Replayed, ...]:
    """Let a third VM come in before a gate on success, with errors of one workload, and judge all looks again."""
    metrics = MemoryMetrics(rolled.world.clock)
    rolled.policy = policy(steps=[{**step, "gates": ["success"]} for step in STEPS], gates=GATES)
    rolled.cycle.authority.release()
    rolled.cycle = rolled.process("gated:1", metrics=metrics)
    rolled.begin(*mixed(vm(1), vm(2), vm(3)))
    for _ in range(30):
        served(rolled, metrics, bad)
        rolled.look()
    return again(rolled)


def again(rolled: Rolled, *changed: str) -> tuple[Replayed, ...]:
    """The looks of the newest rollout as they are judged with settings changed."""
    kept = rolled.world.store.rollouts
    return replayed(kept, kept.history(1)[0], changed, Library())


@pytest.mark.parametrize("bad", ["", "vm3"])
def test_a_replay_says_what_was_said(rolled: Rolled, bad: str) -> None:
    """Look by look, from the answers that were kept."""
    looks = gated(rolled, bad)
    assert len(looks) >= 2
    assert [one.then for one in looks] == [one.now for one in looks]
    assert any(one.stops for one in looks) is bool(bad)


def test_a_replay_shows_what_other_thresholds_would_have_done(rolled: Rolled) -> None:
    """All requests to the canary fail: whoever asks for nothing stops at nothing; whoever asks for more samples waits."""
    looks = gated(rolled, "vm3")
    assert looks[-1].is_harm
    assert not any(one.stops for one in again(rolled, "success.min=0"))
    waiting = again(rolled, "success.samples=1000000")
    assert {one.verdict.reason for one in waiting} == {Reason.FEW}
    paused = again(rolled, "success.samples=1000000", "success.onNoData=pause")
    assert {one.consequence for one in paused} == {Consequence.PAUSE}


@pytest.mark.parametrize("wrong", ["success", "success.min", "other.min=1", "success.min=x", "success.nothing=1", ".min=1"])
def test_a_setting_that_no_gate_could_have_is_refused(wrong: str) -> None:
    """By the same rules as in a RolloutPolicy."""
    with pytest.raises(InvalidInput):
        altered({one["name"]: one for one in GATES}, [wrong])
