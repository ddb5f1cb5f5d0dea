"""What stays with the old side while the end is watched, so that a comparing gate still has something to compare with.

    50 %  ->  99 %, watched  ->  100 %

The last step on which requests move becomes two: one that stops short of the end, after which the watch comes, and the rest.
Where no old side can be kept, the way stays as it is and says why.
"""

from dataclasses import replace
from fractions import Fraction

from reconciler.core.resources import Key
from reconciler.core.rollouts.courses import Sides
from reconciler.core.rollouts.destinations import hosts_moved, hosts_of
from reconciler.core.rollouts.effective import at, sides_of
from reconciler.core.rollouts.mesh import PODS, Mesh, shares
from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.routing import moves_gradually
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import LegKind, RolloutStep, Stage, Way
from reconciler.core.rollouts.ways import SLACK, exposure, hindrance
from reconciler.core.shares.values import percent

_ALL, _NONE = Fraction(1), Fraction(0)
_ENDING = (Stage.FINISH, Stage.SETTLE)
#: Where weights leave the old side more than so many times what shall be held back, the rest is no small matter.
_MUCH = 2


def holding_back(way: Way, policy: RolloutPolicy, mesh: Mesh) -> Way:
    """Return a way with what its policy holds back for the watch; its notes say why nothing is, and who then has no stable arm.

    Where some who serve now keep a share in the end, they are what is compared with, and nothing has to be held back.
    """
    last = next((number for number in reversed(range(len(way.steps))) if not way.steps[number].quiet), None)
    compared = [name for name, gate in policy.gates.items() if "compare" in gate]
    if last is None or not (policy.holdback or compared) or _stays(way, last, mesh):
        return way
    why = _against(way, last, policy, mesh) if policy.holdback else ""
    if policy.holdback and not why:
        found = _shortened(way, last, policy.holdback, mesh)
        if found is not None:
            return found
        why = "whole weights cannot leave it so little"
    said = [f"holdback: no old side is kept for the watch: {why}"] if why else []
    armed = compared if policy.watch else [name for name in compared if name in way.steps[last].gates]
    if armed:
        cure = "" if policy.holdback else " (`holdback: 1%` keeps one for the watch)"
        said.append(f"no stable arm for {', '.join(armed)} once all is given: only threshold gates stay armed then{cure}")
    return replace(way, notes=(*way.notes, *said))


def _stays(way: Way, step: int, mesh: Mesh) -> bool:
    """Tell whether anybody who gives requests away still gets some in the end; of routes alone, any host."""
    found, leg = course_of(way, step, mesh), way.legs[way.steps[step].leg]
    if not found and leg.kind is LegKind.ROUTES:
        return bool(hosts_moved(leg.before, leg.after)[1] & hosts_of(leg.after))
    return any(_NONE < share < course.start.get(key, _NONE) for course in found for key, share in course.wanted.items())


def _against(way: Way, last: int, policy: RolloutPolicy, mesh: Mesh) -> str:
    """Say why nothing can be held back of the last step, empty where something can."""
    step = way.steps[last]
    leg = way.legs[step.leg]
    if not policy.watch:
        return "nothing is watched (`watch`)"
    if any(one.exposure >= _ALL - policy.holdback for one in way.steps[:last] if one.leg == step.leg):
        return f"the step before it leaves {percent(policy.holdback)} or less"
    match leg.kind:
        case LegKind.IDENTITY | LegKind.ENDPOINTS:
            return "endpoints are changed in place, and then none is as before"
        case LegKind.WHOLE:
            return "Istio gives the change to all clients at once"
        case LegKind.ROUTES:
            return "" if moves_gradually(leg) else "what routes match changes, which Istio gives to all clients at once"
        case LegKind.TRAFFIC:
            ends, found = sides_of(way, last), course_of(way, last, mesh)
            if not any(one.moves for one in found):
                return "no request goes elsewhere"
            return next((why for one in found if (why := hindrance(one, ends, mesh))), "")


def _shortened(way: Way, last: int, holdback: Fraction, mesh: Mesh) -> Way | None:
    """Return the way with its last step in two, None where weights would give all of it with the first one already."""
    step = way.steps[last]
    ending = tuple(stage for stage in step.stages if stage in _ENDING)
    before = tuple(stage for stage in step.stages if stage not in _ENDING) or (Stage.SHIFT,)
    # Routes lead away from subsets before these go; endpoints that go are weighed down already.
    is_routed = way.legs[step.leg].kind is LegKind.ROUTES
    after = (Stage.SHIFT, *ending) if is_routed or not ending else ending
    short = replace(step, exposure=_ALL - holdback, stages=before, holdback=holdback)
    rest = RolloutStep(step.leg, _ALL, after, quiet=True)
    found = _with(way, last, short, rest)
    reached = _reached(found, last, mesh)
    if reached is None or reached == short.exposure:
        return found
    if reached >= _ALL:
        return None
    if reached > short.exposure + SLACK:
        short = replace(short, exposure=reached)
    if _ALL - reached > holdback * _MUCH:
        rest = replace(rest, hold=step.hold, gates=step.gates)
    if (least := percent(_ALL - reached)) != percent(holdback):
        judged = ": what is left is judged like the last step" if rest.gates or rest.hold else ""
        note = f"{least} of the way is held back, the nearest to {percent(holdback)} that whole weights can leave{judged}"
        short = replace(short, notes=(*short.notes, note))
    return _with(way, last, short, rest)


def _with(way: Way, last: int, *steps: RolloutStep) -> Way:
    return replace(way, steps=(*way.steps[:last], *steps, *way.steps[last + 1 :]))


def _reached(way: Way, step: int, mesh: Mesh) -> Fraction | None:
    """Return the exposure that a step really reaches, None while the Pods that are to get requests have yet to come."""
    documents = at(way, step, len(way.steps[step].stages) - 1, mesh)
    world, addresses = mesh.world(documents), Sides(way.before, way.after).addresses()
    found = []
    for course in course_of(way, step, mesh):
        now = shares(world, Key.of(course.opening.before), addresses)
        if PODS in course.wanted and PODS not in now:
            return None
        found.append(exposure(now, course.start, course.wanted))
    return max(found, default=None)
