"""What the schema says, in words of our own."""

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from reconciler.adapters.schemas_crd.errors import is_blocking, problems

CLOSED = {"properties": {}, "additionalProperties": False}
EITHER = {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}


def told(schema: dict[str, Any], value: Any) -> list[str]:
    """Return field and message of each error."""
    errors = list(Draft202012Validator(schema).iter_errors(value))
    return [f"{problem.field}: {problem.message}" for error in errors for problem in problems(error)]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"properties": {"a": {"type": "string"}}}, {"a": 1}, ["a: is not of the type string: correct it"]),
        ({"type": ["integer", "string"]}, [], [": is not of the type integer or string: correct it"]),
        ({"items": {"enum": ["A", "B"]}}, ["C"], ["[0]: is not one of A, B: correct it"]),
        ({"required": ["a"]}, {}, ["a: is required: add it"]),
        ({"maxLength": 1}, "abc", [": has more than 1 characters: shorten it"]),
        ({"minItems": 1}, [], [": has fewer than 1 items: add some"]),
        ({"exclusiveMinimum": 0}, 0, [": is not above 0: raise it"]),
        ({"pattern": "^a$"}, "b", [": does not match the pattern ^a$: correct it"]),
        (EITHER, {"a": 1, "b": 1}, [": sets fields that exclude each other, or lacks one of them: keep exactly one"]),
        ({"not": {}}, 1, [": does not fit the CRD's schema (not): correct it"]),
    ],
)  # fmt: skip
def test_messages(schema: dict[str, Any], value: Any, expected: list[str]) -> None:
    """What is wrong and what to do, with the field."""
    assert told(schema, value) == expected


def test_unknown_fields_are_told_one_by_one() -> None:
    """With the field itself, not with the object around it."""
    fields = [line.partition(":")[0] for line in told({"properties": {"a": CLOSED}}, {"a": {"b": 1, "c/d": 2}})]
    assert fields == ["a.b", 'a["c/d"]']


@pytest.mark.case("M-15")
def test_values_are_never_shown() -> None:
    """They may be secrets; the library's own messages repeat them."""
    secret = "hunter2"
    for schema in ({"type": "integer"}, {"enum": ["a"]}, {"pattern": "^a$"}, {"maxLength": 1}, {"oneOf": [{"type": "null"}]}):
        assert secret not in "".join(told(schema, secret))


def test_errors_after_which_the_server_evaluates_no_rules() -> None:
    """Wrong types block, wrong ranges do not."""
    (wrong_type,) = Draft202012Validator({"type": "string"}).iter_errors(1)
    (out_of_range,) = Draft202012Validator({"minimum": 1}).iter_errors(0)
    assert is_blocking(wrong_type)
    assert not is_blocking(out_of_range)
