"""Could the old side take its requests back: asked before an undo, and before a step that leads farther away from it.

An autoscaler shrinks Pods that get fewer requests. Whoever then goes back floods those that are left.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from reconciler.core.resources import Key
from reconciler.core.rollouts.capacity import Need, Trust, helped, need_of, overburdened
from reconciler.core.rollouts.mesh import PODS, Mesh, shares
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import LegKind

_NONE = Fraction(0)


def retreat(found: Iterable[Need]) -> str:
    """Say why Pods could not even take back what the first step of an undo gives them; empty where they could."""
    return next((str(one) for one in found if one.lacks), "")


def shrunk(found: Iterable[Need]) -> str:
    """Say which autoscaler has shrunk the old side so far that it could not take all its requests back; empty where none has.

    Pods that crashed are no matter of that: they are meant to run.
    """
    for one in found:
        scale = one.scale
        if scale.automatic and scale.desired < one.end and one.ready < one.end:
            what = f"the old side of {one.service} to {scale.desired:,} Pods, and an undo needs {one.end:,}"
            return f"{scale.names} has shrunk {what}{helped(scale, one.end)}"
    return ""


def retreats(rollout: Rollout, mesh: Mesh) -> Iterator[Need]:
    """Yield what the first step of a way back would need of Pods that have given requests away."""
    step = _last_of_traffic(rollout)
    if rollout.back or rollout.started is None or step is None or not rollout.carried:
        return
    trust, ahead = Trust(rollout.policy.max_load, rollout.carried, back=True), rollout.policy.steps[0].exposure
    origins = {one.entry: one.pods * one.share for one in rollout.carried}
    live = mesh.world(mesh.live({**rollout.way.before, **rollout.way.after}))
    for course in course_of(rollout.way, step, mesh):
        entry = Key.of(course.opening.before)
        origin, now = origins.get(entry, _NONE), shares(live, entry, {}).get(PODS, _NONE)
        if origin > now:
            yield need_of(course, (now, now + ahead * (origin - now), origin), trust, mesh)


def unfit(rollout: Rollout, mesh: Mesh) -> str:
    """Say why VMs could not take back what the first step of an undo gives them; empty where they could, or none is ill."""
    step, entries = _last_of_traffic(rollout), (key for key in rollout.way.before if key.kind == "WorkloadEntry")
    if rollout.back or rollout.started is None or step is None or not any(map(mesh.is_ill, entries)):
        return ""
    reached, ahead = rollout.way.steps[step].exposure, rollout.policy.steps[0].exposure
    turned = (replace(one, start=one.at(reached), wanted=one.start) for one in course_of(rollout.way, step, mesh))
    return next((text for one in turned if (text := overburdened(one, ahead, rollout.policy.max_load, mesh))), "")


def _last_of_traffic(rollout: Rollout) -> int | None:
    """Return the last step up to the current one that moves traffic between endpoints."""
    way = rollout.way
    gone: Iterable[int] = range(min(rollout.step, len(way.steps) - 1), -1, -1)
    return next((step for step in gone if way.legs[way.steps[step].leg].kind in (LegKind.TRAFFIC, LegKind.ROUTES)), None)
