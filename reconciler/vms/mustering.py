"""The VMs of a target as people see and move them, out of cluster, registry and the registry's server; Git is not asked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.core.changes import Change
from reconciler.core.drain import PATIENCE, Drain
from reconciler.core.gates.answers import Arm, Window
from reconciler.core.gates.spec import Reporter
from reconciler.core.health.brakes import Brake
from reconciler.core.health.conditions import Reason
from reconciler.core.health.drains import Draining, as_it_stands, drains_of
from reconciler.core.health.moves import leaving
from reconciler.core.health.notes import undrained
from reconciler.core.health.parting import QUIET, said, strained
from reconciler.core.health.planning import Health, health_of
from reconciler.core.health.rollcall import Row, roll_call
from reconciler.core.health.vitals import Vital, Vitals
from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.plans import GuardCode, Mode, PlanSettings, UnitPlan
from reconciler.core.resources import EMPTY, Document, Key, ObservedState
from reconciler.core.rollouts.seen import Pace
from reconciler.core.world import record_of
from reconciler.cycle.observing import Observer
from reconciler.errors import Fenced, InvalidInput, SetupCode
from reconciler.ports import Clock, FleetOffice, Metrics

_USUAL = Pace()
_DOUBT = "the registry's record may be an older one: nothing is concluded from it until `reconciler vm end-recovery`"


@dataclass(slots=True)
class Muster:
    """Looks at all VMs of one target. `office` is None where nobody has an operator's token, `metrics` where none count.

    `settle` is how long a weight takes to reach all clients.
    """

    observer: Observer
    office: FleetOffice | None
    plan: PlanSettings
    brake: Brake
    clock: Clock
    metrics: Metrics | None = None
    settle: timedelta = _USUAL.settle

    def rows(self) -> tuple[Row, ...]:
        """Return all VMs by name. Raises Unavailable."""
        observed = self.observer.observe()
        git, drains = _as_if_in_git(observed), self._drains(observed)
        health = self._health(observed, leaving(drains, git, observed))
        guards = [guard for unit in health.units for guard in unit.guards]
        parting = {key: (one, said(one, git, observed, self.plan.cluster)) for key, one in drains.items()}
        pages = self.office.vms() if self.office else ()
        found = roll_call(health.vitals, observed.machines, pages, guards, parting)
        return tuple(replace(one, why=(*one.why, _DOUBT)) for one in found) if observed.recovering else found

    def drain(self, namespace: str, name: str, *, even_last: bool = False, within: timedelta = PATIENCE) -> str:
        """Take a VM out of load balancing for as long as a person wants, through its record; say who gets its requests.

        `within` is for how long its last requests are awaited. Raises Fenced where it would stay all the same, since it is the
        last endpoint of something, unless that is wanted; InvalidInput where there is no such VM.
        """
        observed = self.observer.observe()
        key = Key("WorkloadEntry", namespace, name)
        self._known(key, observed)
        ahead = self._without(key, observed)
        objections = [one for one in ahead.guards if one.code == GuardCode.LAST_ENDPOINT and key in one.keys] if ahead else []
        if objections and not even_last:
            raise Fenced(objections[0].message)
        self._at_office().drain(record_of(key), draining=True, within=within)
        return strained(ahead.before, ahead.after) if ahead else ""

    def undrain(self, namespace: str, name: str) -> None:
        """Let a VM back in as soon as it is well."""
        self._at_office().drain(Key(VIRTUAL_MACHINE, namespace, name), draining=False)

    def parting(self, namespace: str, name: str) -> tuple[Draining | None, str]:
        """Return how far a VM's drain is, with a sentence; None where nobody drains it, or it is not there any more."""
        observed = self.observer.observe()
        found = self._drains(observed).get(Key("WorkloadEntry", namespace, name))
        return found, said(found, _as_if_in_git(observed), observed, self.plan.cluster) if found else ""

    def _drains(self, observed: ObservedState) -> dict[Key, Draining]:
        git, now = _as_if_in_git(observed), self.clock.now()
        fleet = [one for one in as_it_stands(Vitals().of(git, observed, self.plan.target), observed, now) if one.drain]
        requests = {one.key: self._requests(one, observed) for one in fleet}
        return drains_of(fleet, git, observed, now, self.settle, requests)

    def _requests(self, vital: Vital, observed: ObservedState) -> int | None:
        """Return how many requests a VM got lately, None where nobody counts them."""
        if self.metrics is None:
            return None
        namespace, endpoint = vital.key.namespace, WorkloadEntry.of(undrained(vital.live.document)).endpoint
        services = (ServiceEntry.of(one.document) for key, one in observed.objects.items() if key.kind == "ServiceEntry")
        picking = [one for one in services if one.key.namespace == namespace and one.picks(endpoint)]
        arm = Arm(tuple(host for one in picking for host in one.hosts), namespace, (vital.key.name,))
        now = self.clock.now()
        return self.metrics.counts(arm, Window(now - timedelta(seconds=QUIET), now), Reporter.SOURCE).requests

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

    def _known(self, key: Key, observed: ObservedState) -> None:
        if all(one.key != key for one in self._health(observed).vitals):
            raise InvalidInput(f"there is no WorkloadEntry {key.namespace}/{key.name} of this target", code=SetupCode.OPTION)

    def _without(self, key: Key, observed: ObservedState) -> UnitPlan | None:
        """Return what becomes of a VM's namespace once a person drains it, None where nothing does."""
        record, now = observed.machines.get(record_of(key)), self.clock.now()
        if record is None:
            return None
        status = {**(record.document.get("status") or {}), "draining": True, "drain": Drain("", now, now).document}
        drained = replace(record, document={**record.document, "status": status})
        observed = replace(observed, machines={**observed.machines, record.key: drained}, version="")
        git = _as_if_in_git(observed)
        fleet = Vitals().of(git, observed, self.plan.target)
        found = drains_of([one for one in fleet if one.key == key], git, observed, now, self.settle)
        health = health_of(fleet, git, observed, self.plan, self.brake, now, moved=leaving(found, git, observed))
        units = (one for one in health.units if one.mode is Mode.ENFORCE)
        return next((one for one in units if key in {change.key for change in (*one.held, *one.changes)}), None)

    def _health(self, observed: ObservedState, moved: Mapping[Key, Change] = EMPTY) -> Health:
        git = _as_if_in_git(observed)
        fleet = Vitals().of(git, observed, self.plan.target)
        return health_of(fleet, git, observed, self.plan, self.brake, self.clock.now(), moved=moved)

    def _at_office(self) -> FleetOffice:
        if self.office is None:
            raise InvalidInput(
                "drains are the registry's server's: name the file of an operator's token", code=SetupCode.OPTION
            )
        return self.office


def _as_if_in_git(observed: ObservedState) -> Mapping[Key, Document]:
    """Return what is live in place of what Git says of it: here nobody asks what should be."""
    kinds = ("WorkloadEntry", "WorkloadGroup", "ServiceEntry", "Namespace")
    return {key: undrained(live.document) for key, live in observed.objects.items() if key.kind in kinds}
