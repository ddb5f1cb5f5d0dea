"""What is said of VMs by others than their agents, laid over what the VM registry holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby

from reconciler.core.health.sources import Source
from reconciler.core.health.witnesses import Patient, laid_over, patients_of
from reconciler.core.records import MachineStatus
from reconciler.core.resources import Key, LiveObject, ObservedState
from reconciler.errors import Rejected, Unavailable
from reconciler.ports import Witness

#: What the operator has to set before a source can be asked.
_LACKING = {
    Source.CONSUL: "no Consul is named (consul.url)",
    Source.PROBE: "no network may be probed (health.probe_networks)",
}
_Said = Mapping[Key, MachineStatus]


@dataclass(slots=True)
class Witnesses:
    """Those who tell how the VMs of a target are. Who cannot be asked says nothing: what Git says goes on without him."""

    target: str
    ports: Mapping[Source, Witness] = field(default_factory=dict)
    _stores: ObservedState | None = None
    _patients: Mapping[Source, tuple[Patient, ...]] = field(default_factory=dict)
    _said: tuple[_Said, Mapping[str, str]] = ({}, {})
    _laid: Mapping[Key, tuple[LiveObject, MachineStatus | None, LiveObject]] = field(default_factory=dict)
    _observed: ObservedState | None = None
    _turn: int = 0

    def testify(self, stores: ObservedState) -> ObservedState:
        """Return what the stores hold, with what is said laid over; the very same value while neither has changed."""
        if stores is not self._stores:
            patients = groupby(patients_of(stores, self.target), key=lambda one: one.source)
            self._patients = {source: tuple(found) for source, found in patients}
        said = self._heard()
        if self._observed is None or stores is not self._stores or said != self._said:
            self._turn += said != self._said
            self._stores, self._said = stores, said
            self._observed = self._over(stores) if self._patients else stores
        return self._observed

    def _heard(self) -> tuple[_Said, Mapping[str, str]]:
        said: dict[Key, MachineStatus] = {}
        asked = {one.source for patients in self._patients.values() for one in patients if not one.held}
        unheard = {source.value: why for source, why in _LACKING.items() if source in asked}
        for source, port in self.ports.items():
            unheard.pop(source.value, None)
            try:
                said.update(port.testify(self._patients.get(source, ())))
            except (Rejected, Unavailable) as error:
                unheard[source.value] = str(error)
        return said, unheard

    def _over(self, stores: ObservedState) -> ObservedState:
        said, unheard = self._said
        laid = {}
        for one in (patient for patients in self._patients.values() for patient in patients):
            live, told = stores.machines[one.key], said.get(one.key)
            known = self._laid.get(one.key)
            same = known is not None and known[0] is live and known[1] == told
            laid[one.key] = known if known and same else (live, told, laid_over(live, told, held=one.held))
        self._laid = laid
        machines = {**stores.machines, **{key: over for key, (_, _, over) in laid.items()}}
        return replace(stores, machines=machines, unheard=unheard, version=f"{stores.version}/{self._turn}")
