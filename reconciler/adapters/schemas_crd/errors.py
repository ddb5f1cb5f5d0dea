"""Errors of the JSON Schema library -> problems, in words of our own: its messages repeat values, and values may be secrets."""

from collections.abc import Iterator
from typing import Any

from reconciler.adapters.schemas_crd.codes import Code
from reconciler.core.manifests.paths import child, render
from reconciler.errors import Problem

_LIMITS = {
    "maxItems": "has more than {} items: remove some",
    "minItems": "has fewer than {} items: add some",
    "maxLength": "has more than {} characters: shorten it",
    "minLength": "has fewer than {} characters: fill it in",
    "maxProperties": "has more than {} entries: remove some",
    "minProperties": "has fewer than {} entries: add some",
    "maximum": "is above {}: lower it",
    "minimum": "is below {}: raise it",
    "exclusiveMaximum": "is not below {}: lower it",
    "exclusiveMinimum": "is not above {}: raise it",
}
#: What the API server calls these errors; after them it evaluates no rules.
_BLOCKING = frozenset({"enum", "required", "maxLength", "maxItems", "maxProperties", "type"})


def is_blocking(error: Any) -> bool:
    """Tell whether the server evaluates no rules after this error."""
    return error.kind.name in _BLOCKING


def problems(error: Any) -> Iterator[Problem]:
    """Yield the problems that one error of the library stands for."""
    path = render(error.instance_path)
    match error.kind.name:
        case "additionalProperties":
            for name in error.kind.unexpected:
                message = "is not in the CRD of your Istio, which would drop it: correct the name, or upgrade Istio"
                yield Problem(Code.UNKNOWN_FIELD.value, message, field=child(path, name))
        case "required":
            yield Problem(Code.SCHEMA.value, "is required: add it", field=child(path, error.kind.property))
        case name:
            yield Problem(Code.SCHEMA.value, _explanation(name, error.kind), field=path)


def _explanation(name: str, kind: Any) -> str:
    if name in _LIMITS:
        return _LIMITS[name].format(kind.limit)
    match name:
        case "type":
            return f"is not of the type {' or '.join(kind.types)}: correct it"
        case "enum":
            return f"is not one of {', '.join(map(str, kind.options))}: correct it"
        case "pattern":
            return f"does not match the pattern {kind.pattern}: correct it"
        case "oneOf" | "oneOfMultipleValid":
            return "sets fields that exclude each other, or lacks one of them: keep exactly one"
        case _:
            return f"does not fit the CRD's schema ({name}): correct it"
