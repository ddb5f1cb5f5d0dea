"""Pods that nobody reckoned with come to weights that were armed before the first one was there.

Weights follow them, so that they stay within the step; but what was to be a few is more, and the step does not pass by itself.
"""

from collections.abc import Mapping

from reconciler.core.resources import Key
from reconciler.core.rollouts.capacity import service_name
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import LegKind, Overrun
from reconciler.core.scaling import Scale


def overrun(rollout: Rollout, in_git: Mapping[Key, int], mesh: Mesh) -> Overrun | None:
    """Return what has come beyond what was expected; None where as many did, or where Pods served from the start.

    `in_git` is what Git expects now, by ServiceEntry: who says it after the rollout began has seen how many come.
    """
    way, step = rollout.way, rollout.step
    if not way.armed or rollout.back or rollout.started is None or not way.begins_leg(step):
        return None
    if way.legs[way.steps[step].leg].kind is not LegKind.TRAFFIC:
        return None
    for course in course_of(way, step, mesh):
        entry = Key.of(course.opening.before)
        expected = max(way.expected, in_git.get(entry, 0))
        if course.pods > expected:
            scale = mesh.scale(entry.namespace, course.opening.selectors)
            return Overrun(service_name(entry), course.pods, expected, _helps(scale, expected))
    return None


def _helps(scale: Scale, pods: int) -> str:
    if scale.automatic:
        return f"set maxReplicas of {scale.names} to {pods:,}"
    return f"scale {scale.names} to {pods:,}" if scale.scalers else ""
