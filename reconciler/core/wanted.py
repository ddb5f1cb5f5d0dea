"""What each object should be at this moment, in the very form in which it is written: the seam at which rollouts come in.

Here belong our marks and what is left out of every write because others say it. What the live object looks like is `diff`'s.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from reconciler.core.resources import DesiredState, Document, Key, Manifest

#: The name under which the API server records the fields that we write. Never changed: every object out there carries it.
FIELD_MANAGER = "mesh-reconciler"
#: Follows the name for what we note on objects and do not want of them.
_NOTES = "-notes"
#: The mark of an object that we wrote; its value is the name of the target.
TARGET_LABEL = "mesh-reconciler.io/target"
#: In Git: this object may be adopted ("true", or the names of the tools that it is taken from).
ADOPT_ANNOTATION = "mesh-reconciler.io/adopt"
#: On a WorkloadEntry that is drained: its weight and the labels that were taken off it, as JSON. Never Git's.
DRAINED_ANNOTATION = "mesh-reconciler.io/drained-from"
#: On a Namespace or a ServiceEntry, in Git or live: observe or enforce.
MODE_ANNOTATION = "mesh-reconciler.io/mode"

#: kubectl's copy of the last manifest that it applied client-side; it may hold anything, so it is neither written nor shown.
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
#: What istiod writes on WorkloadEntries (pilot/pkg/autoregistration and the tunnel label); never ours, even if Git holds it.
ISTIOD_ANNOTATIONS = frozenset(
    {"istio.io/autoRegistrationGroup", "istio.io/connectedAt", "istio.io/disconnectedAt", "istio.io/workloadController"}
)
ISTIOD_LABELS = frozenset({"networking.istio.io/tunnel"})

_FOREIGN_ANNOTATIONS = ISTIOD_ANNOTATIONS | {LAST_APPLIED, DRAINED_ANNOTATION}


def wanted_now(
    desired: DesiredState, target: str, last: tuple[DesiredState, Mapping[Key, Document]] | None = None
) -> dict[Key, Document]:
    """Return the whole declared document of every object of both stores, in the order of Git.

    `last` is an earlier commit and what this returned for it: what has not changed since is the very same value, so that who
    goes by that looks at what changed, not at what exists.
    """
    manifests = chain(desired.manifests.items(), desired.machines.items())
    return {key: _known(manifest, last) or declared_document(manifest.document, target) for key, manifest in manifests}


def _known(manifest: Manifest, last: tuple[DesiredState, Mapping[Key, Document]] | None) -> Document | None:
    before = last[0].get(manifest.key) if last else None
    return last[1][manifest.key] if last and before and before.document is manifest.document else None


def overlaid(git: Mapping[Key, Document], rolling: Mapping[Key, Document | None]) -> dict[Key, Document]:
    """Return what is wanted now: Git's documents, but for the objects that rollouts hold somewhere else (None: absent)."""
    wanted = {key: rolling.get(key, document) for key, document in git.items()} | dict(rolling)
    return {key: document for key, document in wanted.items() if document is not None}


def declared_document(document: Document, target: str) -> Document:
    """Return what we declare of a manifest, with our mark.

    Of the metadata only name, namespace, labels and annotations stay: the rest is the server's. A null means "not set" and is
    left out, since server-side apply refuses it; empty objects and lists of the spec stay, since the server keeps (and
    counts) them.
    """
    key = Key.of(document)
    metadata = document["metadata"]
    labels = {**_ours(metadata.get("labels"), ISTIOD_LABELS), TARGET_LABEL: target}
    annotations = _ours(metadata.get("annotations"), _FOREIGN_ANNOTATIONS)
    parts = (("name", key.name), ("namespace", key.namespace), ("labels", labels), ("annotations", annotations))
    declared = {name: _without_nulls(one) for name, one in document.items() if one is not None and name != "status"}
    declared["metadata"] = {name: one for name, one in parts if one}
    return declared


def _ours(texts: Mapping[str, str] | None, foreign: frozenset[str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name not in foreign and text is not None} if texts else {}


def _without_nulls(value: Any) -> Any:
    """Drop the null fields of objects at any depth; what holds none is returned as it is, since most hold none."""
    return _copied_without_nulls(value) if _holds_null(value) else value


def _holds_null(value: Any) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return any(one is None or (type(one) in _CONTAINERS and _holds_null(one)) for one in value)


def _copied_without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied_without_nulls(one) for name, one in value.items() if one is not None}
    return [_copied_without_nulls(one) for one in value] if isinstance(value, list) else value


_CONTAINERS = (dict, list)


def notes_manager(manager: str) -> str:
    """Return the field manager of what is noted on objects: another one, since it is no content that is compared."""
    return f"{manager}{_NOTES}"


def marked_for(labels: Mapping[str, str]) -> str:
    """Return the target whose mark these labels carry, empty where they carry none."""
    return labels.get(TARGET_LABEL, "")
