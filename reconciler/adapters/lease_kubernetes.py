"""The one-writer lock of a target, as a Lease object (coordination.k8s.io) in the cluster that is written to.

Every change carries the resourceVersion that it was decided on, so of two that try at once one loses. Whether a silent holder's
time is up is judged by how long we ourselves have seen it make no move, on our own monotonic clock: clocks of two machines are
never compared, and a wall clock that jumps steals nothing. So a lease whose holder died is not free at first sight: whoever
wants it keeps asking until its time to live has passed.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from reconciler.core.resources import Document
from reconciler.errors import Conflict, Fenced, Rejected, Unavailable
from reconciler.ports import LeaseState

STORE = "mesh-reconciler.io/store"
GENERATION = "mesh-reconciler.io/generation"
GROUP = "/apis/coordination.k8s.io/v1"


class Api(Protocol):
    """Who can send requests to the API server; the cluster adapter's `KubernetesApi` does."""

    def read(self, path: str) -> Document: ...

    def write(self, method: str, path: str, body: Any) -> Document: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    """A version of the Lease, and when (monotonic) we saw it first."""

    version: str
    since: float


class KubernetesLease:
    """The Lease ``mesh-reconciler-<target>`` in one namespace."""

    def __init__(self, api: Api, target: str, namespace: str, monotonic: Callable[[], float]) -> None:
        self._api, self._namespace, self._monotonic = api, namespace, monotonic
        self._name = f"mesh-reconciler-{target}"
        self._lock = threading.Lock()
        self._seen: _Seen | None = None

    def acquire(self, holder: str, store: str, ttl: timedelta, *, now: datetime, generation: int = 0) -> LeaseState:
        """Take or renew it; `now` is only what people read in it. Raises Fenced, Unavailable, Rejected."""
        with self._lock:
            found = self._read()
            self._refuse_while_held(found, holder)
            wanted = self._document(found, holder, store, ttl, now, generation)
            try:
                return _state(self._write(wanted, is_new=found is None))
            except Conflict as error:
                found = self._read()
                self._refuse_while_held(found, holder)
                raise Unavailable(f"the lease {self._name} moved while we asked for it; ask again") from error

    def release(self, holder: str) -> None:
        """Give it up; store, generation and epoch stay for who comes next."""
        with self._lock:
            found = self._read()
            if found is None or found["spec"].get("holderIdentity") != holder:
                return
            try:
                self._write({**found, "spec": {**found["spec"], "holderIdentity": ""}}, is_new=False)
            except Conflict:
                return  # somebody else has it by now

    def current(self) -> LeaseState | None:
        """Return it as it stands."""
        with self._lock:
            found = self._read()
        return None if found is None else _state(found)

    def _refuse_while_held(self, found: Document | None, holder: str) -> None:
        """Raise Fenced while another holder's time is not up."""
        spec = found["spec"] if found else {}
        other = spec.get("holderIdentity") or ""
        if not other or other == holder:
            return
        assert self._seen is not None, "what was read was noted"  # noqa: S101 - the line above this call
        silent = self._monotonic() - self._seen.since
        left = (spec.get("leaseDurationSeconds") or 0) - silent
        if left > 0:
            raise Fenced(f"{other} writes to this target; its lease runs {left:.0f} s more if it stays silent", holder=other)

    def _read(self) -> Document | None:
        try:
            found = _checked(self._api.read(self._path(self._name)))
        except Rejected as error:
            if error.status != 404:
                raise
            return None
        self._note(found)
        return found

    def _write(self, wanted: Document, *, is_new: bool) -> Document:
        method, path = ("POST", self._path()) if is_new else ("PUT", self._path(self._name))
        try:
            written = _checked(self._api.write(method, path, wanted))
        except Rejected as error:
            if error.status == 404:
                message = f"the lease's namespace {self._namespace} does not exist; create it or set lease_namespace"
                raise Rejected(message, status=404) from error
            raise
        self._note(written)
        return written

    def _note(self, found: Document) -> None:
        version = found["metadata"]["resourceVersion"]
        if self._seen is None or self._seen.version != version:
            self._seen = _Seen(version, self._monotonic())

    def _path(self, name: str = "") -> str:
        return f"{GROUP}/namespaces/{self._namespace}/leases" + (f"/{name}" if name else "")

    def _document(
        self, found: Document | None, holder: str, store: str, ttl: timedelta, now: datetime, generation: int
    ) -> Document:
        metadata: Document = dict(found["metadata"]) if found else {"name": self._name, "namespace": self._namespace}
        spec = found["spec"] if found else {}
        renewed = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        changes_hands = spec.get("holderIdentity") != holder
        metadata["annotations"] = {**(metadata.get("annotations") or {}), STORE: store, GENERATION: str(generation)}
        metadata.pop("managedFields", None)
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": max(1, round(ttl.total_seconds())),
                "acquireTime": renewed if changes_hands else spec.get("acquireTime", renewed),
                "renewTime": renewed,
                "leaseTransitions": (spec.get("leaseTransitions") or 0) + changes_hands,
            },
        }


def _checked(answer: Document) -> Document:
    if answer.get("kind") != "Lease" or not isinstance(answer.get("spec"), Mapping):
        raise Unavailable("asked for a Lease, was answered with something else")
    return answer


def _state(found: Document) -> LeaseState:
    annotations = found["metadata"].get("annotations") or {}
    spec = found["spec"]
    generation = annotations.get(GENERATION, "")
    return LeaseState(
        holder=spec.get("holderIdentity") or "",
        store=annotations.get(STORE, ""),
        epoch=(spec.get("leaseTransitions") or 0),
        generation=int(generation) if generation.isascii() and generation.isdigit() else 0,
        renewed=datetime.fromisoformat(spec["renewTime"]) if spec.get("renewTime") else None,
    )
