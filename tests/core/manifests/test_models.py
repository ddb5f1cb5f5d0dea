"""The models against Istio's own schemas: what its CRDs demand structurally, the models demand too."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from reconciler.core.kinds import MANAGED, READ_ONLY
from reconciler.core.manifests.models import MODELS

Schema = dict[str, Any]
Which = Literal["lowest", "newest"]

#: Fields of Istio's development branch, known ahead of the newest release that is covered.
AHEAD = {"backendUtilization"}
#: Bounds that mean the same in both schemas.
SAME = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "pattern")


@pytest.fixture(scope="module", params=["lowest", "newest"])
def schemas(request: pytest.FixtureRequest, istio_crds: Callable[[Which], Path]) -> tuple[Which, dict[str, Schema]]:
    """Return the schema of each kind of Istio, of one covered version."""
    documents = yaml.load_all(istio_crds(request.param).read_bytes(), Loader=yaml.CSafeLoader)  # noqa: TID251 - Istio's file
    found = {
        document["spec"]["names"]["kind"]: version["schema"]["openAPIV3Schema"]
        for document in documents
        if document
        for version in document["spec"]["versions"][:1]
    }
    return request.param, found


def test_there_is_a_model_for_every_kind_that_is_read() -> None:
    """And none for others."""
    assert MODELS.keys() == MANAGED.keys() | READ_ONLY.keys()


@pytest.mark.parametrize("kind", sorted(name for name, kind in MANAGED.items() if kind.group))
def test_a_model_is_what_the_crd_says(kind: str, schemas: tuple[Which, dict[str, Schema]]) -> None:
    """Fields, types, required fields, enumerations and bounds; of an older Istio, fields and types only."""
    which, theirs = schemas
    ours = MODELS[kind].model_json_schema()
    spec = theirs[kind]["properties"]["spec"]
    differences = list(compare("spec", ours["properties"]["spec"], spec, ours.get("$defs", {}), exact=which == "newest"))
    assert differences == []


def compare(path: str, ours: Schema, theirs: Schema, known: dict[str, Schema], *, exact: bool) -> Iterator[str]:
    """Yield what differs."""
    ours = resolved(ours, known)
    if ours.get("type") != theirs["type"]:
        yield f"{path}: type {ours.get('type')} against {theirs['type']}"
        return
    if set(theirs.get("enum", ())) - set(ours.get("enum", ())) or (exact and ours.get("enum") and not theirs.get("enum")):
        scheme = path.endswith("httpGet.scheme")  # its enumeration is a CEL rule
        yield from () if scheme else (f"{path}: enum {ours.get('enum')} against {theirs.get('enum')}",)
    if exact:
        yield from (f"{path}: {problem}" for problem in bounds(ours, theirs))
    if theirs["type"] == "array" and ours["items"] != {"type": "object", "additionalProperties": True}:
        yield from compare(f"{path}[]", ours["items"], theirs["items"], known, exact=exact)
    if theirs["type"] == "object" and ours.get("additionalProperties") is not True:
        yield from compare_fields(path, ours, theirs, known, exact=exact)


def compare_fields(path: str, ours: Schema, theirs: Schema, known: dict[str, Schema], *, exact: bool) -> Iterator[str]:
    """Yield what differs between two objects or maps."""
    fields, expected = ours.get("properties", {}), theirs.get("properties", {})
    if exact and (more := fields.keys() - expected.keys() - AHEAD):
        yield f"{path}: only in the model: {sorted(more)}"
    if expected.keys() - fields.keys():
        yield f"{path}: only in the CRD: {sorted(expected.keys() - fields.keys())}"
    if set(theirs.get("required", ())) - set(ours.get("required", ())):
        yield f"{path}: required {ours.get('required')} against {theirs['required']}"
    for name in fields.keys() & expected.keys():
        yield from compare(f"{path}.{name}", fields[name], expected[name], known, exact=exact)
    if isinstance(theirs.get("additionalProperties"), dict):
        yield from compare(f"{path}.*", ours["additionalProperties"], theirs["additionalProperties"], known, exact=exact)


def bounds(ours: Schema, theirs: Schema) -> Iterator[str]:
    """Yield lengths that differ, and ranges wider than the CRD's. Tighter ones stand for CEL rules, such as those of ports."""
    yield from (
        f"{name} {ours.get(name)} against {theirs[name]}" for name in SAME if name in theirs and theirs[name] != ours.get(name)
    )
    smallest = -(2**31) if theirs.get("format") == "int32" else None
    largest = 2**31 - 1 if theirs.get("format") == "int32" else None
    smallest, largest = theirs.get("minimum", smallest), theirs.get("maximum", largest)
    if smallest is not None and ours.get("minimum", -(2**99)) < smallest:
        yield f"minimum {ours.get('minimum')} against {smallest}"
    if largest is not None and ours.get("maximum", 2**99) > largest:
        yield f"maximum {ours.get('maximum')} against {largest}"


def resolved(schema: Schema, known: dict[str, Schema]) -> Schema:
    """Return what a schema stands for: without null, which is absence, and without references."""
    if "anyOf" in schema:
        (schema,) = (one for one in schema["anyOf"] if one != {"type": "null"})
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    return schema
