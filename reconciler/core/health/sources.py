"""Whose word counts for the health of a VM: the operator's choice, for a WorkloadGroup or for one WorkloadEntry."""

from collections.abc import Mapping
from enum import StrEnum

from reconciler.core.kinds import OURS
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.resources import EMPTY, Document, Key

#: On a WorkloadEntry or a WorkloadGroup: a `Source`. The entry's own word goes before its group's.
SOURCE_ANNOTATION = f"{OURS}/health"


class Source(StrEnum):
    """AGENT: the registry's record (the default). ISTIOD: istiod's own condition, which nobody else writes.

    ASSUMED: nobody reports; the VM counts as healthy, and every plan says so.
    """

    AGENT = "agent"
    ISTIOD = "istiod"
    ASSUMED = "assumed"


def source_of(entry: Document, git: Mapping[Key, Document]) -> Source:
    """Return whose word counts for a WorkloadEntry; a value that means nothing counts as the default (analysis refuses it)."""
    annotations = entry["metadata"].get("annotations") or EMPTY
    said = annotations.get(SOURCE_ANNOTATION)
    if said is None and (group := annotations.get(GROUP_ANNOTATION)):
        owner = git.get(Key("WorkloadGroup", entry["metadata"].get("namespace", ""), group))
        said = (owner["metadata"].get("annotations") or EMPTY).get(SOURCE_ANNOTATION) if owner else None
    return Source(said) if said in tuple(Source) else Source.AGENT
