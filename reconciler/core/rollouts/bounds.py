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
from reconciler.core.rollouts.mesh import Mesh, Shares, shares
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

    On the way there, those who gain requests get at most what the step gives them, at 100 % without a bound; on the way back,
    those who lose them never get more than they had. By how much weights in force may miss their share, a bound is wider. What
    the whole stage leads to may be more where a share gives way to the load of those who are left, which the report says, and
    on the way back, where whole weights sometimes leave no other way and standing still would be worse: then the bound is that.
    """
    reached = _reached(rollout)
    if rollout.phase is Phase.IDLE or reached == 1:
        return
    addresses = Sides(rollout.on.before, rollout.on.after).addresses()
    is_wider = rollout.back is not None or bool(remarks(rollout, EMPTY, mesh))
    wanted = mesh.world(effective(rollout, mesh)) if is_wider else None
    for course in courses:
        entry = Key.of(course.opening.before)
        exposed = _exposed(course, back=rollout.back is not None)
        way = abs(_sum(course.wanted, exposed) - _sum(course.start, exposed))
        most = _sum(course.at(reached), exposed) + way * PART_OF_WAY
        if wanted is not None:
            most = max(most, _sum(shares(wanted, entry, addresses), exposed))
        if course.start and exposed:
            yield Bound(entry, exposed, addresses, most, _step(rollout))


def _exposed(course: Course, *, back: bool) -> frozenset[Key]:
    more = {key: course.wanted.get(key, _NONE) - course.start.get(key, _NONE) for key in {*course.start, *course.wanted}}
    return frozenset(key for key, change in more.items() if (change < 0 if back else change > 0))


def _reached(rollout: Rollout) -> Fraction:
    """Return the exposure (0 to 1) that is allowed now: on the way there that of the step, back that before it."""
    if rollout.started is None:
        return _NONE
    if rollout.back is None:
        return rollout.current.exposure
    before = rollout.on.steps[rollout.step - 1] if rollout.step else None
    return before.exposure if before and before.leg == rollout.current.leg else _NONE


def _sum(found: Shares, keys: frozenset[Key]) -> Fraction:
    return sum((found.get(key, _NONE) for key in keys), _NONE)


def _step(rollout: Rollout) -> str:
    way = "way back" if rollout.back else "rollout"
    return f"step {rollout.step + 1} of {len(rollout.on.steps)} of its {way}"
