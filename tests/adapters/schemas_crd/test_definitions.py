"""Reading CRDs."""

import json
from pathlib import Path

import pytest
import yaml

from reconciler.adapters.schemas_crd.definitions import LARGEST_FILE, istio_version, read_crds, schema_of
from reconciler.errors import InvalidInput
from tests.adapters.schemas_crd.definitions_of_widgets import crd

WIDGET = crd({"type": "object"})


def test_a_file_may_hold_documents_lists_and_other_kinds(tmp_path: Path) -> None:
    """What kubectl prints, what Istio ships, YAML or JSON: CRDs are picked out."""
    path = tmp_path / "crds.yaml"
    path.write_text(
        yaml.safe_dump_all([WIDGET, {"kind": "List", "items": [crd({}, "Gadget")]}, {"kind": "Namespace"}, None, 5])
    )
    assert [one["spec"]["names"]["kind"] for one in read_crds(path)] == ["Widget", "Gadget"]
    path.write_text(json.dumps(WIDGET))
    assert read_crds(path) == (WIDGET,)


@pytest.mark.parametrize(
    "content", [b"", b"kind: Namespace\n", b"a: [", b"\xff\xfe\x00", b"- !!python/object:os.system {}", b"[" * 9000]
)
def test_anything_else_is_refused_with_the_path(tmp_path: Path, content: bytes) -> None:
    """A file without CRDs, or that is no YAML, is the operator's mistake."""
    path = tmp_path / "crds.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=str(path)):
        read_crds(path)


def test_a_file_has_a_size(tmp_path: Path) -> None:
    """One that is far larger than all of Istio's CRDs is not read."""
    path = tmp_path / "crds.yaml"
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    with pytest.raises(InvalidInput, match="larger"):
        read_crds(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_crds(tmp_path / "absent.yaml")


def test_the_version_of_the_document_is_used_or_the_stored_one() -> None:
    """Versions that are not served count for nothing."""

    def version(name: str, *, served: bool = True, storage: bool = False) -> dict[str, object]:
        return {"name": name, "served": served, "storage": storage, "schema": {"openAPIV3Schema": {"title": name}}}

    versions = [version("v1alpha1", served=False), version("v1beta1"), version("v1", storage=True)]
    several = crd({}, versions=versions)
    assert schema_of(several, "v1beta1") == {"title": "v1beta1"}
    assert schema_of(several, "v1alpha1") == {"title": "v1"}
    assert schema_of(several, "v2") == {"title": "v1"}
    assert schema_of(crd({}, versions=[version("v1", served=False)]), "v1") is None
    assert schema_of(crd({}, versions=[{"name": "v1", "served": True}]), "v1") is None


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, ""),
        ({"chart": "istio"}, ""),
        ({"operator.istio.io/version": "1.24.2"}, "1.24.2"),
        ({"helm.sh/chart": "base-1.31.4"}, "1.31.4"),
        ({"app.kubernetes.io/version": "1.32.0-beta.1"}, "1.32.0-beta.1"),
    ],
)
def test_installers_leave_the_version_in_labels(labels: dict[str, str], expected: str) -> None:
    """Where they do; nothing is guessed."""
    assert istio_version([{"metadata": {}}, {"metadata": {"labels": labels}}]) == expected
