"""WorkloadEntries of Git that wait for their VM: nobody sends requests to a machine that is not there, or not there yet.

Only the making of an entry waits, until its VM has joined the registry, reports from the entry's address and is well; nothing
that is there goes for it. What serves already under another name, such as an inline endpoint that becomes a WorkloadEntry,
waits for nobody: its service would lose it. Neither does one whose health somebody else tells, or that has no record.

As long as an entry waits it is no part of what is planned: its unit goes on without it, and it enters as a change of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.groups.marks import group_of, joined_at
from reconciler.core.health.codes import Code
from reconciler.core.health.sources import Source, source_of
from reconciler.core.health.words import word_of
from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.resources import EMPTY, DesiredState, Document, Key, LiveObject, Manifest, ObservedState
from reconciler.core.world import record_of
from reconciler.errors import Problem, Severity

_UNHEARD, _SILENT = "it has not joined", "it has not said how it is"


@dataclass(slots=True)
class Awaiting:
    """Finds the entries that wait. One per target; what it returns is the very same value as long as the same ones wait.

    `required` None: where a server of ours keeps the registry.
    """

    required: bool | None = None
    _last: tuple[DesiredState, frozenset[Key], DesiredState] | None = field(default=None, init=False)

    def of(self, desired: DesiredState, observed: ObservedState) -> tuple[DesiredState, tuple[ObjectDiff, ...]]:
        """Return the desired state without the entries that wait, and where these stand."""
        if not (observed.served if self.required is None else self.required):
            return desired, ()
        waiting = dict(_Look(desired, observed).waiting())
        if not waiting:
            return desired, ()
        return self._without(desired, frozenset(waiting)), tuple(
            _stands(desired.manifests[key], why) for key, why in waiting.items()
        )

    def _without(self, desired: DesiredState, waiting: frozenset[Key]) -> DesiredState:
        if self._last is None or self._last[0] is not desired or self._last[1] != waiting:
            kept = {key: one for key, one in desired.manifests.items() if key not in waiting}
            self._last = desired, waiting, replace(desired, manifests=kept)
        return self._last[2]


@dataclass(frozen=True)
class _Look:
    desired: DesiredState
    observed: ObservedState

    def waiting(self) -> Iterator[tuple[Key, str]]:
        """Yield the entries that wait, in Git's order, each with what its VM lacks."""
        for key, manifest in self.desired.manifests.items():
            if key.kind != "WorkloadEntry" or key in self.observed.objects or not self._is_reported(key, manifest.document):
                continue
            record, address = self.observed.machines.get(record_of(key)), manifest.document["spec"].get("address") or ""
            word = word_of(address, record.document if record else None)
            if word.healthy is not True and (key.namespace, _canonical(address)) not in self._serving:
                yield key, word.message or (_SILENT if _has_reported(record) else _UNHEARD)

    def _is_reported(self, key: Key, document: Document) -> bool:
        """Tell whether it is an agent that says how the VM of an entry is."""
        group = self.desired.manifests.get(Key("WorkloadGroup", key.namespace, group_of(document)))
        by_agent = source_of(document, group.document if group else None) is Source.AGENT
        return by_agent and record_of(key) in self.desired.machines and not joined_at(document)

    @cached_property
    def _serving(self) -> frozenset[tuple[str, str]]:
        """Namespaces and addresses of what gets requests now."""
        return frozenset((namespace, _canonical(address)) for namespace, address in self._endpoints())

    def _endpoints(self) -> Iterator[tuple[str, str]]:
        for key, live in self.observed.objects.items():
            if key.kind == "WorkloadEntry" and (entry := WorkloadEntry.of(live.document)).in_use:
                yield key.namespace, entry.endpoint.address
            elif key.kind == "ServiceEntry":
                yield from ((key.namespace, one.address) for one in ServiceEntry.of(live.document).endpoints)


def _stands(manifest: Manifest, why: str) -> ObjectDiff:
    key = manifest.key
    text = f"waiting for VM {key.namespace}/{key.name}: {why}; its WorkloadEntry is made once it is there and well"
    found = Problem(Code.AWAITED, text, Severity.INFO, manifest.place, object=str(key))
    return ObjectDiff(key, State.WAITING, problems=(found,), place=manifest.place)


def _has_reported(record: LiveObject | None) -> bool:
    return bool(record and (record.document.get("status") or EMPTY).get("lastSeen"))


def _canonical(address: str) -> str:
    try:
        return str(ip_address(address))
    except ValueError:
        return address
