"""Documents that kustomize made."""

from typing import Any

import pytest

from reconciler.core.manifests.rendered import split_origin
from reconciler.core.resources import Document
from reconciler.errors import Place

ORIGIN = "config.kubernetes.io/origin"
TRANSFORMATIONS = "alpha.config.kubernetes.io/transformations"


def document(annotations: dict[str, Any]) -> Document:
    """Return a document with these annotations."""
    return {"kind": "ServiceEntry", "metadata": {"name": "a", "annotations": annotations}}


@pytest.mark.parametrize(
    ("origin", "path"),
    [
        ("path: ../base/a.yaml\n", "apps/base/a.yaml"),
        ("path: a.yaml\n", "apps/prod/a.yaml"),
        ("configuredIn: kustomization.yaml\nconfiguredBy: {kind: Generator}\n", "apps/prod/kustomization.yaml"),
        ("nonsense", "apps/prod/kustomization.yaml"),
        ("[", "apps/prod/kustomization.yaml"),
    ],
)
def test_the_origin_names_a_file_of_the_repository(origin: str, path: str) -> None:
    """Paths are relative to the kustomization; what cannot be read leaves the kustomization itself."""
    stripped, place = split_origin(
        document({ORIGIN: origin, TRANSFORMATIONS: "- x", "mine": "1"}), "apps/prod/kustomization.yaml"
    )
    assert place == Place(path)
    assert stripped["metadata"]["annotations"] == {"mine": "1"}


def test_annotations_vanish_with_the_last_of_kustomizes() -> None:
    """Nothing of them is left behind, and the document given stays as it is."""
    given = document({ORIGIN: "path: a.yaml"})
    stripped, _ = split_origin(given, "kustomization.yaml")
    assert stripped["metadata"] == {"name": "a"}
    assert ORIGIN in given["metadata"]["annotations"]


@pytest.mark.parametrize("given", [{}, {"metadata": None}, {"metadata": {"annotations": []}}, document({"mine": "1"})])
def test_other_documents_are_passed_through(given: Document) -> None:
    """Whatever their shape is."""
    assert split_origin(given, "kustomization.yaml") == (given, Place("kustomization.yaml"))
