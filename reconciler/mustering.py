"""The VMs of a target as people see and move them, out of cluster, registry and the registry's server; Git is not asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.spec import Reporter
from reconciler.core.health.brakes import Brake
from reconciler.core.health.conditions import Reason
from reconciler.core.health.planning import Health, health_of
from reconciler.core.health.rollcall import Row, roll_call
from reconciler.core.health.vitals import Vital, Vitals
from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.plans import Guard, GuardCode, PlanSettings
from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.world import record_of
from reconciler.errors import Fenced, InvalidInput, SetupCode
from reconciler.observing import Observer
from reconciler.ports import Clock, FleetOffice, Metrics

#: A VM of which nobody has counted a request for so long gets none any more; proxies are asked every 15 s or so.
QUIET = timedelta(seconds=30)


@dataclass(slots=True)
class Muster:
    """Looks at all VMs of one target. `office` is None where nobody has an operator's token, `metrics` where none count."""

    observer: Observer
    office: FleetOffice | None
    plan: PlanSettings
    brake: Brake
    clock: Clock
    metrics: Metrics | None = None

    def rows(self) -> tuple[Row, ...]:
        """Return all VMs by name. Raises Unavailable."""
        observed = self.observer.observe()
        health = self._health(observed)
        guards = [guard for unit in health.units for guard in unit.guards]
        return roll_call(health.vitals, observed.machines, self.office.vms() if self.office else (), guards)

    def drain(self, namespace: str, name: str, *, even_last: bool = False) -> None:
        """Take a VM out of load balancing for as long as a person wants, through its record.

        Raises Fenced where it would stay all the same, since it is the last endpoint of something, unless that is wanted;
        InvalidInput where its health does not count in the mesh.
        """
        observed = self.observer.observe()
        key = Key("WorkloadEntry", namespace, name)
        vital = self._counting(key, observed)
        objection = self._objection(vital, observed)
        if objection and not even_last:
            raise Fenced(objection.message)
        self._at_office().drain(record_of(key), draining=True)

    def undrain(self, namespace: str, name: str) -> None:
        """Let a VM back in as soon as it is well."""
        self._at_office().drain(Key(VIRTUAL_MACHINE, namespace, name), draining=False)

    def awaited(self, namespace: str, name: str) -> str:
        """Say what a drained VM still waits for; empty once it is out and, as far as that is counted, gets no requests."""
        observed = self.observer.observe()
        live = observed.objects.get(Key("WorkloadEntry", namespace, name))
        entry = WorkloadEntry.of(live.document) if live else None
        if entry is None or self.metrics is None or entry.in_use:
            return "it is still in load balancing" if entry and entry.in_use else ""
        services = (ServiceEntry.of(one.document) for key, one in observed.objects.items() if key.kind == "ServiceEntry")
        picking = [one for one in services if one.key.namespace == namespace and one.picks(entry.endpoint)]
        arm = Arm(tuple(host for one in picking for host in one.hosts), namespace, (name,))
        now = self.clock.now()
        requests = self.metrics.counts(arm, Window(now - QUIET, now), Reporter.SOURCE).requests
        return f"it got {requests:,} requests in the last {QUIET.seconds} s" if requests else ""

    def accept(self, namespace: str, name: str) -> Document:
        """Return what Git has to say of a VM that reports from another address. Raises InvalidInput where it does not."""
        observed = self.observer.observe()
        key = Key("WorkloadEntry", namespace, name)
        vital = next((one for one in self._health(observed).vitals if one.key == key), None)
        if vital is None or vital.word.reason is not Reason.ADDRESS_DIFFERS:
            raise InvalidInput(f"{namespace}/{name} does not report from another address than Git says", code=SetupCode.OPTION)
        named = {part: vital.live.document[part] for part in ("apiVersion", "kind")}
        address = observed.machines[record_of(key)].document["status"]["address"]
        return {**named, "metadata": {"name": name, "namespace": namespace}, "spec": {"address": address}}

    def _counting(self, key: Key, observed: ObservedState) -> Vital:
        found = next((one for one in self._health(observed).vitals if one.key == key), None)
        if found is None:
            raise InvalidInput(f"there is no WorkloadEntry {key.namespace}/{key.name} of this target", code=SetupCode.OPTION)
        if found.istiods or not found.counts:
            why = "istiod keeps its health" if found.istiods else "its health does not count in the mesh yet"
            raise InvalidInput(f"{key.namespace}/{key.name} cannot be drained by its condition: {why}", code=SetupCode.OPTION)
        return found

    def _objection(self, vital: Vital, observed: ObservedState) -> Guard | None:
        """Return what would hold a VM in load balancing though a person drains it."""
        record = observed.machines.get(record_of(vital.key))
        if record is None:
            return None
        status = {**(record.document.get("status") or {}), "draining": True}
        drained = replace(record, document={**record.document, "status": status})
        health = self._health(replace(observed, machines={**observed.machines, record.key: drained}, version=""))
        guards = (guard for unit in health.units for guard in unit.guards)
        return next((one for one in guards if one.code == GuardCode.LAST_ENDPOINT and vital.key in one.keys), None)

    def _health(self, observed: ObservedState) -> Health:
        git = _as_if_in_git(observed)
        return health_of(Vitals().of(git, observed, self.plan.target), git, observed, self.plan, self.brake, self.clock.now())

    def _at_office(self) -> FleetOffice:
        if self.office is None:
            raise InvalidInput(
                "drains are the registry's server's: name the file of an operator's token", code=SetupCode.OPTION
            )
        return self.office


def _as_if_in_git(observed: ObservedState) -> Mapping[Key, Document]:
    """Return what is live in place of what Git says of it: here nobody asks what should be."""
    kinds = ("WorkloadEntry", "WorkloadGroup", "ServiceEntry", "Namespace")
    return {key: live.document for key, live in observed.objects.items() if key.kind in kinds}
