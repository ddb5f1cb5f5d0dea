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


def source_of(entry: Document, group: Document | None) -> Source:
    """Return whose word counts for a WorkloadEntry; a value that means nothing counts as the default (analysis refuses it)."""
    for document in (entry, group):
        said = (document["metadata"].get("annotations") or EMPTY).get(SOURCE_ANNOTATION) if document else None
        if said is not None:
            return Source(said) if said in tuple(Source) else Source.AGENT
    return Source.AGENT


def group_of(entry: Document, git: Mapping[Key, Document]) -> Document | None:
    """Return the WorkloadGroup that a WorkloadEntry names, where there is one."""
    metadata = entry["metadata"]
    name = (metadata.get("annotations") or EMPTY).get(GROUP_ANNOTATION)
    return git.get(Key("WorkloadGroup", metadata.get("namespace", ""), name)) if name else None
