"""The report as JSON, held against its schema."""

import json
from datetime import datetime
from typing import Any

import jsonschema_rs
import pytest

from reconciler.core.changes import FieldDiff, ObjectDiff, State
from reconciler.core.report import Report, Verdict
from reconciler.reports import as_json
from tests.reports import extremes, samples

SAMPLES = [pytest.param(report, id=name) for name, report in extremes.everything()]


def closed(schema: Any) -> Any:
    """Return a schema that refuses what it does not list, and demands what it does, so that nothing goes undocumented."""
    if isinstance(schema, dict):
        return {name: False if name == "additionalProperties" else closed(one) for name, one in schema.items()}
    return [closed(one) for one in schema] if isinstance(schema, list) else schema


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return all parts of a schema that describe objects."""
    if isinstance(schema, list):
        return [found for one in schema for found in objects(one)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if "properties" in schema else []
    return here + [found for one in schema.values() for found in objects(one)]


@pytest.mark.parametrize("report", SAMPLES)
def test_every_report_fits_the_schema(report: Report) -> None:
    """And no field is left that the schema does not list."""
    document = json.loads(as_json.text(report))
    for schema in (as_json.schema(), closed(as_json.schema())):
        validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        assert [(error.instance_path, error.message) for error in validator.iter_errors(document)] == []


def test_every_field_is_documented() -> None:
    """By a description; objects stay open, since fields may be added within a version."""
    for schema in objects(as_json.schema()):
        assert schema["additionalProperties"] is True
        for name, field in schema["properties"].items():
            assert field.get("description") or "$ref" in field, name


@pytest.mark.case("W-17")
@pytest.mark.parametrize("report", SAMPLES)
def test_the_text_is_printable(report: Report) -> None:
    """Whoever prints it to a terminal is not steered by it; read back, it is the same."""
    text = as_json.text(report)
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == as_json.document(report)
    text.encode()


def test_a_column_that_is_absent_is_left_out_and_null_is_not() -> None:
    """The one means that there is no such field, the other that it holds nothing."""
    report = samples.report(
        "diff",
        Verdict.CHANGES,
        differences=(ObjectDiff(samples.ENTRY, State.UPDATE, (FieldDiff("spec.x", git=None),)),),
    )
    (field,) = as_json.document(report)["differences"][0]["fields"]
    assert field == {"path": "spec.x", "git": None, "managers": []}


@pytest.mark.case("D-10")
def test_nothing_is_cut() -> None:
    """Programs get the whole value."""
    fields = as_json.document(extremes.huge())["differences"][0]["fields"]
    assert len(fields[0]["git"]) == 1_000_000
    assert len(fields) == 502


@pytest.mark.case("D-11")
def test_secrets_are_hidden_here_too() -> None:
    """Reports are kept in the history and posted to pull requests."""
    assert "s3cr3t" not in as_json.text(extremes.hostile())


def test_times_are_rfc_3339_in_utc() -> None:
    """Ending with Z."""
    document = as_json.document(samples.migration())
    assert document["started"] == "2026-11-23T03:12:44Z"
    assert datetime.fromisoformat(document["plan"]["units"][2]["guards"][0]["until"]).tzinfo


def test_shares_are_numbers() -> None:
    """From 0 to 1, six digits."""
    (split,) = as_json.document(samples.migration())["plan"]["units"][1]["after"]
    assert [one["share"] for one in split["endpoints"]] == [0.3, 0.3, 0.3, *[0.033333] * 3]
