"""Document -> what is wrong with its shape, in sentences that say what to do."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.models import MODELS, base
from reconciler.core.manifests.models.base import Strict
from reconciler.core.manifests.models.metadata import SERVER_FIELDS, metadata_problems
from reconciler.core.manifests.paths import render
from reconciler.core.resources import Document
from reconciler.errors import Problem

_PATTERNS = {
    base.LABEL: "must be at most 63 lower-case letters, digits and '-', and begin and end with a letter or digit",
    base.SUBDOMAIN: "must be lower-case letters, digits, '-' and '.', and begin and end with a letter or digit",
    base.DURATION: "must be a length of time such as 90s, 5m or 1h30m",
    base.EXPOSURE: "must be a percentage such as 10% or 0.5%",
    base.KIND: "must be the name of a kind: letters, digits and '-'",
    base.GROUP: "must be an API group such as networking.istio.io, or empty",
    base.HEADER: "must be the name of a header: letters, digits, '-' and '_'",
    base.URL: "must be an http or https URL without user and password",
    base.METRIC_LABEL: "must be the name of a label of metrics: letters, digits and '_', and begin with no digit",
    base.CLOCK: "must be a time of day such as 09:00",
    base.PRINTABLE: "must be printable ASCII characters",
}
_TYPES = {
    "string_type": ("text", "put the value in quotes"),
    "int_type": ("a whole number", "write plain digits without quotes"),
    "float_type": ("a number", "write plain digits without quotes"),
    "bool_type": ("true or false", "write one of the two without quotes"),
    "list_type": ("a list", "write items that begin with '-'"),
    "dict_type": ("an object", "write fields with values"),
    "model_type": ("an object", "write fields with values"),
}


def shape_problems(kind: str, document: Document) -> tuple[Problem, ...]:
    """Return what the model of a kind, and Kubernetes' rules for labels and annotations, say against a document.

    Problems have `field` set and `place` not. Values never appear in them: an annotation may hold a secret.
    """
    model = MODELS[kind]
    try:
        model.__pydantic_validator__.validate_python(document)
    except ValidationError as error:
        found = [_translate(model, detail) for detail in error.errors(include_url=False)]
        return (*found, *_label_problems(document))
    return tuple(_label_problems(document))


def _label_problems(document: Document) -> Iterator[Problem]:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return
    texts = {
        name: {key: value for key, value in metadata[name].items() if isinstance(value, str)}
        for name in ("labels", "annotations")
        if isinstance(metadata.get(name), dict)
    }
    for steps, message in metadata_problems(texts):
        yield Problem(Code.LABEL, message, field=render(("metadata", *steps)))


def _translate(model: type[Strict], error: ErrorDetails) -> Problem:
    """Turn one of pydantic's errors into a problem with a stable code."""
    steps, context = error["loc"], error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return _unknown_field(model, steps)
        case "missing":
            return Problem(Code.REQUIRED, "is required: add it", field=render(steps))
        case "duplicate_name":
            steps = (*steps, context["index"], "name")
            code, message = Code.BOUND, "is the name of an earlier item already: names must differ, rename one"
        case "rule":
            code, message = Code.BOUND, error["msg"]
        case "string_pattern_mismatch":
            code, message = Code.PATTERN, _PATTERNS[context["pattern"]]
        case kind if kind in _TYPES:
            code, message = Code.TYPE, _wrong_type(kind, error["input"])
        case kind:
            code, message = Code.BOUND, _out_of_bounds(kind, context) or error["msg"]
    return Problem(code, message, field=render(steps))


def _wrong_type(kind: str, given: Any) -> str:
    expected, advice = _TYPES[kind]
    if kind == "int_type" and isinstance(given, float):
        advice = "write it without a fraction"
    if kind in ("string_type", "int_type") and isinstance(given, dict | list):
        return f"must be {expected}"
    return f"must be {expected}: {advice}"


def _out_of_bounds(kind: str, context: dict[str, Any]) -> str:
    match kind:
        case "literal_error":
            return f"must be one of {context['expected'].replace(' or ', ', ')}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "greater_than":
            return f"must be greater than {context['gt']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "string_too_long":
            return f"may have at most {context['max_length']} characters: shorten it"
        case "string_too_short":
            return "must not be empty"
        case "too_long":
            return f"may have at most {context['max_length']} items: remove some"
        case "too_short":
            return f"must have at least {context['min_length']} items: add some"
        case _:
            return ""


def _unknown_field(model: type[Strict], steps: Sequence[int | str]) -> Problem:
    name, field = str(steps[-1]), render(steps)
    if name in SERVER_FIELDS and (len(steps) == 1 or steps[0] == "metadata"):
        return Problem(Code.SERVER_FIELD, "is written by the cluster, not by authors: remove it", field=field)
    near = get_close_matches(name, _fields_at(model, tuple(steps[:-1])), n=1)
    hint = f"did you mean {near[0]}? Correct the name or remove it" if near else "correct the name or remove it"
    return Problem(Code.UNKNOWN_FIELD, f"is not a known field: {hint}", field=field)


@cache
def _fields_at(model: type[Strict], steps: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return JSON's names of the fields that the object at these steps may have."""
    for step in steps:
        by_name = {field.alias or name: field for name, field in model.model_fields.items()}
        if step in by_name:
            model = _model_in(by_name[str(step)].annotation) or model
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> type[Strict] | None:
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
