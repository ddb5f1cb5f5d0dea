"""One object before and after a write: content and owners by `managed_fields`, identity and generation as a server would."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from reconciler.adapters.memory_cluster.managed_fields import Actor, Managed, applied, copied, edited, merge_patched
from reconciler.core.kinds import MANAGED
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject
from reconciler.core.wanted import LAST_APPLIED
from reconciler.errors import Rejected


def key_of(document: Document) -> Key:
    """Return the key of a document. Raises Rejected for a kind that is not managed."""
    return managed(Key.of(document))


def managed(key: Key) -> Key:
    """Return the key. Raises Rejected for a kind that is not managed."""
    if key.kind not in MANAGED:
        raise Rejected(f"{key}: {key.kind} objects are not ours to touch", status=403)
    return key


def after_apply(live: LiveObject | None, document: Document, actor: Actor, *, force: bool) -> LiveObject:
    """Return the object after a server-side apply, `live` itself where nothing moves. Raises Conflict."""
    document = {name: part for name, part in _canonical(document).items() if name != "status"}
    return _after(live, document, applied(_before(live, document), document, actor, force=force), actor)


def after_edit(live: LiveObject | None, document: Document, actor: Actor) -> LiveObject:
    """Return the object after a plain write of the whole document."""
    document = _canonical(document)
    return _after(live, document, edited(_before(live, document), document, actor), actor)


def after_conditions(live: LiveObject, conditions: Sequence[Document], actor: Actor) -> LiveObject:
    """Return the object after a forced apply of its conditions alone."""
    named = {name: live.document[name] for name in ("apiVersion", "kind")}
    metadata = {"name": live.key.name, "namespace": live.key.namespace}
    document = {**named, "metadata": metadata, "status": {"conditions": list(conditions)}}
    return _after(live, document, applied(Managed(live.document, live.owners), document, actor, force=True), actor)


def after_hand_over(live: LiveObject, owners: Sequence[FieldOwner], drop_labels: Sequence[str], actor: Actor) -> LiveObject:
    """Return the object with other owners and without some labels."""
    given = tuple(replace(owner, api_version=owner.api_version or live.document["apiVersion"]) for owner in owners)
    patch = {"metadata": {"labels": dict.fromkeys(drop_labels)}} if drop_labels else {}
    after = edited(Managed(live.document, given), merge_patched(live.document, patch), actor)
    return replace(live, document=after.document, owners=after.owners)


def _canonical(document: Document) -> Document:
    return {**copied(document), "apiVersion": MANAGED[document["kind"]].api_version}


def _before(live: LiveObject | None, document: Document) -> Managed:
    """Return what is there before the write: of a new object only what names it."""
    if live is not None:
        return Managed(live.document, live.owners)
    names = {name: document["metadata"][name] for name in ("name", "namespace") if name in document["metadata"]}
    return Managed({"apiVersion": document["apiVersion"], "kind": document["kind"], "metadata": names})


def _after(live: LiveObject | None, document: Document, after: Managed, actor: Actor) -> LiveObject:
    key = Key.of(document)
    content = _without_last_applied(after.document)
    if live is None:
        first = 1 if MANAGED[key.kind].group else 0  # of the core kinds that we handle, none has a generation
        return LiveObject(key, content, str(uuid.uuid4()), generation=first, created=actor.now, owners=after.owners)
    moved = bool(live.generation) and _body(content) != _body(live.document)
    return replace(live, document=content, owners=after.owners, generation=live.generation + moved)


def _body(document: Document) -> Document:
    return {name: part for name, part in document.items() if name not in ("metadata", "status")}


def _without_last_applied(document: Document) -> Document:
    """Keep a digest of kubectl's copy of a manifest, as the port promises."""
    annotations = document["metadata"].get("annotations", {})
    body = annotations.get(LAST_APPLIED, "sha256:")
    if body.startswith("sha256:"):
        return document
    digest = f"sha256:{sha256(body.encode()).hexdigest()[:16]}"
    return {**document, "metadata": {**document["metadata"], "annotations": {**annotations, LAST_APPLIED: digest}}}
