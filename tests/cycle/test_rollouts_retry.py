"""What was taken back is tried again when somebody says so: once, whatever came after it, and with the others of its group."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.core.plans import GuardCode
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document
from reconciler.core.rollouts.records import EvidenceKind
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.seen import Word
from reconciler.cycle.status import read_status
from reconciler.reports.advice import advice
from reconciler.reports.words import goes_on
from reconciler.rollouts.saying import Said, say, to_try_again
from tests.building import service_entry
from tests.cycle.test_rollouts import Rolled, policy, vm
from tests.worlds import TARGET, mixed

TWO, THREE, FOUR = (mixed(*map(vm, range(1, last + 1))) for last in (2, 3, 4))
HALF = {"vm": 100, "pod": 0}


def told(rolled: Rolled, word: Word, rollouts: Sequence[Rollout]) -> list[str]:
    """A person says something to these; returns their ids."""
    for one in rollouts:
        say(rolled.world.store.rollouts, one, Said(word, "eve", "tired", rolled.world.clock.now()))
    return [one.id for one in rollouts]


def retry(rolled: Rolled, name: str) -> list[str]:
    """A person types `retry`; returns the ids of the rollouts that hear of it."""
    return told(rolled, Word.RETRY, to_try_again(rolled.world.store.rollouts, name))


def taken_back(rolled: Rolled, documents: list[Document]) -> str:
    """Roll these out, abort, and revert; returns the id of the rollout."""
    rolled.begin(*documents)
    rolled.until(Phase.SOAKING, 1)
    told(rolled, Word.ABORT, [rolled.newest])
    found = rolled.until(Phase.IDLE)
    assert found.outcome is Outcome.UNDONE
    rolled.commit(*TWO)
    for _ in range(3):
        rolled.look()
    return found.id


def refused(report: Report) -> bool:
    """Whether nothing of it was written, for the content was refused before."""
    return report.verdict is Verdict.REFUSED and not report.results


@pytest.mark.parametrize("split", [None, HALF])
@pytest.mark.parametrize("by", ["id", "unit"])
def test_what_was_taken_back_and_reverted_is_tried_again_when_somebody_says_so(split: Document | None, by: str) -> None:
    """Committed again later, it is refused; the guard names the command, which begins one new attempt with its own record."""
    rolled = Rolled(policy=policy(**({"split": split} if split else {})))
    rolled.begin_with(*TWO)
    first = taken_back(rolled, THREE)
    other = taken_back(rolled, FOUR)
    rolled.commit(*THREE)
    report = rolled.look()
    assert refused(report)
    (guard,) = [one for one in report.guards if one.code == GuardCode.NO_ROLLOUT]
    assert goes_on(guard) == f"once Git says something else, or as a new attempt with `reconciler retry {first}`"
    assert f"reconciler retry {first} --reason WHY" in [one.command for one in advice(report)]
    world = rolled.world
    status = read_status(TARGET, world.store, world.lease(), world.clock.now())
    assert any(text.endswith(f"(for `reconciler retry {first}`)") for name, text in status.rows() if name == "waits")
    assert retry(rolled, first if by == "id" else "shop/billing") == ([first] if by == "id" else [first, other])
    for _ in range(2):
        rolled.look()
    new, kept = rolled.newest, world.store.rollouts
    old = kept.get(first)
    assert old
    assert (new.attempt, new.content, new.id != first) == (2, old.content, True)
    assert {one.name for one in kept.evidence(first) if one.kind is EvidenceKind.WORD} == {"abort", "retry"}
    rolled.until(Phase.SOAKING, 1)
    told(rolled, Word.ABORT, [rolled.newest])
    rolled.until(Phase.IDLE)
    retry(rolled, first)
    for _ in range(3):
        rolled.look()
    assert rolled.newest.id == new.id


def test_a_retry_begins_the_new_attempt_in_the_look_that_hears_it() -> None:
    """Whoever said it is not asked to say it again."""
    rolled = Rolled()
    rolled.begin_with(*TWO)
    rolled.begin(*THREE)
    rolled.until(Phase.SOAKING, 1)
    told(rolled, Word.ABORT, [rolled.newest])
    first = rolled.until(Phase.IDLE)
    retry(rolled, first.id)
    report = rolled.look()
    assert (rolled.newest.attempt, rolled.newest.phase) == (2, Phase.APPLYING)
    assert report.verdict is Verdict.CHANGES
    assert GuardCode.NO_ROLLOUT not in [one.code for one in report.guards]
    assert report.results


def grouped(rolled: Rolled, *weights: int) -> list[Document]:
    """Billing and shipping, which roll out as a group; the first VM of each weighs so much."""
    shipping = [vm(number, labels={"app": "shipping"}) for number in (3, 4)]
    entry = service_entry("shipping", workloadSelector={"labels": {"app": "shipping"}})
    documents = [*mixed(vm(1), vm(2)), entry, *shipping]
    for number, weight in zip((1, 3), weights, strict=False):
        (machine,) = [one for one in documents if one["metadata"]["name"] == f"vm{number}"]
        machine["spec"]["weight"] = weight
    rolled.policy = policy(group="pair")
    del rolled.policy["spec"]["serviceEntry"]
    return documents


def of_units(rolled: Rolled) -> dict[str, tuple[int, Phase, int]]:
    """The attempt, the phase and the step of each unit's rollout."""
    return {one.unit: (one.attempt, one.phase, one.step) for one in rolled.world.store.rollouts.standing()}


@pytest.mark.parametrize("reverted", [False, True])
def test_a_retry_of_one_unit_brings_along_the_group_that_went_back_with_it(*, reverted: bool) -> None:
    """Both begin anew and go step by step together, as the first time; also where Git said something else in between."""
    rolled = Rolled()
    rolled.begin_with(*grouped(rolled))
    rolled.begin(*grouped(rolled, 9, 9))
    rolled.until(Phase.SOAKING, 1)
    told(rolled, Word.ABORT, [rolled.newest])
    for _ in range(25):
        rolled.look()
    assert [(attempt, phase) for attempt, phase, _ in of_units(rolled).values()] == [(1, Phase.IDLE)] * 2
    for weights in ((), (9, 9)) if reverted else ():
        rolled.commit(*grouped(rolled, *weights))
        rolled.look()
    assert len(retry(rolled, "shop/billing")) == 2
    for _ in range(40):
        rolled.look()
        assert rolled.world.store.rollouts.refusals() == ()
        steps = [step for attempt, _, step in of_units(rolled).values() if attempt == 2]
        assert len(steps) != 1
        assert max(steps, default=0) - min(steps, default=0) <= 1
    assert rolled.world.spec("WorkloadEntry", "vm1")["weight"] == rolled.world.spec("WorkloadEntry", "vm3")["weight"] == 9


def test_a_newer_commit_for_one_of_a_group_leaves_them_together() -> None:
    """The other one waits until it has caught up, and harm in either still takes both back."""
    rolled = Rolled()
    rolled.begin_with(*grouped(rolled))
    rolled.begin(*grouped(rolled, 9, 9))
    rolled.until(Phase.SOAKING, 1)
    rolled.commit(*grouped(rolled, 40, 9))
    for _ in range(4):
        rolled.look()
    shipping, billing = rolled.world.store.rollouts.standing()
    assert (shipping.unit, shipping.step, billing.unit) == ("shop/shipping", 1, "shop/billing")
    assert shipping.commit != billing.commit
    told(rolled, Word.ABORT, [billing])
    for _ in range(25):
        rolled.look()
    assert {one.outcome for one in rolled.world.store.rollouts.standing()} == {Outcome.UNDONE}
    assert "weight" not in rolled.world.spec("WorkloadEntry", "vm3")
