"""The health of all VMs as a part of the plan: units of their own, one a namespace, beside those that Git asks for.

The digest of a plan does not cover them: health changes by the minute, and whoever approves a commit approves no illness.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from reconciler.core.changes import Action, Change
from reconciler.core.health.brakes import Brake
from reconciler.core.health.codes import Code
from reconciler.core.health.deciding import Decision, decide
from reconciler.core.health.sources import RECORDED, Source
from reconciler.core.health.vitals import Vital
from reconciler.core.modes import unit_mode
from reconciler.core.plans import Mode, PlanSettings, Step, UnitPlan
from reconciler.core.resources import EMPTY, Document, Key, LiveObject, ObservedState
from reconciler.core.splits import splits
from reconciler.core.world import World, record_of
from reconciler.errors import Problem, Severity

#: What bears on endpoints from other namespaces.
_ROUTING = frozenset({"DestinationRule", "VirtualService"})


_DOUBTED = (
    "the VM registry recovers: its record may be an older one (a restored backup), so no condition is changed and no drain "
    "begins or ends by it, nor is an entry of a group made, retired or deleted, until `reconciler vm end-recovery`"
)


@dataclass(frozen=True, slots=True)
class Health:
    """Every VM of ours, by key, and the units of the plan that carry the conditions of some.

    `standing` is what is so until it changes: worth a place in the history when it does.
    """

    vitals: tuple[Vital, ...] = ()
    units: tuple[UnitPlan, ...] = ()
    standing: tuple[Problem, ...] = ()


def told(fleet: Sequence[Vital], observed: ObservedState) -> Iterator[Problem]:
    """Yield what every report repeats as long as it is so. Who is on his way in or out stands in the units."""
    if observed.recovering:
        yield Problem(Code.DOUBTED, _DOUBTED, Severity.WARNING)
    if held := [one.key for one in fleet if _is_held(observed.machines.get(record_of(one.key)))]:
        text = (
            f"silent past their leases, and held by the brake of the registry's server: {_names(held)}; look for what they have"
        )
        yield Problem(Code.HELD, f"{text} in common, or let them go with `reconciler vm release-brake`", Severity.WARNING)
    assumed = [one.key for one in fleet if one.asked and one.source is Source.ASSUMED]
    waiting = [one.key for one in fleet if one.asked and not one.counts and one.source in RECORDED]
    if assumed:
        yield Problem(Code.ASSUMED, f"health is assumed, and reported by nobody: {_names(assumed)}", Severity.INFO)
    if waiting:
        text = f"health does not count yet, before a first good report: {_names(waiting)}"
        yield Problem(Code.WAITING, text, Severity.INFO)
    for source, why in observed.unheard.items():
        text = f"nothing is known of VMs whose health is {source}'s to tell, and nothing is concluded about them: {why}"
        yield Problem(Code.UNHEARD, text, Severity.WARNING)
    for one in fleet:
        if one.asked and one.word.healthy is None and one.word.message:
            text = f"nobody can tell whether it is well: {one.word.message}"
            yield Problem(Code.UNPROBED, text, Severity.WARNING, object=str(one.key))
        if not one.in_use and not one.differs and one.drain is None:
            why = one.word.message or "nobody says that it is well"
            yield Problem(Code.OUT, f"gets no requests: {why}", Severity.INFO, object=str(one.key))


def health_of(  # noqa: PLR0913 - what it depends on is named, not bundled
    fleet: tuple[Vital, ...],
    git: Mapping[Key, Document],
    observed: ObservedState,
    settings: PlanSettings,
    brake: Brake,
    now: datetime,
    *,
    overrides: Collection[str] = (),
    untouchable: Collection[Key] = (),
    moved: Mapping[Key, Change] = EMPTY,
) -> Health:
    """Return where the health of all VMs stands, and what of it is to be written now.

    `fleet` are all VMs of ours, by key; `git` holds the declared documents. `untouchable` are objects whose condition must not
    be written. `moved` are told in `decide`.
    """
    units: list[UnitPlan] = []
    for namespace, members in groupby(fleet, key=lambda one: one.key.namespace):
        here = list(members)
        due = [one for one in here if (one.differs and one.key not in untouchable) or one.key in moved]
        if due:
            world = around(namespace, observed, settings.cluster)
            modes = {one.key: _mode(one, world, git, observed, settings.mode) for one in due}
            for mode in Mode:
                part = [one for one in here if modes.get(one.key, None if one.differs else Mode.ENFORCE) is mode]
                if mode in modes.values():
                    own = {one.key: moved[one.key] for one in part if one.key in moved}
                    units.append(_unit(namespace, mode, decide(part, world, brake, overrides, now, own), part))
    return Health(fleet, tuple(units))


def _is_held(record: LiveObject | None) -> bool:
    return bool(record and (record.document.get("status") or EMPTY).get("held"))


def fought_over(vital: Vital) -> Problem:
    """Return that another writer keeps changing a VM's condition back."""
    message = (
        f"its condition is left alone: {vital.overruled} keeps changing it back; settle it there, then name it with "
        f"`--adopt Condition/{vital.key.namespace}/{vital.key.name}`"
    )
    return Problem(Code.FOUGHT, message, Severity.WARNING, object=str(vital.key))


def _mode(vital: Vital, world: World, git: Mapping[Key, Document], observed: ObservedState, setting: Mode) -> Mode:
    picking = [key for key in world.backends_by_namespace.get(vital.key.namespace) or () if vital.key in world.picked[key]]
    return unit_mode(setting, [vital.key, *picking], git, observed, EMPTY).mode


def around(namespace: str, observed: ObservedState, cluster: str, instead: Mapping[Key, Document] = EMPTY) -> World:
    """Return the mesh as far as the VMs of a namespace bear on it, with some documents `instead` of those that are there."""
    documents = {
        key: instead.get(key, live.document)
        for store in (observed.objects, observed.machines)
        for key, live in store.items()
        if key.namespace == namespace or key.kind in _ROUTING
    }
    pods = [one for one in observed.pods if one.namespace == namespace]
    services = [one for one in observed.services if one.namespace == namespace]
    return World.build(documents, pods, services, cluster=cluster)


def _unit(namespace: str, mode: Mode, found: Decision, fleet: Sequence[Vital]) -> UnitPlan:
    waves = tuple(wave for wave in (found.comes, found.goes) if wave)
    return UnitPlan(
        name=f"health {namespace}" if mode is Mode.ENFORCE else f"health {namespace}, observed",
        mode=mode,
        steps=(Step(waves),) if waves else (),
        held=found.held,
        guards=found.guards,
        before=splits(found.before, found.services),
        after=splits(found.after, found.services),
        problems=tuple(_told({one.key: one for one in fleet}, (*found.comes, *found.goes))),
    )


def _told(fleet: Mapping[Key, Vital], changes: Iterable[Change]) -> Iterator[Problem]:
    for change in changes:
        vital = fleet[change.key]
        if change.action is Action.UPDATE and vital.drain is None:
            yield Problem(Code.COMES, "comes back: nobody drains it any more", Severity.INFO, object=str(change.key))
            continue
        if vital.word.healthy:
            code, what = Code.COMES, "is well"
        elif vital.counts or change.action is Action.UPDATE:
            code, what = Code.LEAVES, "is out of load balancing"
        else:
            code, what = Code.UNCOUNTED, "is ill, which does not count yet"
        yield Problem(code, f"{what}: {vital.word.message}", Severity.INFO, object=str(change.key))


def _names(keys: Sequence[Key]) -> str:
    told = ", ".join(f"{key.namespace}/{key.name}" for key in keys[:5])
    return told + (f" and {len(keys) - 5} more" if keys[5:] else "")
