"""Whom somebody else is asked about than a VM's own agent, and how the answer is laid over its record.

Everything that goes by a record's health goes by that answer then: laws, gates, conditions, lists. What a person or the
registry says of a VM stays: that it is drained, and the address that was verified.
"""

from dataclasses import dataclass, replace

from reconciler.core.health.sources import CONSUL_SERVICE_ANNOTATION, Source, annotated, group_of, source_of
from reconciler.core.records import MachineStatus
from reconciler.core.resources import EMPTY, Document, Key, LiveObject, ObservedState
from reconciler.core.wanted import marked_for
from reconciler.core.world import record_of

#: Those who are asked by us. The agents' word comes by itself, and so does istiod's.
ASKED = frozenset({Source.CONSUL, Source.PROBE})
#: What stays of a record's status, whoever says how the VM is.
_KEPT = frozenset({"address", "draining", "drain"})


@dataclass(frozen=True, slots=True)
class Patient:
    """A VM about which a source of health is asked; `key` is its record's, `address` its WorkloadEntry's.

    `probe` is the one of its record (a WorkloadGroup's), None where it has none. `service` is the service of Consul whose
    checks count beside those of the node, empty for all of them.
    """

    key: Key
    address: str
    source: Source
    probe: Document | None = None
    service: str = ""


def patients_of(observed: ObservedState, target: str) -> tuple[Patient, ...]:
    """Return the VMs of a target whose health others tell, by key, as the cluster's WorkloadEntries and groups say."""
    groups = {key: live.document for key, live in observed.objects.items() if key.kind == "WorkloadGroup"}
    found = (
        _patient(live, observed.machines.get(record_of(key)), group_of(live.document, groups))
        for key, live in observed.objects.items()
        if key.kind == "WorkloadEntry" and marked_for(live.labels) == target
    )
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.key))


def laid_over(live: LiveObject, said: MachineStatus | None) -> LiveObject:
    """Return a record with what somebody else says of its VM, which is nothing where he knows nothing."""
    status = {name: part for name, part in (live.document.get("status") or EMPTY).items() if name in _KEPT}
    said = said or MachineStatus()
    told = {"health": said.health.value, **({"reason": said.reason} if said.reason else {})}
    return replace(live, document={**live.document, "status": {**status, **told}})


def _patient(live: LiveObject, record: LiveObject | None, group: Document | None) -> Patient | None:
    source = source_of(live.document, group)
    if source not in ASKED or record is None:
        return None
    spec = record.document.get("spec") or EMPTY
    service = annotated(CONSUL_SERVICE_ANNOTATION, live.document, group)
    return Patient(record.key, (live.document.get("spec") or EMPTY).get("address") or "", source, spec.get("probe"), service)
