"""What a drain takes off a WorkloadEntry, and the note on it by which that comes back."""

import json
from collections.abc import Iterable, Mapping

from reconciler.core.resources import EMPTY, Document
from reconciler.core.rollouts.legs import weighing
from reconciler.core.wanted import DRAINED_ANNOTATION


def unpicked(document: Document, names: Iterable[str]) -> Document:
    """Return a WorkloadEntry without these labels, of weight 1: in no endpoint list any more, and not deleted.

    Where no label is left there is no map of them either: a server-side apply of an empty one, over one with our labels, makes
    it null, which the CRD refuses (seen on kube-apiserver 1.37.2).
    """
    out = set(names)
    spec, metadata = dict(document["spec"]), dict(document["metadata"])
    for part in (spec, metadata):
        labels = part.pop("labels", None) or {}
        if kept := {name: value for name, value in labels.items() if name not in out}:
            part["labels"] = kept
    return weighing({**document, "metadata": metadata, "spec": spec}, 1)


def undrained(document: Document) -> Document:
    """Return a WorkloadEntry as it would have been written without a drain."""
    annotations = dict(document["metadata"].get("annotations") or EMPTY)
    if DRAINED_ANNOTATION not in annotations:
        return document
    taken = json.loads(annotations.pop(DRAINED_ANNOTATION))
    metadata = _with(document["metadata"], "annotations", annotations)
    metadata = _with(metadata, "labels", {**(metadata.get("labels") or EMPTY), **taken["metadata"]})
    spec = _with(document["spec"], "labels", {**(document["spec"].get("labels") or EMPTY), **taken["spec"]})
    return weighing({**document, "metadata": metadata, "spec": spec}, taken["weight"])


def noted(out: Document, document: Document) -> Document:
    """Return `out` with the note of what `document` has and it has not."""
    taken = {
        part: {name: text for name, text in (document[part].get("labels") or {}).items() if name not in _labels(out, part)}
        for part in ("metadata", "spec")
    }
    note = json.dumps({"weight": document["spec"].get("weight"), **taken}, sort_keys=True, separators=(",", ":"))
    annotations = {**(out["metadata"].get("annotations") or {}), DRAINED_ANNOTATION: note}
    return {**out, "metadata": {**out["metadata"], "annotations": annotations}}


def _labels(document: Document, part: str) -> Mapping[str, str]:
    found: Mapping[str, str] = document[part].get("labels") or EMPTY
    return found


def _with(part: Document, name: str, value: Mapping[str, str]) -> Document:
    rest = {key: one for key, one in part.items() if key != name}
    return {**rest, name: value} if value else rest
