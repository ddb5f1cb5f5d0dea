"""The one value that all renderers show."""

import pytest

from reconciler.core.changes import State
from reconciler.core.report import Verdict, Written
from tests.reports import samples


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict.VALID, 0),
        (Verdict.IN_SYNC, 0),
        (Verdict.APPLIED, 0),
        (Verdict.CHANGES, 2),
        (Verdict.REFUSED, 3),
        (Verdict.INVALID, 1),
        (Verdict.UNAVAILABLE, 1),
        (Verdict.FAILED, 1),
    ],
)
def test_every_verdict_has_its_exit_code(verdict: Verdict, code: int) -> None:
    """0 nothing to do or all done, 1 error, 2 changes are due, 3 refused by a guard."""
    assert verdict.exit_code == code


def test_objects_are_counted_by_state() -> None:
    """What is not among the differences is in sync."""
    report = samples.migration()
    assert (report.count(State.CREATE), report.count(State.UPDATE), report.count(State.DELETE)) == (3, 3, 1)
    assert report.count(State.IN_SYNC) == 207


def test_writes_are_counted_by_outcome() -> None:
    """Each write has one."""
    report = samples.failed()
    assert {outcome: report.written(outcome) for outcome in Written} == {
        Written.DONE: 2,
        Written.FAILED: 1,
        Written.UNKNOWN: 1,
        Written.NOT_STARTED: 2,
    }


def test_guards_are_those_of_all_units() -> None:
    """None where there is no plan."""
    assert samples.migration().guards == (samples.WHOLESALE, samples.PRUNING)
    assert samples.invalid().guards == ()


def test_problems_are_told_apart_by_weight() -> None:
    """Errors stop, warnings do not."""
    report = samples.invalid()
    assert [problem.code for problem in report.errors] == ["MR2021", "MR1005"]
    assert [problem.code for problem in report.warnings] == ["MR2422"]
