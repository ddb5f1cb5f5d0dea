"""The writes: each under our field manager, never forced, with preconditions, and with its outcome known or said to be unknown.

A write whose answer was lost is read back. Where it turns out to be done, that is its result; where not, it is sent again,
which is safe: the whole declared document, the same preconditions, and a server that gives up late requests by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from reconciler.adapters.cluster_kubernetes import decode
from reconciler.adapters.cluster_kubernetes.answers import Missing, NotActed, Unsure
from reconciler.adapters.cluster_kubernetes.api import APPLY_PATCH, JSON, MERGE_PATCH, KubernetesApi, Query
from reconciler.adapters.cluster_kubernetes.resources import Versions, path
from reconciler.core.health.conditions import conditions_of, status_manager
from reconciler.core.kinds import MANAGED, Kind
from reconciler.core.ownership import APPLY, declared, owned, value_at
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject
from reconciler.core.wanted import notes_manager
from reconciler.errors import Conflict, Rejected, Unavailable

T = TypeVar("T")
NOTHING: Query = {}


class NotDone(Unavailable):
    """Reading back showed that a write was not carried out."""


class Writes:
    """Single objects: read, write, read back."""

    def __init__(self, api: KubernetesApi, versions: Versions, manager: str) -> None:
        self._api, self._versions, self._manager = api, versions, manager
        self._namespaces = frozenset(api.settings.namespaces)

    def get(self, key: Key) -> LiveObject | None:
        """Return the object as the server holds it now."""
        kind = self._kind(key)
        try:
            raw = self._versions.request(kind, lambda version: self._api.read(path(kind, version, key)))
        except Missing:
            return None
        return _decoded(raw, kind, key)

    def apply(self, document: Document, *, uid: str, resource_version: str) -> LiveObject:
        """Apply the whole declared document. Raises Conflict, Rejected, Unavailable (its text says whether it may be done)."""
        key = Key.of(document)
        body = _with_preconditions(document, uid, resource_version)

        def done(live: LiveObject | None) -> LiveObject | None:
            return live if live is not None and live.uid == (uid or live.uid) and self._holds(live, document) else None

        return self._surely(key, lambda latest: self._apply(key, body, latest), done)

    def dry_run(self, document: Document) -> LiveObject:
        """Return what an apply would make of the object."""
        key = Key.of(document)
        return self._api.patiently(
            (Unavailable,), self._api.settings.reading, lambda latest: self._apply(key, document, latest, {"dryRun": "All"})
        )

    def delete(self, key: Key, *, uid: str, resource_version: str) -> bool:
        """Delete exactly this object; returns whether it is known to be gone (with finalizers on it, it may stay for long)."""
        preconditions = {name: value for name, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}

        def done(live: LiveObject | None) -> bool | None:
            if live is None or live.uid != uid:
                return True
            return False if live.deleting else None

        def attempt(latest: float) -> bool:
            try:
                answer = self._send("DELETE", key, body, JSON, latest)
            except Missing:
                return True
            if answer.get("kind") == "Status":
                return answer.get("status") == "Success"
            _decoded(answer, self._kind(key), key)
            return False

        return self._surely(key, attempt, done)

    def set_owners(
        self, key: Key, owners: Sequence[FieldOwner], *, uid: str, resource_version: str, drop_labels: Sequence[str]
    ) -> LiveObject:
        """Replace managedFields, and nothing else but the labels to drop, if the object is still the one that was decided on.

        A merge patch: the server answers a version that has moved with a clear conflict, where the test of a JSON patch would
        fail like any other mistake in it.
        """
        kind = self._kind(key)
        entries = [decode.entry(owner, kind.api_version) for owner in owners]
        metadata: Document = {"uid": uid, "resourceVersion": resource_version, "managedFields": entries}
        if drop_labels:
            metadata["labels"] = dict.fromkeys(drop_labels)
        body = {"metadata": metadata}

        def done(live: LiveObject | None) -> LiveObject | None:
            if live is None or live.uid != uid or live.labels.keys() & set(drop_labels):
                return None
            return live if _timeless(live.owners) == _timeless(owners) else None

        def attempt(latest: float) -> LiveObject:
            raw = self._send("PATCH", key, body, MERGE_PATCH, latest, {"fieldManager": self._manager})
            return _decoded(raw, kind, key)

        return self._surely(key, attempt, done)

    def set_conditions(self, key: Key, conditions: Sequence[Document], *, resource_version: str) -> LiveObject:
        """Replace the conditions of the status, if the object is still the one that was decided on.

        Forced: the list is atomic, and holds what its other owners wrote; the version says that it still does. A uid would not
        be tested: of what is applied to `/status`, the server takes the status alone (seen on 1.37).
        """
        kind = self._kind(key)
        status = {"conditions": list(conditions)}
        metadata = {"name": key.name, "namespace": key.namespace, "resourceVersion": resource_version}
        body = {"kind": kind.name, "metadata": metadata, "status": status}
        query = {"fieldManager": status_manager(self._manager), "force": "true", "fieldValidation": "Strict"}

        def done(live: LiveObject | None) -> LiveObject | None:
            return live if live is not None and conditions_of(live.document) == status["conditions"] else None

        def attempt(latest: float) -> LiveObject:
            return _decoded(self._send("PATCH", key, body, APPLY_PATCH, latest, query, "/status"), kind, key)

        return self._surely(key, attempt, done)

    def annotate(self, key: Key, name: str, text: str | None, *, uid: str, resource_version: str) -> LiveObject:
        """Set one annotation, and nothing else, if the object is still the one that was decided on."""
        body = {"metadata": {"uid": uid, "resourceVersion": resource_version, "annotations": {name: text}}}

        def done(live: LiveObject | None) -> LiveObject | None:
            return live if live is not None and live.uid == uid and live.annotations.get(name) == text else None

        def attempt(latest: float) -> LiveObject:
            query = {"fieldManager": notes_manager(self._manager)}
            return _decoded(self._send("PATCH", key, body, MERGE_PATCH, latest, query), self._kind(key), key)

        return self._surely(key, attempt, done)

    def _apply(self, key: Key, document: Document, latest: float, query: Query = NOTHING) -> LiveObject:
        query = {"fieldManager": self._manager, "force": "false", "fieldValidation": "Strict", **query}
        return _decoded(self._send("PATCH", key, document, APPLY_PATCH, latest, query), self._kind(key), key)

    def _send(
        self,
        method: str,
        key: Key,
        body: Document,
        content_type: str,
        latest: float,
        query: Query = NOTHING,
        subresource: str = "",
    ) -> Document:
        kind = self._kind(key)
        self._within_limits(key, kind)

        def attempt(version: str) -> Document:
            group_version = f"{kind.group}/{version}" if kind.group else version
            sent = {**body, "apiVersion": group_version} if content_type == APPLY_PATCH else body
            place = path(kind, version, key) + subresource
            return self._api.send(method, place, sent, latest=latest, content_type=content_type, query=query)

        return self._versions.request(kind, attempt)

    def _kind(self, key: Key) -> Kind:
        if key.kind not in MANAGED:
            raise Rejected(f"{key}: {key.kind} objects are not ours to touch", status=403)
        return MANAGED[key.kind]

    def _within_limits(self, key: Key, kind: Kind) -> None:
        if self._namespaces and (key.namespace if kind.namespaced else key.name) not in self._namespaces:
            raise Rejected(f"{key} is outside of the namespaces that this target may write", status=403)

    def _surely(self, key: Key, attempt: Callable[[float], T], done: Callable[[LiveObject | None], T | None]) -> T:
        """Return what a write gives, read back where its answer was lost."""
        lost: list[Unavailable] = []

        def once(latest: float) -> T:
            try:
                return attempt(latest)
            except (Unsure, Conflict) as error:
                if isinstance(error, Unsure):
                    lost.append(error)
                if not lost:
                    raise
                # A conflict after a lost answer may be with our own write.
                result = done(self._read_back(key, lost[-1]))
                if result is not None:
                    return result
                if isinstance(error, Conflict):
                    raise
                raise NotDone(f"{key}: {error}; read back, it was not carried out", retry_after=error.retry_after) from error

        return self._api.patiently((NotActed, NotDone), self._api.settings.writing, once)

    def _read_back(self, key: Key, error: Unavailable) -> LiveObject | None:
        try:
            return self.get(key)
        except Unavailable as unread:
            raise Unavailable(f"{key}: outcome unknown: {error}; reading back failed: {unread}") from error

    def _holds(self, live: LiveObject, document: Document) -> bool:
        """Whether an apply of this document has been carried out: we own exactly its fields, with its values."""
        paths = declared(document)
        ours = [owner for owner in live.owners if owner.manager == self._manager and owner.operation == APPLY]
        return [owned(owner) for owner in ours if not owner.subresource] == [paths] and all(
            value_at(live.document, place) == value_at(document, place) for place in paths
        )


def _with_preconditions(document: Document, uid: str, resource_version: str) -> Document:
    conditions = {name: value for name, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
    return {**document, "metadata": {**document["metadata"], **conditions}}


def _decoded(raw: Document, kind: Kind, key: Key) -> LiveObject:
    """Return the object of an answer. Raises Unsure where the answer is about anything else."""
    try:
        live = decode.live_object(raw, kind) if raw["kind"] == kind.name else None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unsure(f"{key}: the answer is no {kind.name}: {error!r}") from error
    if live is None or live.key != key:
        raise Unsure(f"{key}: the answer is about another object")
    return live


def _timeless(owners: Sequence[FieldOwner]) -> set[FieldOwner]:
    return {replace(owner, time=None) for owner in owners}
