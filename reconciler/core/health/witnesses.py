"""Whom somebody else is asked about than a VM's own agent, and how the answer is laid over its record.

Everything that goes by a record's health goes by that answer then: laws, gates, conditions, lists. What a person or the
registry says of a VM stays: that it is drained, and the address that was verified.

Where agents tell, those are asked about that are silent and that a brake of the registry holds: its last word stands for a VM
that may be dead. One whose probe from here fails, too, is unreachable; any other answer changes nothing.
"""

from dataclasses import dataclass, replace

from reconciler.core.health.sources import CONSUL_SERVICE_ANNOTATION, Source, annotated, group_of, source_of
from reconciler.core.records import Health, MachineStatus
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
    checks count beside those of the node, empty for all of them. `held`: its agent tells its health, and is silent.
    """

    key: Key
    address: str
    source: Source
    probe: Document | None = None
    service: str = ""
    held: bool = False


def patients_of(observed: ObservedState, target: str) -> tuple[Patient, ...]:
    """Return the VMs of a target whose health others tell, as the cluster's WorkloadEntries and groups say.

    In the order of sources, then of keys.
    """
    groups = {key: live.document for key, live in observed.objects.items() if key.kind == "WorkloadGroup"}
    found = (
        _patient(live, observed.machines.get(record_of(key)), group_of(live.document, groups))
        for key, live in observed.objects.items()
        if key.kind == "WorkloadEntry" and marked_for(live.labels) == target
    )
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.source, one.key)))


def laid_over(live: LiveObject, said: MachineStatus | None, *, held: bool = False) -> LiveObject:
    """Return a record with what somebody else says of its VM, which is nothing where he knows nothing."""
    said = said or MachineStatus()
    if held and said.health is not Health.UNHEALTHY:
        return live
    status = {name: part for name, part in (live.document.get("status") or EMPTY).items() if name in _KEPT}
    told = {"health": said.health.value, **({"reason": said.reason} if said.reason else {})}
    return replace(live, document={**live.document, "status": {**status, **told, **({"unreachable": True} if held else {})}})


def _patient(live: LiveObject, record: LiveObject | None, group: Document | None) -> Patient | None:
    if record is None:
        return None
    source, probe = source_of(live.document, group), (record.document.get("spec") or EMPTY).get("probe")
    address = (live.document.get("spec") or EMPTY).get("address") or ""
    if source in ASKED:
        service = annotated(CONSUL_SERVICE_ANNOTATION, live.document, group)
        return Patient(record.key, address, source, probe, service)
    status = record.document.get("status") or EMPTY
    if source is Source.AGENT and probe and status.get("held") and status.get("health") == Health.HEALTHY:
        return Patient(record.key, address, Source.PROBE, probe, held=True)
    return None
