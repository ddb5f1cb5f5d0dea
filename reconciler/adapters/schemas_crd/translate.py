"""Structural schemas of Kubernetes -> JSON Schema, with what the API server does beyond it.

Objects take only the fields they list (the server would drop others), unless they are maps or keep unknown fields. Null is
dealt with before (`structure.without_nulls`). Fields with a default are never missing.
"""

from typing import Any

from reconciler.core.resources import Document

#: Keywords that mean the same on both sides.
_SAME = (
    "enum maxItems maxLength maxProperties maximum minItems minLength minProperties minimum multipleOf pattern uniqueItems"
).split()
#: A whole number without a format is one of 64 bits.
_INTEGER_BITS = {"int32": 32, "int64": 64}
_BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_TYPE_META: Document = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def translate(schema: Document) -> Document:
    """Return the JSON Schema (draft 2020-12) of a CRD version's openAPIV3Schema."""
    root = _structural(schema)
    root["properties"] = {**_TYPE_META, **root.get("properties", {})}
    return root


def _structural(schema: Document) -> Document:
    """Translate a schema on the spine: types, fields, items, and the conditions on values."""
    result = _conditions(schema)
    kept = schema.get("x-kubernetes-preserve-unknown-fields")
    if kept and not schema.get("properties"):
        return result
    if properties := schema.get("properties"):
        result["properties"] = {name: _structural(field) for name, field in properties.items()}
    if schema.get("x-kubernetes-embedded-resource"):
        result["properties"] = {**_TYPE_META, **result.get("properties", {})}
    if "items" in schema:
        result["items"] = _structural(schema["items"])
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        result["additionalProperties"] = _structural(others)
    elif schema.get("type") == "object" and not kept and others is not True:
        # With a list of fields, even an empty one, the library names those that are not in it.
        result.setdefault("properties", {})
        result["additionalProperties"] = False
    return result


def _conditions(schema: Document) -> Document:
    """Translate what a schema demands of a value, without closing objects: so it stands inside `oneOf` and its like, too."""
    result: Document = {name: schema[name] for name in _SAME if name in schema}
    _set_type(result, schema)
    for bound, exclusive in (("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")):
        if schema.get(exclusive) is True and bound in result:
            result[exclusive] = result.pop(bound)
    defaulted = {name for name, field in schema.get("properties", {}).items() if isinstance(field, dict) and "default" in field}
    if required := [name for name in schema.get("required", ()) if name not in defaulted]:
        result["required"] = required
    if schema.get("format") == "byte":
        result["allOf"] = [{"pattern": _BASE64}]
    for name in ("oneOf", "anyOf", "allOf"):
        if name in schema:
            result[name] = [*result.get(name, ()), *(_nested(one) for one in schema[name])]
    if "not" in schema:
        result["not"] = _nested(schema["not"])
    return result


def _nested(schema: Document) -> Document:
    result = _conditions(schema)
    if properties := schema.get("properties"):
        result["properties"] = {name: _nested(field) for name, field in properties.items()}
    if "items" in schema:
        result["items"] = _nested(schema["items"])
    return result


def _set_type(result: Document, schema: Document) -> None:
    kind: Any = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
    elif kind:
        result["type"] = kind
    if kind == "integer":
        bits = _INTEGER_BITS.get(schema.get("format", ""), 64)
        result["minimum"] = max(result.get("minimum", -(2 ** (bits - 1))), -(2 ** (bits - 1)))
        result["maximum"] = min(result.get("maximum", 2 ** (bits - 1) - 1), 2 ** (bits - 1) - 1)
    if schema.get("nullable"):
        for name in ("type", "enum"):
            if name in result:
                given = result[name] if isinstance(result[name], list) else [result[name]]
                result[name] = [*given, None if name == "enum" else "null"]
