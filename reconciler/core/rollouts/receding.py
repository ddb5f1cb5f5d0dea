"""At no moment of the way back have those who leave more than a look finds: what would give more leaves weights as they are.

Weights are whole numbers, and room is made for newcomers by weighing others down: either might give those who leave more than
they have, if only for a moment. A share that comes down a little later, with those who come or by those who go, harms nobody.
Only the very end is what the origin says, whatever that gives to whom.

Among the writes of one stage what takes something off those who leave goes first; others may give some of that back. Without
these no room could be made for those who return, who would get all their requests at once: a weight is never less than 1.
"""

from collections.abc import Iterable
from fractions import Fraction

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.courses import Course, Sides
from reconciler.core.rollouts.legs import weighing
from reconciler.core.rollouts.mesh import Mesh, Shares, shares
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.values import Documents, Way
from reconciler.core.world import World

_NONE = Fraction(0)


def leaving(course: Course) -> frozenset[Key]:
    """Return the endpoints that get fewer requests at the end of a course than at its start."""
    return frozenset(key for key, share in course.start.items() if course.wanted.get(key, _NONE) < share)


def most(course: Course, rollout: Rollout, mesh: Mesh) -> Fraction:
    """Return the share (0 to 1) that those who leave may have now: what is live, and at the end what the course leads to."""
    now = _share(course, rollout.on, mesh.world(_live(rollout, mesh)))
    is_at_the_end = rollout.current.exposure == 1 and rollout.is_last_stage
    return max(now, total(course.wanted, leaving(course))) if is_at_the_end else now


def unraised(documents: Documents, rollout: Rollout, courses: Iterable[Course], mesh: Mesh) -> dict[Key, Document | None]:
    """Return documents of a way back with the weights that are live, where theirs would give those who leave more."""
    meant = mesh.world(documents)
    if all(_share(one, rollout.on, meant) <= most(one, rollout, mesh) for one in courses):
        return dict(documents)
    served, live = {member for picked in meant.picked.values() for member in picked}, _live(rollout, mesh)
    return {
        key: _as_live(one, live.get(key)) if one is not None and (key in served or key.kind == "ServiceEntry") else one
        for key, one in documents.items()
    }


def _live(rollout: Rollout, mesh: Mesh) -> Documents:
    return mesh.live({**rollout.on.before, **rollout.on.after})


def _share(course: Course, way: Way, world: World) -> Fraction:
    found = shares(world, Key.of(course.opening.before), Sides(way.before, way.after).addresses())
    return total(found, leaving(course))


def total(found: Shares, keys: frozenset[Key]) -> Fraction:
    """Return what some endpoints get together."""
    return sum((found.get(key, _NONE) for key in keys), _NONE)


def _as_live(document: Document, live: Document | None) -> Document:
    """Return a WorkloadEntry, or a list of endpoints, with the weights of those who are there already."""
    if live is None:
        return document
    if document["kind"] == "WorkloadEntry":
        return weighing(document, live["spec"].get("weight"))
    weights = {one.get("address"): one.get("weight", 1) for one in live["spec"].get("endpoints") or ()}
    if not document["spec"].get("endpoints") or not weights:
        return document
    listed = [{**one, "weight": weights.get(one.get("address"), one.get("weight", 1))} for one in document["spec"]["endpoints"]]
    return {**document, "spec": {**document["spec"], "endpoints": listed}}
