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
from reconciler.reports.advice import advice
from reconciler.reports.words import goes_on
from reconciler.saying import Said, say, to_try_again
from tests.test_cycle_rollouts import Rolled, policy, vm
from tests.worlds import mixed

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
    assert retry(rolled, first if by == "id" else "shop/billing") == ([first] if by == "id" else [first, other])
    for _ in range(2):
        rolled.look()
    new, kept = rolled.newest, rolled.world.store.rollouts
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
