"""Structural schemas of Kubernetes, as JSON Schema."""

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from reconciler.adapters.schemas_crd.translate import translate

KEEP = "x-kubernetes-preserve-unknown-fields"


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether a value fits a field with this schema."""
    root = {"type": "object", "properties": {"x": schema}}
    return Draft202012Validator(translate(root)).is_valid({"apiVersion": "v1", "kind": "K", "metadata": {"any": 1}, "x": value})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string"}, ["", "a"], [1, None, [], True]),
        ({"type": "string", "nullable": True, "enum": ["a"]}, ["a", None], ["b", 1]),
        ({"type": "string", "format": "byte"}, ["", "YQ=="], ["a", "YQ"]),
        ({"type": "string", "format": "date-time"}, ["not checked"], []),
        ({"type": "string", "maxLength": 2, "pattern": "^[a-z]+$"}, ["ab"], ["abc", "A", ""]),
        ({"type": "integer"}, [1, -1, 2**63 - 1], [2**63, 1.5, "1", True]),
        ({"type": "integer", "format": "int32"}, [2**31 - 1], [2**31, -(2**31) - 1]),
        ({"type": "integer", "minimum": 0, "maximum": 4294967295}, [0, 4294967295], [-1, 4294967296]),
        ({"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1}, [0.5, 1], [0, 1.5]),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, [1, "a"], [1.5, []]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 2}, [[], [1, 2]], [[1, 2, 3], ["a"], [None]]),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, [{}, {"a": "b"}], [{"b": 1}, {"a": 1}]),
        ({"type": "object"}, [{}], [{"a": 1}]),
        ({"type": "object", KEEP: True}, [{"a": 1}], [1]),
        ({"type": "object", "properties": {"a": {"type": "string"}}, KEEP: True}, [{"b": 1}], [{"a": 1}]),
        ({"type": "object", "additionalProperties": {"type": "string"}}, [{"a": "b"}], [{"a": 1}]),
        ({"type": "object", "additionalProperties": True}, [{"a": 1}], [1]),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, [{"kind": "K", "metadata": {"a": 1}}], [{"a": 1}]),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}, [{"a": ""}], [{}]),
        ({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "b"}}}, [{}], []),
    ],
)  # fmt: skip
def test_fields(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    """What the API server takes fits, what it refuses does not."""
    assert [value for value in good if not fits(schema, value)] == []
    assert [value for value in bad if fits(schema, value)] == []


def test_alternatives_do_not_close_objects() -> None:
    """Conditions inside `oneOf` and `not` look at some fields and leave the others alone."""
    either = [{"not": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}}, {"required": ["a"]}, {"required": ["b"]}]
    texts = {name: {"type": "string"} for name in "abc"}
    schema = {
        "type": "object",
        "properties": texts,
        "oneOf": either,
        "not": {"properties": {"c": {"enum": ["no"]}}, "required": ["c"]},
    }
    assert fits(schema, {"c": "x"})
    assert fits(schema, {"a": "x", "c": "x"})
    assert not fits(schema, {"a": "x", "b": "x"})
    assert not fits(schema, {"c": "no"})
