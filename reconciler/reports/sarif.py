"""The problems of a `check` as SARIF 2.1.0, which GitHub, GitLab and editors show beside the lines that they are about.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from reconciler import __version__
from reconciler.core.report import Report
from reconciler.errors import Problem, ProblemCode, Severity
from reconciler.reports.as_json import dumped
from reconciler.reports.safe import clean

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def text(report: Report, codes: Iterable[ProblemCode]) -> str:
    """Return the problems of a report as SARIF text; `codes` say what those of them mean that are known."""
    return dumped(document(report, codes))


def document(report: Report, codes: Iterable[ProblemCode]) -> dict[str, Any]:
    """Return the problems of a report as a SARIF log with one run."""
    meanings = {str(code): code.meaning for code in codes}
    found = sorted({problem.code for problem in report.problems})
    driver = {
        "name": "mesh-reconciler",
        "semanticVersion": __version__,
        "rules": [_rule(code, meanings.get(code, "")) for code in found],
    }
    at = {code: index for index, code in enumerate(found)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                # Columns count characters, as Git's YAML is read.
                "columnKind": "unicodeCodePoints",
                "results": [_result(problem, at[problem.code]) for problem in report.problems],
            }
        ],
    }


def _rule(code: str, meaning: str) -> dict[str, Any]:
    described = {"shortDescription": {"text": f"{meaning[:1].upper()}{meaning[1:]}."}} if meaning else {}
    return {"id": code, **described, "help": {"text": f"`reconciler explain {code}` says what it means."}}


def _result(problem: Problem, rule: int) -> dict[str, Any]:
    subject = " ".join(part for part in (problem.object, problem.field) if part)
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": _LEVELS[problem.severity],
        # `[text](target)` would be a link.
        "message": {"text": clean(f"{subject}: {problem.message}" if subject else problem.message).replace("](", "] (")},
        **({"locations": [_location(problem)]} if problem.place or subject else {}),
    }


def _location(problem: Problem) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if problem.place:
        region = {"startLine": problem.place.line, "startColumn": max(problem.place.column, 1)} if problem.place.line else None
        artifact = {"artifactLocation": {"uri": quote(problem.place.path, errors="replace")}}
        location["physicalLocation"] = {**artifact, "region": region} if region else artifact
    if problem.object:
        name = ".".join(part for part in (problem.object, problem.field) if part)
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return location
