"""The places that server-side apply does not count as usual are those that Istio's CRDs declare, in every covered version."""

from collections.abc import Callable, Iterator
from pathlib import Path as File
from typing import Any, Literal

import pytest
import yaml

from reconciler.core import ownership
from reconciler.core.kinds import MANAGED

Which = Literal["lowest", "newest"]


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_the_table_is_what_the_crds_say(istio_crds: Callable[[Which], File], which: Which) -> None:
    """List-maps with their keys, and maps of objects; no sets and no atomic maps."""
    found: dict[str, dict[ownership.Path, ownership._Special]] = {}
    documents = yaml.load_all(istio_crds(which).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)  # noqa: TID251 - CRDs
    for crd in filter(None, documents):
        kind = MANAGED.get(crd["spec"]["names"]["kind"])
        for version in crd["spec"]["versions"]:
            if kind and version["name"] in kind.versions:
                places = dict(special(version["schema"]["openAPIV3Schema"]["properties"]["spec"], ("spec",)))
                assert found.setdefault(kind.name, places) == places, version["name"]
    expected = {kind.name: ownership._SPECIAL.get(kind.name, ownership._ANYWHERE) for kind in MANAGED.values() if kind.group}
    assert found == {name: {at: it for at, it in table.items() if at[0] == "spec"} for name, table in expected.items()}


def special(schema: dict[str, Any], at: ownership.Path) -> Iterator[tuple[ownership.Path, ownership._Special]]:
    """Yield the special places of a schema; lists are atomic unless they say otherwise, so nothing in them counts."""
    assert schema.get("x-kubernetes-map-type", "granular") == "granular", at
    if schema.get("type") == "array":
        sort = schema.get("x-kubernetes-list-type", "atomic")
        assert sort in ("atomic", "map"), at
        if sort == "map":
            yield at, ownership._Special(tuple(schema["x-kubernetes-list-map-keys"]))
        return
    items = schema.get("additionalProperties")
    if isinstance(items, dict) and items.get("type") == "object":
        yield at, ownership._OBJECTS
    for name, inner in schema.get("properties", {}).items():
        yield from special(inner, (*at, name))
