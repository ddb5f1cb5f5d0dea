"""Which conditions are written now, which are held back, and why: the laws over health.

Who comes back comes first. Who leaves leaves one by one: nobody without whom a port, or a destination of a route, would have no
endpoint that is not known to be ill. So where all of them are ill the last ones stay, which some requests may survive, and a
person is told; a service is never emptied by what VMs, or a broken probe, say of themselves.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.changes import ABSENT, Action, Cause, Change, FieldDiff
from reconciler.core.demands import Demand, lists, pairs, touched
from reconciler.core.health.brakes import Brake, room
from reconciler.core.health.conditions import HEALTHY, Reason
from reconciler.core.health.vitals import Vital
from reconciler.core.plans import Guard, GuardCode
from reconciler.core.resources import EMPTY, Key
from reconciler.core.simulation import after
from reconciler.core.world import World

#: Digits of the digest by which an override is bound to the moment that it was given for.
_DIGITS = 6
#: Names told of many VMs.
_NAMES = 5


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the health of the VMs of one namespace.

    `comes` are the conditions that take nobody out, `goes` those that do, `held` those that wait behind `guards`. `before` and
    `after` are the mesh around all of it, `services` (namespace, host) those of which requests move.
    """

    before: World
    after: World
    comes: tuple[Change, ...] = ()
    goes: tuple[Change, ...] = ()
    held: tuple[Change, ...] = ()
    guards: tuple[Guard, ...] = ()
    services: frozenset[tuple[str, str]] = frozenset()


def decide(
    vitals: Sequence[Vital],
    world: World,
    brake: Brake,
    overrides: Collection[str],
    now: datetime,
    moved: Mapping[Key, Change] = EMPTY,
) -> Decision:
    """Return what becomes of all VMs of one namespace; `world` holds all that they serve.

    `overrides` are names that a person gave; each is bound to the moment of which it was said. `moved` are writes of entries
    that are drained without a condition, or drained no more; the condition of such an entry waits for the next look.
    """
    found = Decision(world, world)
    for vital in vitals:
        if vital.key in moved and vital.drain is None:
            found = _with(found, moved[vital.key])
    differing = [one for one in vitals if one.differs and one.key not in moved]
    leaving = [one for one in differing if leaves(one)]
    found = replace(found, comes=(*found.comes, *(change_of(one, now) for one in differing if not one.counts)))
    for vital in differing:
        if vital.counts and not leaves(vital):
            found = _with(found, change_of(vital, now))
    drained = [one for one in leaving if one.word.reason is Reason.DRAINING]
    # Two witnesses: the registry, whose own brake holds it for want of a second one, and our probe.
    unreachable = [one for one in leaving if one.word.reason is Reason.UNREACHABLE]
    ill = [one for one in leaving if one not in drained and one not in unreachable]
    free, until = room(brake, vitals, now)
    braked = _braked(ill[free:], brake, until)
    if braked and braked.override not in overrides:
        found = replace(found, held=tuple(change_of(one, now) for one in ill[free:]), guards=(braked,))
        ill = ill[:free]
    going = [(one, change_of(one, now)) for one in drained]
    going += [(one, moved[one.key]) for one in vitals if one.key in moved and one.drain is not None]
    going += [(one, change_of(one, now)) for one in (*unreachable, *ill)]
    for vital, change in going:
        found = _unless_last(found, vital, change, overrides)
    return found


def leaves(vital: Vital) -> bool:
    """Tell whether the condition that a VM should have takes it out of load balancing."""
    return vital.counts and vital.in_use and vital.word.healthy is False


def change_of(vital: Vital, now: datetime) -> Change:
    """Return the write of a VM's condition."""
    names = {name: vital.live.document[name] for name in ("apiVersion", "kind")}
    metadata = {"name": vital.key.name, "namespace": vital.key.namespace}
    condition = vital.condition(now)
    stands = str(vital.stands.healthy) if vital.stands else ABSENT
    return Change(
        vital.key,
        Action.CONDITION,
        before=None,
        after={**names, "metadata": metadata, "status": {"conditions": [condition.document]}},
        fields=(FieldDiff(f"status.conditions[type={HEALTHY}].status", wanted=str(condition.healthy), cluster=stands),),
        cause=Cause.HEALTH,
        uid=vital.live.uid,
        resource_version=vital.live.resource_version,
    )


def _with(found: Decision, change: Change, *, goes: bool = False) -> Decision:
    """Return the decision with one more write."""
    new = after(found.after, change)
    services = found.services | touched(found.after, new, change).services
    if goes:
        return replace(found, goes=(*found.goes, change), after=new, services=services)
    return replace(found, comes=(*found.comes, change), after=new, services=services)


def _unless_last(found: Decision, vital: Vital, change: Change, overrides: Collection[str]) -> Decision:
    emptied = next(_emptied(found.after, vital, change), None)
    if emptied is None:
        return _with(found, change, goes=True)
    message = (
        f"{vital.key} stays, though {vital.word.message}: {emptied} would be left without an endpoint that is not known to be "
        "ill; bring another one back first"
    )
    override = f"last-endpoint:{vital.key.namespace}/{vital.key.name}:{_moment([vital])}"
    if override in overrides:
        return _with(found, change, goes=True)
    guard = Guard(GuardCode.LAST_ENDPOINT, message, override, keys=(vital.key,))
    return replace(found, held=(*found.held, change), guards=(*found.guards, guard))


def _emptied(world: World, vital: Vital, change: Change) -> Iterator[Demand]:
    """Yield the demands that a VM serves and that nobody else would serve well without it."""
    new = after(world, change)
    for demand in sorted(touched(world, new, change).before, key=str):
        if lists(world, demand, vital.key) and next(pairs(new, demand), None) is None:
            yield demand


def _braked(held: Sequence[Vital], brake: Brake, until: datetime) -> Guard | None:
    if not held:
        return None
    namespace = held[0].key.namespace
    names = ", ".join(one.key.name for one in held[:_NAMES]) + (f" and {len(held) - _NAMES} more" if held[_NAMES:] else "")
    message = (
        f"more VMs of {namespace} are ill than may leave within {brake.window.total_seconds() / 60:g} minutes: "
        f"{names} {'stays' if len(held) == 1 else 'stay'} for now; look for what they have in common"
    )
    override = f"health-brake:{namespace}:{_moment(held)}"
    return Guard(GuardCode.HEALTH_BRAKE, message, override, until, tuple(one.key for one in held))


def _moment(vitals: Sequence[Vital]) -> str:
    """Return digits that are others as soon as one of these VMs has left or come back."""
    stand = [f"{one.live.uid} {one.stands.since if one.stands else None}" for one in vitals]
    return hashlib.sha256("\n".join(stand).encode()).hexdigest()[:_DIGITS]
