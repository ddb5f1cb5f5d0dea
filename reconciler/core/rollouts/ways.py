"""From one state of a unit to another: the legs, and on each the policy's steps as far as the endpoints allow them.

A step that cannot be reached without overshooting is merged into the first one that can, with the holds and gates of both.
Where nothing can be gradual at all, the leg is one step and says why.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from reconciler.core.istio import ServiceEntry
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.courses import Course, Sides, courses, expected_pods, pods_there
from reconciler.core.rollouts.legs import legs, rewritten, weighing
from reconciler.core.rollouts.mesh import Mesh, Shares, shares
from reconciler.core.rollouts.opening import Form, selector_of
from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.routing import quietly, routing
from reconciler.core.rollouts.steps import at_once, step_of
from reconciler.core.rollouts.traffic import Position, documents_at
from reconciler.core.rollouts.values import Documents, Leg, LegKind, RolloutStep, Stage, Way
from reconciler.core.rollouts.waypoints import Obstructed, Waypoint, Waypoints, waypoints
from reconciler.core.shares import by_part, grouped, of_updates, reachable

_ALL, _NONE = Fraction(1), Fraction(0)
#: By how much of the way a step may overshoot: weights are whole numbers.
SLACK = Fraction(2, 100)


def way_to(
    before: Documents,
    after: Documents,
    policy: RolloutPolicy,
    mesh: Mesh,
    splits: tuple[Fraction | None, Fraction | None] = (None, None),
    *,
    keeps: bool = False,
) -> Way | None:
    """Return the way of a unit from one state to another, None where nothing that changes moves traffic.

    `splits` are the VMs' wanted shares at both ends, None where weights rule. `keeps`: the one wanted in the end is held from
    then on, by what the policy's strategy makes shares of, and what is in the way of that refuses it.
    """
    try:
        states = waypoints(before, after, policy, mesh, splits, keeps=keeps)
    except Obstructed as found:
        return Way((), (), before, after, splits, refused=str(found), culprit=found.obstacle.key)
    # Without a split, Pods that are not there have no share for which weights could be sized, and routes need none.
    expected = expected_pods(policy, before, after, mesh) if splits != (None, None) and not states.by else 0
    armed = expected > 0 and splits[0] == 1 and not pods_there(before, after, mesh)
    notes = (f"if more than {expected:,} Pods come, the first step holds",) if armed else ()
    plan = Way((), (), before, after, splits, notes, expected=expected, by=states.by, armed=armed)
    if not states.by and splits[0] is not None and splits[0] == splits[1]:
        states = Waypoints((Waypoint(_weighing_as(before, after)),))
    standing = dict(before)
    try:
        for state in states.states:
            plan = _onwards(plan, standing, state, policy, mesh)
    except _Refused as refusal:
        return replace(plan, steps=(), refused=str(refusal))
    return replace(plan, after={**dict.fromkeys(standing), **after}) if plan.legs else None


def _onwards(way: Way, standing: dict[Key, Document | None], state: Waypoint, policy: RolloutPolicy, mesh: Mesh) -> Way:
    """Return the way led on to its next state, and let that stand."""
    resplit = not way.by and way.splits[0] != way.splits[1]
    for leg in rewritten(standing, state.documents) if state.quiet else legs(standing, state.documents, resplit=resplit):
        ends = Sides({**standing, **leg.before}, {**standing, **leg.after}, way.weighed, way.expected)
        found = [quietly(leg)] if state.quiet else _steps(leg, ends, policy, mesh)
        steps = tuple(replace(step, leg=len(way.legs)) for step in found)
        way = replace(way, legs=(*way.legs, leg), steps=(*way.steps, *steps))
        standing |= leg.after
    return way


def _weighing_as(before: Documents, after: Documents) -> Documents:
    """Return what is wanted with the weights that stand: with a split that stays, Git's say only the ratio among VMs."""
    kept = {key: one for key, one in before.items() if key.kind == "WorkloadEntry" and one is not None}
    return {
        key: weighing(new, kept[key]["spec"].get("weight")) if new is not None and key in kept else new
        for key, new in after.items()
    }


class _Refused(Exception):
    """The policy has a step that cannot be reached, and refuses to have it merged."""


def _steps(leg: Leg, ends: Sides, policy: RolloutPolicy, mesh: Mesh) -> Iterator[RolloutStep]:
    match leg.kind:
        case LegKind.IDENTITY | LegKind.ENDPOINTS:
            yield from _in_place(leg, ends, policy, mesh)
        case LegKind.TRAFFIC:
            yield from _moving(ends, policy, mesh)
        case LegKind.ROUTES:
            yield from routing(leg, policy)
        case LegKind.WHOLE:
            yield at_once(policy, (Stage.SHIFT,), "Istio gives this to all clients at once")


def _moving(ends: Sides, policy: RolloutPolicy, mesh: Mesh) -> Iterator[RolloutStep]:
    """Yield the steps of a TRAFFIC leg."""
    found = courses(ends, mesh)
    opens, ending = _is_opened(ends), _ending(ends, mesh)
    whole = _stages(first=True, last=True, opens=opens, ending=ending)
    against = next((why for one in found if (why := hindrance(one, ends, mesh))), "")
    if against:
        yield at_once(policy, whole, against)
    elif not any(one.moves for one in found):
        quiet = any(one.routed for one in found)
        yield RolloutStep(0, _ALL, whole, notes=("no request goes elsewhere",), quiet=quiet)
    else:
        yield from _gradually(ends, policy, mesh, opens=opens, ending=ending)


def _gradually(
    ends: Sides, policy: RolloutPolicy, mesh: Mesh, *, opens: bool, ending: tuple[Stage, ...]
) -> Iterator[RolloutStep]:
    """Yield the policy's steps, merging those that would overshoot."""

    def reach(wanted: Fraction) -> Fraction:
        reached = reached_at(Position(wanted, opened=True, closed=wanted == _ALL, settled=wanted == _ALL), ends, mesh)
        return reached if reached > wanted + SLACK else min(reached, wanted)

    found = reachable(policy.steps, reach, policy.unreachable)
    if found.refused:
        raise _Refused(found.refused)
    for number, one in enumerate(found.steps):
        last = number == len(found.steps) - 1
        yield step_of(one, _stages(first=not number, last=last, opens=opens, ending=ending))


def _stages(*, first: bool, last: bool, opens: bool, ending: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """Return the stages of a step. Others go straight from the step before: a last shift would only weigh them down first."""
    before = (Stage.PREPARE,) if first and opens else ()
    after = ending if last else ()
    return (*before, *((Stage.SHIFT,) if first or not after else ()), *after)


def _ending(ends: Sides, mesh: Mesh) -> tuple[Stage, ...]:
    """Return the stages in which others go, and in which those that stay are weighed anew after that, if they are.

    In one stage weights would come down first, and those that go would get more requests once more.
    """
    if not _is_closed(ends):
        return ()
    gone = Position(_ALL, opened=True, closed=True, settled=False)
    weights, good = (_weights(documents_at(one, ends, mesh)) for one in (gone, replace(gone, settled=True)))
    settles = any(good.get(key, weight) != weight for key, weight in weights.items())
    return (Stage.FINISH, Stage.SETTLE) if settles else (Stage.FINISH,)


def _weights(documents: Documents) -> dict[Key, int]:
    return {
        key: one["spec"].get("weight") or 1 for key, one in documents.items() if key.kind == "WorkloadEntry" and one is not None
    }


def _is_opened(ends: Sides) -> bool:
    """Whether newcomers are let in by something that must find the weights in place: a selector, or an entry created."""
    return bool(_workloads(ends.after) - _workloads(ends.before)) or any(one.opens for one in ends.entries())


def _is_closed(ends: Sides) -> bool:
    """Whether others are let go after requests have moved."""
    return bool(_workloads(ends.before) - _workloads(ends.after)) or any(one.closes for one in ends.entries())


def _workloads(documents: Documents) -> set[Key]:
    return {key for key, one in documents.items() if key.kind == "WorkloadEntry" and one is not None}


def hindrance(course: Course, ends: Sides, mesh: Mesh) -> str:
    """Say why the endpoints of a ServiceEntry cannot move gradually, empty where they can."""
    one = course.opening
    name = f"{one.before['metadata']['namespace']}/{one.before['metadata']['name']}"
    if one.form is Form.MOVED:
        return f"no label is common to both selectors of {name}, so nothing picks old and new endpoints at once"
    if one.form is Form.COMMON and one.between is not None:
        documents = {**ends.before, **{key: new for key, new in ends.after.items() if new is not None}}
        key = ServiceEntry.of(one.between).key
        between = shares(mesh.world({**documents, key: one.between}), key, ends.addresses())
        strangers = between.keys() - course.start.keys() - course.wanted.keys()
        if strangers:
            labels = ", ".join(selector_of(one.between) or ())
            return f"the labels common to both selectors of {name} ({labels}) also pick {min(map(str, strangers))}"
    return ""


def reached_at(position: Position, ends: Sides, mesh: Mesh) -> Fraction:
    """Return the exposure that the weights of a position really reach (0 to 1): of the farthest ServiceEntry's endpoints."""
    documents = {**ends.before, **documents_at(position, ends, mesh)}
    world, addresses = mesh.world(documents), ends.addresses()
    return max(
        (exposure(shares(world, Key.of(one.opening.before), addresses), one.start, one.wanted) for one in courses(ends, mesh)),
        default=_NONE,
    )


def exposure(now: Shares, start: Shares, wanted: Shares) -> Fraction:
    """Return how far shares are on the way: requests that go elsewhere than at the start, over those that will in the end."""
    whole = _distance(start, wanted)
    return _distance(start, now) / whole if whole else _NONE


def _distance(one: Shares, other: Shares) -> Fraction:
    keys = {*one, *other}
    return sum((abs(one.get(key, _NONE) - other.get(key, _NONE)) for key in keys), _NONE) / 2


def _in_place(leg: Leg, ends: Sides, policy: RolloutPolicy, mesh: Mesh) -> Iterator[RolloutStep]:
    """Yield the steps of a leg on which endpoints change in place: in groups whose summed share fits each step."""
    served = _served(ends, mesh)
    parts = {str(key): served.get(key, _NONE) for key in leg.after if key.kind == "WorkloadEntry"}
    names = {str(key): key for key in leg.after}
    order = by_part(parts)
    if not any(parts.values()):
        yield RolloutStep(0, _ALL, notes=("none of these endpoints gets requests",))
        return
    done: set[Key] = set()
    found = grouped(order, of_updates(order, parts), policy.steps, policy.unreachable)
    if found.refused:
        raise _Refused(found.refused)
    for group in found.groups:
        done |= {names[name] for name in group.names}
        last = group.reached.step.exposure == _ALL
        switched = frozenset(leg.after) if last else frozenset(_with_records(done, leg.after))
        yield replace(step_of(group.reached, (Stage.SHIFT,)), switched=switched)


def _served(ends: Sides, mesh: Mesh) -> Shares:
    """Return the largest share that each endpoint has of any of the unit's services."""
    world, addresses = mesh.world(ends.before), ends.addresses()
    found: dict[Key, Fraction] = {}
    for one in ends.entries():
        for key, share in shares(world, Key.of(one.before), addresses).items():
            found[key] = max(found.get(key, _NONE), share)
    return found


def _with_records(keys: set[Key], documents: Documents) -> Iterator[Key]:
    names = {(key.namespace, key.name) for key in keys}
    yield from (
        key for key in documents if (key.namespace, key.name) in names and key.kind in ("WorkloadEntry", "VirtualMachine")
    )
