"""Whose word counts for the health of a VM: the operator's choice, for a WorkloadGroup or for one WorkloadEntry."""

from collections.abc import Mapping
from enum import StrEnum

from reconciler.core.kinds import OURS
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.resources import EMPTY, Document, Key

#: On a WorkloadEntry or a WorkloadGroup: a `Source`. The entry's own word goes before its group's.
SOURCE_ANNOTATION = f"{OURS}/health"
#: Beside it, for CONSUL: the service of Consul whose checks count beside those of the VM's node; without it all of them do.
CONSUL_SERVICE_ANNOTATION = f"{OURS}/consul-service"


class Source(StrEnum):
    """AGENT: the registry's record (the default). ISTIOD: istiod's own condition, which nobody else writes.

    PROBE: the group's probe, carried out from here. CONSUL: the checks that Consul has of the VM, which are only read.
    ASSUMED: nobody reports; the VM counts as healthy, and every plan says so.
    """

    AGENT = "agent"
    PROBE = "probe"
    CONSUL = "consul"
    ISTIOD = "istiod"
    ASSUMED = "assumed"


#: Those whose word stands in the registry's record, or is laid over it.
RECORDED = frozenset({Source.AGENT, Source.PROBE, Source.CONSUL})


def source_of(entry: Document, group: Document | None) -> Source:
    """Return whose word counts for a WorkloadEntry; a value that means nothing counts as the default (analysis refuses it)."""
    said = annotated(SOURCE_ANNOTATION, entry, group)
    return Source(said) if said in tuple(Source) else Source.AGENT


def annotated(name: str, entry: Document, group: Document | None) -> str:
    """Return an annotation of a WorkloadEntry, else of its group, empty where neither has it."""
    for document in (entry, group):
        said = (document["metadata"].get("annotations") or EMPTY).get(name) if document else None
        if said is not None:
            return str(said)
    return ""


def group_of(entry: Document, git: Mapping[Key, Document]) -> Document | None:
    """Return the WorkloadGroup that a WorkloadEntry names, where there is one."""
    metadata = entry["metadata"]
    name = (metadata.get("annotations") or EMPTY).get(GROUP_ANNOTATION)
    return git.get(Key("WorkloadGroup", metadata.get("namespace", ""), name)) if name else None
