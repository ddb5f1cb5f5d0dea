"""Lists that are sets or maps, and null."""

from typing import Any

import pytest

from reconciler.adapters.schemas_crd.structure import build, has_null, problems, without_nulls


def duplicates(schema: dict[str, Any], value: Any) -> list[str]:
    """Return the fields that are there twice."""
    node = build({"type": "object", "properties": {"x": {"type": "array", **schema}}})
    return [problem.field for problem in problems(node, {"x": value}, with_rules=True)] if node else ["no node"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], []),
        (["a", "b"], []),
        (["a", "b", "a", "a"], ["x[2]", "x[3]"]),
        ([1, "1", True], []),
        ([{"a": 1}, {"a": 1}], ["x[1]"]),
        ("a", []),
    ],
)
def test_sets(value: Any, expected: list[str]) -> None:
    """Items of a set differ."""
    assert duplicates({"x-kubernetes-list-type": "set"}, value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"name": "a"}, {"name": "b"}], []),
        ([{"name": "a", "v": 1}, {"name": "a", "v": 2}], ["x[1]"]),
        ([{"v": 1}, {"v": 2}], ["x[1]"]),
        ([{"name": "a"}, {}], []),
    ],
)
def test_maps(value: Any, expected: list[str]) -> None:
    """Items of a list that is a map differ in their keys, of which an absent one is one too."""
    assert duplicates({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}, value) == expected


def test_maps_with_several_keys() -> None:
    """All of them together tell items apart."""
    schema = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"]}
    assert duplicates(schema, [{"port": 1, "protocol": "a"}, {"port": 1, "protocol": "b"}, {"port": 1, "protocol": "a"}]) == [
        "x[2]"
    ]


def test_branches_without_lists_and_rules_are_left_out() -> None:
    """Where a schema has neither, there is nothing to walk."""
    assert build({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}) is None


def test_lists_below_maps_and_lists_are_found() -> None:
    """Wherever they stand."""
    names = {"type": "array", "x-kubernetes-list-type": "set"}
    schema = {"type": "object", "additionalProperties": {"type": "array", "items": names}}
    node = build(schema)
    assert node
    assert [one.field for one in problems(node, {"a/b": [[1, 1]]}, with_rules=False)] == ['["a/b"][0][1]']


def test_null_is_absent_unless_the_schema_knows_null() -> None:
    """Fields and entries of maps that are null are dropped, items of lists are not."""
    text = {"type": "string"}
    fields = {"a": text, "b": {**text, "nullable": True}, "c": {"type": "array", "items": text}}
    schema = {"properties": {**fields, "m": {"additionalProperties": text}}}
    document = {"a": None, "b": None, "c": [None, {"d": None}], "m": {"x": None, "y": "z"}, "unknown": None}
    assert has_null(document)
    assert without_nulls(document, schema) == {"b": None, "c": [None, {"d": None}], "m": {"y": "z"}, "unknown": None}
    assert not has_null({"a": [{"b": ""}]})
