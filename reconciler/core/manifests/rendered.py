"""Documents that kustomize made: where each came from, by annotations that `buildMetadata` adds."""

from posixpath import dirname, join, normpath

from reconciler.core.manifests.loader import load
from reconciler.core.resources import Document
from reconciler.errors import Place

_ORIGIN = "config.kubernetes.io/origin"
_TRANSFORMATIONS = "alpha.config.kubernetes.io/transformations"


def split_origin(document: Document, kustomization: str) -> tuple[Document, Place]:
    """Return the document without those annotations, and the file that it came from.

    The place has no line: positions in rendered output mean nothing in Git. Where the origin is not told, it is the
    kustomization file itself.
    """
    metadata = document.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if (
        not isinstance(metadata, dict)
        or not isinstance(annotations, dict)
        or not annotations.keys() & {_ORIGIN, _TRANSFORMATIONS}
    ):
        return document, Place(kustomization)
    kept = {name: value for name, value in annotations.items() if name not in (_ORIGIN, _TRANSFORMATIONS)}
    others = {name: value for name, value in metadata.items() if name != "annotations"}
    place = Place(_origin(annotations.get(_ORIGIN), kustomization))
    return {**document, "metadata": {**others, "annotations": kept} if kept else others}, place


def _origin(annotation: object, kustomization: str) -> str:
    """Return the path that an origin annotation (a small YAML text) names, relative to the repository."""
    loaded = load("", annotation.encode()) if isinstance(annotation, str) else None
    value = loaded.documents[0].value if loaded and loaded.documents else None
    if not isinstance(value, dict):
        return kustomization
    path = value.get("path") or value.get("configuredIn")
    return normpath(join(dirname(kustomization), path)) if isinstance(path, str) else kustomization
