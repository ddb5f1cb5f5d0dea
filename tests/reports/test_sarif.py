"""Problems as SARIF 2.1.0."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reconciler.cli.explain import codes
from reconciler.core.report import Report, Verdict
from reconciler.errors import Place, Problem, Severity
from reconciler.reports import sarif
from tests.reports import extremes, samples

#: As published by the standard's editors (2.1.0-rtm.5 is the final text), taken from the npm package @microsoft/jest-sarif
#: 1.0.0-beta.0 (MIT licence), lib/schemas.
PUBLISHED = Path(__file__).with_name("sarif-2.1.0-rtm.5.json")
ODD = (
    Problem("MR6214", "no place"),
    Problem("MR9999", "no such code", Severity.INFO, Place("a b#c?d%.yaml")),
    Problem("MR2021", "no line", Severity.WARNING, Place("../base/ü.yaml"), "spec.hosts[0]", "ServiceEntry shop/billing"),
    Problem("MR2021", "no column", place=Place("a.yaml", 7)),
)


def schema() -> dict[str, Any]:
    """The published schema, without two patterns (for languages, which we do not tell) that are no regular expressions."""
    found: dict[str, Any] = json.loads(PUBLISHED.read_text("utf-8"))
    for part in ("run", "toolComponent"):
        del found["definitions"][part]["properties"]["language"]["pattern"]
    return found


@pytest.mark.parametrize(
    "report",
    [samples.checked(), samples.invalid(), extremes.hostile(), samples.checked(Verdict.INVALID, ODD)],
    ids=["good", "bad", "hostile", "odd"],
)
def test_it_fits_the_published_schema(report: Report) -> None:
    """And each result names a rule that is listed, which the schema cannot say."""
    document = json.loads(sarif.text(report, codes()))
    validator = jsonschema_rs.validator_for(schema(), validate_formats=True)
    assert [(error.instance_path, error.message) for error in validator.iter_errors(document)] == []
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one.code for one in report.problems]
    assert len({rule["id"] for rule in rules}) == len(rules)


def test_the_schema_can_refuse() -> None:
    """What it is asked above it would answer otherwise, were a level, a line or a field wrong."""
    validator = jsonschema_rs.validator_for(schema(), validate_formats=True)
    for path, value in (("level", "info"), ("message", {}), ("rank", "high"), ("locations", [{"physicalLocation": {}}])):
        document = json.loads(sarif.text(samples.checked(problems=ODD), codes()))
        document["runs"][0]["results"][0][path] = value
        assert not validator.is_valid(document), path


def test_a_problem_becomes_a_result() -> None:
    """With the meaning of its code, and the place relative to the folder that was asked for."""
    document = sarif.document(samples.checked(Verdict.INVALID, samples.PROBLEMS[:1]), codes())
    assert document["runs"][0]["tool"]["driver"]["rules"] == [
        {
            "id": "MR2021",
            "shortDescription": {"text": "A port number is not within 1 to 65535."},
            "help": {"text": "`reconciler explain MR2021` says what it means."},
        }
    ]
    assert document["runs"][0]["results"] == [
        {
            "ruleId": "MR2021",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": "ServiceEntry shop/billing spec.ports[0].number: is 70000: use 1 to 65535"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "production/shop/billing/service-entry.yaml"},
                        "region": {"startLine": 12, "startColumn": 15},
                    },
                    "logicalLocations": [
                        {"fullyQualifiedName": "ServiceEntry shop/billing.spec.ports[0].number", "kind": "object"}
                    ],
                }
            ],
        }
    ]


def test_a_place_without_a_line_has_no_region() -> None:
    """A file that cannot be read has no line 0."""
    problem = Problem("MR0911", "m", place=Place("a b#c.yaml"))
    (result,) = sarif.document(samples.checked(problems=(problem,)), codes())["runs"][0]["results"]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "a%20b%23c.yaml"}}}]


def test_a_problem_without_a_place_has_none() -> None:
    """And a code that no table knows has no description."""
    document = sarif.document(samples.checked(problems=(Problem("MR9999", "m"),)), codes())
    assert "locations" not in document["runs"][0]["results"][0]
    assert "shortDescription" not in document["runs"][0]["tool"]["driver"]["rules"][0]


@pytest.mark.case("W-08")
def test_messages_hold_no_links() -> None:
    """``[text](target)`` in a message would be one."""
    problem = Problem("MR2021", "[click](javascript:alert(1))")
    (result,) = sarif.document(samples.checked(problems=(problem,)), codes())["runs"][0]["results"]
    assert result["message"]["text"] == "[click] (javascript:alert(1))"
