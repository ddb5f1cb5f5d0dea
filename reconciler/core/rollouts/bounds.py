"""Which endpoints a rollout exposes, and how much of its requests each ServiceEntry may give them at its step: law 2.

Weights and routes move requests between endpoints, and each write of these is held against the bound. What changes endpoints in
place counts by groups that were cut to the step.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from reconciler.core.exposure import Bound
from reconciler.core.resources import EMPTY, Key
from reconciler.core.rollouts.balance import PART_OF_WAY
from reconciler.core.rollouts.courses import Course, Sides
from reconciler.core.rollouts.effective import effective, remarks
from reconciler.core.rollouts.mesh import Mesh, shares
from reconciler.core.rollouts.receding import leaving, most, total
from reconciler.core.rollouts.rollout import Phase, Rollout

_NONE = Fraction(0)


def gains_of(rollout: Rollout, courses: Iterable[Course]) -> dict[Key, bool]:
    """Return for each endpoint on the courses of the current leg whether it is exposure when it gains requests.

    Else it is when it loses some. Exposure is what goes where the rollout leads to, on the way back too.
    """
    if rollout.started is None:
        return {}
    found = [(one, _exposed(one, back=rollout.back is not None)) for one in courses]
    return {key: key in exposed for one, exposed in found for key in {*one.start, *one.wanted}}


def bounds_of(rollout: Rollout, courses: Iterable[Course], mesh: Mesh) -> Iterator[Bound]:
    """Yield the bounds of a rollout on the courses of the leg that it is on.

    On the way there, those who gain requests get at most what the step gives them, at 100 % without a bound; by how much
    weights in force may miss their share, it is wider. On the way back, those who lose them get no more than they have, or than
    the origin gives them where that is restored. What the whole stage leads to may be more where a share gives way to the load
    of those who are left, which the report says.
    """
    if rollout.phase is Phase.IDLE or (rollout.back is None and rollout.current.exposure == 1 and rollout.started):
        return
    addresses = Sides(rollout.on.before, rollout.on.after).addresses()
    gives_way = mesh.world(effective(rollout, mesh)) if remarks(rollout, EMPTY, mesh) else None
    for course in courses:
        entry = Key.of(course.opening.before)
        exposed = _exposed(course, back=rollout.back is not None)
        allowed = most(course, rollout, mesh) if rollout.back else _most(rollout, course, exposed)
        if gives_way is not None:
            allowed = max(allowed, total(shares(gives_way, entry, addresses), exposed))
        if course.start and exposed:
            yield Bound(entry, exposed, addresses, allowed, _step(rollout))


def _exposed(course: Course, *, back: bool) -> frozenset[Key]:
    if back:
        return leaving(course)
    return frozenset(key for key, share in course.wanted.items() if share > course.start.get(key, _NONE))


def _most(rollout: Rollout, course: Course, exposed: frozenset[Key]) -> Fraction:
    reached = rollout.current.exposure if rollout.started else _NONE
    way = total(course.wanted, exposed) - total(course.start, exposed)
    return total(course.at(reached), exposed) + way * PART_OF_WAY


def _step(rollout: Rollout) -> str:
    way = "way back" if rollout.back else "rollout"
    return f"step {rollout.step + 1} of {len(rollout.on.steps)} of its {way}"
