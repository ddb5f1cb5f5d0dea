"""One case judged the way `reconciler check` judges a file, and held against Istio's word."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.manifests import parse_file
from reconciler.core.validation import STRICTER
from reconciler.errors import Problem, Severity
from tests.conformance.cases import Case

_STRICTER = {code.value: entry for entry in STRICTER for code in entry.codes}


class Outcome(StrEnum):
    """How our word compares with Istio's."""

    AGREES = "agrees"
    ON_PURPOSE = "on purpose"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Compared:
    """A case, our problems, how they compare, and the reason of a difference that is meant."""

    case: Case
    problems: tuple[Problem, ...]
    outcome: Outcome
    reason: str = ""


def compare(case: Case) -> Compared:
    """Judge one case."""
    problems = parse_file(case.path.name, "", case.data).problems
    if _agrees(case, problems):
        return Compared(case, problems, Outcome.AGREES)
    meant = {problem.code for problem in problems} & _STRICTER.keys()
    if meant and _explained(case, problems, meant):
        return Compared(case, problems, Outcome.ON_PURPOSE, " ".join(_STRICTER[code].reason for code in sorted(meant)))
    return Compared(case, problems, Outcome.UNEXPLAINED)


def _agrees(case: Case, problems: Collection[Problem]) -> bool:
    """Tell whether the verdict is Istio's and, for what is accepted, whether there is a warning exactly where Istio has one."""
    severities = {problem.severity for problem in problems}
    if (Severity.ERROR in severities) is case.accepted:
        return False
    return not case.accepted or case.warned is None or (Severity.WARNING in severities) is case.warned


def _explained(case: Case, problems: Collection[Problem], meant: set[str]) -> bool:
    """Tell whether all would agree but for what is stricter on purpose: without it, or with a warning in its place."""
    others = [problem for problem in problems if problem.code not in meant]
    return _agrees(case, others) or _agrees(case, [*others, Problem("", "", Severity.WARNING)])
