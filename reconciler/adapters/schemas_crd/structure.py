"""What JSON Schema cannot say of a document: lists that are sets or maps, rules in CEL, and null as absent.

`Node` is a thin copy of a schema: only the branches that lead to such lists and rules.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.adapters.schemas_crd.codes import Code
from reconciler.adapters.schemas_crd.rules import Rules
from reconciler.core.manifests.paths import child
from reconciler.core.resources import Document
from reconciler.errors import Problem


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a schema: its rules, the keys that tell its items apart (``None``: no such list), and what lies below."""

    rules: Rules = field(default_factory=Rules)
    unique_by: tuple[str, ...] | None = None
    fields: Mapping[str, "Node"] = field(default_factory=dict)
    values: "Node | None" = None
    items: "Node | None" = None

    @property
    def empty(self) -> bool:
        return not (self.rules.each or self.unique_by is not None or self.fields or self.values or self.items)


def build(schema: Document) -> Node | None:
    """Return the node of a structural schema, None where there is nothing of interest at or below it."""
    others = schema.get("additionalProperties")
    fields = {name: build(field) for name, field in schema.get("properties", {}).items()}
    node = Node(
        rules=Rules.of(schema.get("x-kubernetes-validations", ())),
        unique_by=_keys(schema),
        fields={name: one for name, one in fields.items() if one},
        values=build(others) if isinstance(others, dict) else None,
        items=build(schema["items"]) if "items" in schema else None,
    )
    return None if node.empty else node


def _keys(schema: Document) -> tuple[str, ...] | None:
    match schema.get("x-kubernetes-list-type"):
        case "set":
            return ()
        case "map":
            return tuple(schema.get("x-kubernetes-list-map-keys", ()))
        case _:
            return None


def problems(node: Node, value: Any, path: str = "", *, with_rules: bool) -> Iterator[Problem]:
    """Yield duplicates and broken rules at and below a value. Null and values of other types have none."""
    if value is None:
        return
    if with_rules:
        yield from node.rules.problems(value, path)
    if isinstance(value, list) and node.unique_by is not None:
        yield from _duplicates(value, node.unique_by, path)
    for step, one in _inside(value):
        below = node.items if isinstance(step, int) else node.fields.get(step) or node.values
        if below:
            yield from problems(below, one, child(path, step), with_rules=with_rules)


def _inside(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _duplicates(items: list[Any], keys: tuple[str, ...], path: str) -> Iterator[Problem]:
    """Yield items that equal an earlier one: as a whole in a set, by their keys in a map."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        compared = {key: item[key] for key in keys if key in item} if keys and isinstance(item, dict) else item
        identity = json.dumps(compared, sort_keys=True)
        if identity in seen:
            by = f"with the same {' and '.join(keys)}" if keys else "like this"
            yield Problem(
                Code.DUPLICATE.value, f"there is an item {by} already: change or remove one", field=child(path, index)
            )
        seen.add(identity)


def without_nulls(value: Any, schema: Any) -> Any:
    """Return the value as the server sees it: without fields that are null, where the schema does not allow null."""
    if isinstance(value, dict):
        below = schema if isinstance(schema, dict) else {}
        known, others = below.get("properties", {}), below.get("additionalProperties")
        return {
            name: without_nulls(one, known.get(name, others))
            for name, one in value.items()
            if one is not None or not _drops_null(known.get(name, others))
        }
    if isinstance(value, list):
        items = schema.get("items") if isinstance(schema, dict) else None
        return [without_nulls(one, items) for one in value]
    return value


def _drops_null(schema: Any) -> bool:
    return isinstance(schema, dict) and not schema.get("nullable")


def has_null(value: Any) -> bool:
    """Tell whether there is a null anywhere in a value."""
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    return any(map(has_null, value)) if isinstance(value, list) else value is None
