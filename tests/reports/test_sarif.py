"""Problems as SARIF 2.1.0."""

import json

import jsonschema_rs
import pytest

from reconciler.core.report import Report, Verdict
from reconciler.errors import Place, Problem
from reconciler.reports import sarif
from tests.reports import extremes, samples

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
REGION = {
    "type": "object",
    "required": ["startLine"],
    "properties": {"startLine": {"minimum": 1}, "startColumn": {"minimum": 1}},
}
PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "properties": {"uri": {"type": "string", "format": "uri-reference"}},
        },
        "region": REGION,
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message"],
    "properties": {
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["error", "warning", "note"]},
        "message": TEXT,
        "locations": {"type": "array", "items": {"properties": {"physicalLocation": PHYSICAL}}},
    },
}
RULE = {"type": "object", "required": ["id"], "properties": {"shortDescription": TEXT}}
TOOL = {"type": "object", "properties": {"driver": {"type": "object", "required": ["name", "rules"]}}}
#: What of the standard's schema concerns what we write.
SCHEMA = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {"tool": TOOL, "results": {"type": "array", "items": RESULT}},
            },
        },
    },
}


@pytest.mark.parametrize("report", [samples.checked(), samples.invalid(), extremes.hostile()], ids=["good", "bad", "hostile"])
def test_it_has_the_standards_shape(report: Report) -> None:
    """Each result names a rule that is listed, a level, a message and its place."""
    document = json.loads(sarif.text(report))
    validator = jsonschema_rs.validator_for(SCHEMA, validate_formats=True)
    assert [error.message for error in validator.iter_errors(document)] == []
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


def test_a_problem_becomes_a_result() -> None:
    """With the meaning of its code, and the place relative to the folder that was asked for."""
    document = sarif.document(samples.checked(Verdict.INVALID, samples.PROBLEMS[:1]))
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
    (result,) = sarif.document(samples.checked(problems=(Problem("MR0911", "m", place=Place("a b#c.yaml")),)))["runs"][0][
        "results"
    ]
    assert result["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "a%20b%23c.yaml"}}}]


def test_a_problem_without_a_place_has_none() -> None:
    """And a code that no table knows has no description."""
    document = sarif.document(samples.checked(problems=(Problem("MR9999", "m"),)))
    assert "locations" not in document["runs"][0]["results"][0]
    assert "shortDescription" not in document["runs"][0]["tool"]["driver"]["rules"][0]


@pytest.mark.case("W-08")
def test_messages_hold_no_links() -> None:
    """``[text](target)`` in a message would be one."""
    problem = Problem("MR2021", "[click](javascript:alert(1))")
    (result,) = sarif.document(samples.checked(problems=(problem,)))["runs"][0]["results"]
    assert result["message"]["text"] == "[click] (javascript:alert(1))"
