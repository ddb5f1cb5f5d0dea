"""The annotation by which istiod goes by the condition `Healthy`: in Git it is asked for, on the entry it takes effect.

An entry with the annotation and without a healthy condition is no endpoint at all (seen on istiod: an annotation that came
first emptied its service). So the annotation of Git is withheld until a healthy condition stands, and once written it stays.
"""

from collections.abc import Mapping

from reconciler.core.health.conditions import Condition
from reconciler.core.health.sources import Source, group_of, source_of
from reconciler.core.istio import HEALTH_CHECKED, is_health_checked
from reconciler.core.resources import Document, Key, ObservedState


def withheld(wanted: Mapping[Key, Document], observed: ObservedState) -> dict[Key, Document]:
    """Return the WorkloadEntries that must do without the annotation for now, each as it is wanted until then.

    Those whose health is istiod's are not among them: istiod sets the condition only where the annotation is.
    """
    return {
        key: without_opt_in(document)
        for key, document in wanted.items()
        if key.kind == "WorkloadEntry"
        and is_health_checked(document)
        and not _may_have(key, observed)
        and source_of(document, group_of(document, wanted)) is not Source.ISTIOD
    }


def _may_have(key: Key, observed: ObservedState) -> bool:
    live = observed.objects.get(key)
    if live is None:
        return False
    condition = Condition.of(live.document)
    return is_health_checked(live.document) or (condition is not None and condition.healthy)


def without_opt_in(document: Document) -> Document:
    """Return a WorkloadEntry without the annotation."""
    metadata = {name: part for name, part in document["metadata"].items() if name != "annotations"}
    annotations = document["metadata"].get("annotations") or {}
    if left := {name: text for name, text in annotations.items() if name != HEALTH_CHECKED}:
        metadata["annotations"] = left
    return {**document, "metadata": metadata}


def opted_like(document: Document, other: Document | None) -> Document:
    """Return what was written of a WorkloadEntry with the annotation that it is to get, where it is to get one.

    To get it moves no request, since it comes once a healthy condition stands: there is nothing to be rolled out.
    """
    if document["kind"] != "WorkloadEntry" or other is None or not is_health_checked(other) or is_health_checked(document):
        return document
    text = other["metadata"]["annotations"][HEALTH_CHECKED]
    metadata = document["metadata"]
    return {**document, "metadata": {**metadata, "annotations": {**(metadata.get("annotations") or {}), HEALTH_CHECKED: text}}}
