"""Every VM on one line: how it is, who holds it in load balancing or out of it, and why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.changes import Origin
from reconciler.core.groups.marks import origin_of
from reconciler.core.health.drains import Draining
from reconciler.core.health.states import states_of, states_of_page
from reconciler.core.health.vitals import Vital
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.plans import Guard
from reconciler.core.records import Health
from reconciler.core.resources import EMPTY, Document, Key, LiveObject
from reconciler.core.world import record_of


@dataclass(frozen=True, slots=True)
class Row:
    """One VM. `mesh` is whether it gets requests: ``in``, ``out``, ``-`` where there is no WorkloadEntry of ours.

    `origin` says where it comes from, None where that is Git.

    `seen` is its last sign of life, `lease` the end of its lease, None where they are not known. `states` names where Git,
    registry and VM disagree, `why` are sentences.
    """

    namespace: str
    name: str
    health: str
    mesh: str
    seen: datetime | None = None
    lease: datetime | None = None
    agent: str = ""
    address: str = ""
    states: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    origin: Origin | None = None

    @property
    def document(self) -> Document:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "health": self.health,
            "mesh": self.mesh,
            "lastSeen": self.seen.isoformat() if self.seen else None,
            "leaseEnds": self.lease.isoformat() if self.lease else None,
            "agent": self.agent,
            "address": self.address,
            "states": list(self.states),
            "why": list(self.why),
            "group": self.origin.group if self.origin else "",
            "joined": self.origin.at if self.origin else None,
        }


def roll_call(
    fleet: Iterable[Vital],
    machines: Mapping[Key, LiveObject],
    pages: Iterable[Document],
    guards: Sequence[Guard],
    drains: Mapping[Key, tuple[Draining, str]] = EMPTY,
) -> tuple[Row, ...]:
    """Return all VMs by name: entries of ours, records, and what has joined (`pages`, as the registry's server shows it).

    `drains` are those that are drained, each with a sentence about that.
    """
    vitals = {record_of(one.key): one for one in fleet}
    joined = {Key(VIRTUAL_MACHINE, page["namespace"], page["name"]): page for page in pages}
    keys = sorted({*vitals, *machines, *joined})
    parting = {record_of(key): one for key, one in drains.items()}
    return tuple(_row(key, vitals.get(key), machines.get(key), joined.get(key), guards, parting.get(key)) for key in keys)


def _row(
    key: Key,
    vital: Vital | None,
    record: LiveObject | None,
    page: Document | None,
    guards: Sequence[Guard],
    parting: tuple[Draining, str] | None,
) -> Row:
    status = (record.document.get("status") if record else None) or EMPTY
    states = [*(states_of(vital, record) if vital else ()), *(states_of_page(page, record) if page else ())]
    seen = (page["lastSeen"] if page else None) or status.get("lastSeen")
    return Row(
        namespace=key.namespace,
        name=key.name,
        health=page["health"] if page else status.get("health", Health.UNKNOWN.value),
        mesh="-" if vital is None else "in" if vital.in_use and not (parting and parting[0].is_out) else "out",
        seen=datetime.fromisoformat(seen) if seen else None,
        lease=datetime.fromisoformat(page["leaseEnds"]) if page and page["leaseEnds"] else None,
        agent=page["agent"] if page else "",
        address=(page["address"] if page else "") or status.get("address", ""),
        states=tuple(state.value for state, _ in states),
        origin=_origin(vital, record),
        why=(*(_why(vital, guards, parting) if vital else ()), *(_held(page) if page else ()), *(text for _, text in states)),
    )


def _origin(vital: Vital | None, record: LiveObject | None) -> Origin | None:
    return next((found for one in (vital.live if vital else None, record) if one and (found := origin_of(one.document))), None)


def _why(vital: Vital, guards: Sequence[Guard], parting: tuple[Draining, str] | None) -> list[str]:
    """Say who holds a VM where it is."""
    found = [guard.message for guard in guards if vital.key in guard.keys]
    if parting:
        return [*found, parting[1]]
    if vital.istiods:
        found.append("istiod keeps its health")
    elif not vital.counts:
        found.append("its health does not count")
    if vital.word.healthy is False and not found[:1] and vital.word.message:
        found.append(vital.word.message)
    if not vital.in_use and vital.word.healthy is None:
        found.append("nobody says that it is well")
    return found


def _held(page: Document) -> list[str]:
    found = [f"silent, and held by the brake of {', '.join(page['heldBy'])}"] if page["heldBy"] else []
    found += ["flaps, and is held out for a while"] if page["flapping"] else []
    return found + ([f"its agent is {page['agentState']}"] if page["agentState"] not in ("", "active") else [])
