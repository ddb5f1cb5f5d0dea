"""Are the endpoints there that a step counts on: who receives requests is well, and no side is lost."""

from fractions import Fraction

from reconciler.core.backends import Platform
from reconciler.core.resources import Key
from reconciler.core.rollouts.courses import Course, Sides, courses
from reconciler.core.rollouts.effective import at
from reconciler.core.rollouts.mesh import PODS, Mesh
from reconciler.core.rollouts.opening import selector_of
from reconciler.core.rollouts.values import LegKind, Way

_NONE = Fraction(0)


def unhealthy(way: Way, step: int, stage: int, mesh: Mesh) -> str:
    """Say which endpoints that receive more requests than at the start are ill or gone, empty where all are well."""
    documents = at(way, step, stage, mesh)
    world = mesh.world(documents)
    for course in course_of(way, step, mesh):
        entry = Key.of(course.opening.before)
        members = list((world.picked.get(entry) or {}).values())
        receiving = {key for key, share in course.wanted.items() if share > course.start.get(key, _NONE)}
        ill = sorted(one.key.name for one in members if one.key in receiving and one.healthy is False)
        if ill:
            return f"{', '.join(ill[:5])} of {entry.namespace}/{entry.name} {'is' if len(ill) == 1 else 'are'} unhealthy"
        pods = sum(one.platform is Platform.POD for one in members)
        if PODS in receiving and not pods and not _is_unstarted(course, way, step, mesh):
            return f"no Pod of {entry.namespace}/{entry.name} is ready"
    return ""


def unstarted(way: Way, step: int, mesh: Mesh) -> str:
    """Say of which service nobody has started Pods yet, at the step that is to be the first to give them requests."""
    for course in course_of(way, step, mesh):
        if _is_unstarted(course, way, step, mesh):
            entry = Key.of(course.opening.before)
            return f"no Pod of {entry.namespace}/{entry.name} runs yet"
    return ""


def _is_unstarted(course: Course, way: Way, step: int, mesh: Mesh) -> bool:
    is_first = step == 0 or way.steps[step - 1].leg != way.steps[step].leg
    comes = course.wanted.get(PODS, _NONE) > 0 and not course.start.get(PODS)
    return is_first and comes and not mesh.pods_meant(Key.of(course.opening.before).namespace, course.opening.selectors)


def outage(way: Way, step: int, stage: int, mesh: Mesh) -> str:
    """Say which side of a service has lost all its endpoints outside the plan, empty where none has."""
    world = mesh.world(at(way, step, stage, mesh))
    for course in course_of(way, step, mesh):
        entry = Key.of(course.opening.before)
        members = list((world.picked.get(entry) or {}).values())
        machines = [one for one in members if one.platform is Platform.VM]
        if machines and all(one.healthy is False for one in machines):
            return f"all VMs of {entry.namespace}/{entry.name} are unhealthy"
        # Pods that only just come are not lost: what has yet to be there, `unhealthy` waits for.
        meant = mesh.pods_meant(entry.namespace, (selector_of(course.opening.before),))
        if course.start.get(PODS) and meant and not any(one.platform is Platform.POD for one in members):
            return f"all Pods of {entry.namespace}/{entry.name} are lost"
    return ""


def course_of(way: Way, step: int, mesh: Mesh) -> list[Course]:
    """Return the courses of the leg that a step is on, none where it moves no traffic."""
    number = way.steps[step].leg
    if way.legs[number].kind not in (LegKind.TRAFFIC, LegKind.ROUTES):
        return []
    return mesh.keep(way, number, lambda: _courses_on(way, number, mesh))


def _courses_on(way: Way, leg: int, mesh: Mesh) -> list[Course]:
    standing = dict(way.before)
    for one in way.legs[:leg]:
        standing |= one.after
    return courses(Sides(standing, {**standing, **way.legs[leg].after}, way.weighed, way.expected), mesh)
