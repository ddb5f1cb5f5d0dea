"""What sets the WorkloadEntry of a VM that joined apart from one that Git holds: annotations on it, a sentence in reports."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.changes import Origin
from reconciler.core.groups.joins import GROUP, JOINED
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.machines import GROUP_ANNOTATION, address_networks
from reconciler.core.resources import EMPTY, Document, Key

#: On a WorkloadEntry that was made of a join: when the VM joined. Written by us alone, with `GROUP_ANNOTATION` beside it.
JOINED_ANNOTATION = f"{OURS}/joined"

#: What joins make.
_KINDS = ("WorkloadEntry", VIRTUAL_MACHINE)
#: What a join gives to the spec of a WorkloadEntry.
_GIVEN = ("address", "network", "locality")


def marks(group: str, joined: str) -> dict[str, str]:
    """Return the annotations of the WorkloadEntry of a member."""
    return {GROUP_ANNOTATION: group, JOINED_ANNOTATION: joined}


def joined_at(document: Mapping[str, Any]) -> str:
    """Return when the VM of a WorkloadEntry or of a record joined, empty for one of Git's."""
    if document["kind"] == VIRTUAL_MACHINE:
        said = (document.get("spec") or EMPTY).get(JOINED)
        return str(said.get("at", "")) if isinstance(said, Mapping) else ""
    return str((document["metadata"].get("annotations") or EMPTY).get(JOINED_ANNOTATION, ""))


def group_of(document: Mapping[str, Any]) -> str:
    """Return the WorkloadGroup that a WorkloadEntry or the record of a VM names, empty where it names none."""
    if document["kind"] == VIRTUAL_MACHINE:
        return str((document.get("spec") or EMPTY).get(GROUP, ""))
    return str((document["metadata"].get("annotations") or EMPTY).get(GROUP_ANNOTATION, ""))


def with_join_of(before: Document | None, after: Document | None) -> Document | None:
    """Return what was accepted of an object before, with what only a join decides as it is after.

    That a VM comes, goes or moves is nothing that Git has changed, and so nothing to be rolled out; another template is, and
    its record follows its WorkloadEntry. Neither is another address where Git leaves that to the registry.
    """
    if before and after and address_networks(after) and "address" in after["spec"]:
        return {**before, "spec": {**before["spec"], "address": after["spec"]["address"]}}
    if not any(one and one["kind"] in _KINDS and joined_at(one) for one in (before, after)):
        return before
    if before is None or after is None or after["kind"] == VIRTUAL_MACHINE:
        return after
    spec = {name: value for name, value in before["spec"].items() if name not in _GIVEN}
    spec |= {name: after["spec"][name] for name in _GIVEN if name in after["spec"]}
    annotations = {**(before["metadata"].get("annotations") or EMPTY), **_joined(after)}
    return {**before, "metadata": {**before["metadata"], "annotations": annotations}, "spec": spec}


def _joined(document: Document) -> dict[str, str]:
    return {JOINED_ANNOTATION: at} if (at := joined_at(document)) else {}


def is_by_join(key: Key, document: Document | None) -> bool:
    """Tell whether a join has made what is written of an object."""
    return document is not None and key.kind in _KINDS and bool(joined_at(document))


def origin_of(document: Document) -> Origin | None:
    """Return where a WorkloadEntry or the record of a VM comes from; None for what is Git's."""
    if document["kind"] not in _KINDS:
        return None
    at = joined_at(document)
    return Origin(group_of(document), document["metadata"]["name"], at) if at else None
