"""What checks write into."""

import pytest

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, number, shown, step
from reconciler.errors import Problem, Severity


def test_problems_keep_their_order_and_their_weight() -> None:
    """Errors and warnings stand in the order in which they were found; the loader fills place and object."""
    found = Findings()
    found.warning(Code.DEPRECATED, "spec.a", "old")
    found.error(Code.REQUIRED, "spec.b", "missing")
    assert found.all() == (
        Problem("MR2066", "old", Severity.WARNING, field="spec.a"),
        Problem("MR2063", "missing", Severity.ERROR, field="spec.b"),
    )
    only_errors = Findings()
    only_errors.errors_of(found)
    assert only_errors.all() == found.all()[1:]


@pytest.mark.parametrize(
    ("key", "expected"),
    [("app", "spec.labels.app"), ("a.b/c", 'spec.labels["a.b/c"]'), ('"\n', 'spec.labels["??"]'), ("1", 'spec.labels["1"]')],
)
def test_paths_of_keys(key: str, expected: str) -> None:
    """A plain word stands behind a dot, anything else in brackets, and nothing breaks out of these."""
    assert step("spec.labels", key) == expected


def test_paths_of_long_keys_are_cut() -> None:
    """A path stays readable."""
    assert len(step("spec.labels", "/" * 1000)) < 120


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", "'a'"), (5, "5"), (None, "None"), ([1], "this value"), (10**18, "a number of more than 18 digits")],
)
def test_shown_values(value: object, expected: str) -> None:
    """Texts are quoted, what is no scalar stays unsaid."""
    assert shown(value) == expected


@pytest.mark.parametrize(("value", "expected"), [(3, 3), (0.5, 0.5), (True, 0), ("3", 0), (None, 0)])
def test_numbers(value: object, expected: float) -> None:
    """Only numbers are numbers; true and false are none."""
    assert number(value) == expected
