"""What each object of a unit should be at this moment: `effective(rollout, mesh)`.

Objects whose leg is over stand at the end of it, those whose leg has not come at its start, also against drift. On the current
leg it depends on step and stage, and for weights on today's Pods.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from reconciler.core.backends import Platform
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.balance import Anchor, loads_of
from reconciler.core.rollouts.courses import Sides, courses
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.origins import origin_split
from reconciler.core.rollouts.receding import unraised
from reconciler.core.rollouts.relief import relieved, spared
from reconciler.core.rollouts.rollout import Outcome, Rollout
from reconciler.core.rollouts.routes import routes_at
from reconciler.core.rollouts.subsets import is_routed, routed
from reconciler.core.rollouts.traffic import Position, documents_at, weights_at
from reconciler.core.rollouts.values import Documents, Leg, LegKind, RolloutStep, Way
from reconciler.core.world import Members

_ROUTES = frozenset({"VirtualService", "DestinationRule"})
#: Where a split is held: it has been reached.
_END = Position(Fraction(1), opened=True, closed=True, settled=True)


def effective(rollout: Rollout, mesh: Mesh) -> dict[Key, Document | None]:
    """Return what every object of the unit should be now; None: absent."""
    return relieved(_meant(rollout, mesh), mesh, Anchor.of(rollout.policy, rollout.loads))


def _meant(rollout: Rollout, mesh: Mesh) -> dict[Key, Document | None]:
    """Return what every object should be while nobody is lost whom routes send requests to."""
    way, anchor = rollout.way, Anchor.of(rollout.policy, rollout.loads)
    if rollout.outcome is Outcome.UNDONE:
        origin = {key: rollout.origin.get(key) for key in {**way.before, **way.after, **rollout.origin}}
        return balanced(origin, origin_split(rollout, mesh), mesh, anchor, way.expected)
    if rollout.started is None:
        return dict(starting(rollout, mesh))
    found = at(rollout.on, rollout.step, rollout.stage, mesh, anchor)
    return _receding(found, rollout, mesh) if rollout.back else found


def _receding(found: Documents, rollout: Rollout, mesh: Mesh) -> dict[Key, Document | None]:
    """Return the documents of a stage of the way back, with what must not be raised as it is."""
    way, step = rollout.on, rollout.step
    if _leg(way, step).kind is not LegKind.TRAFFIC:
        return dict(found)
    return unraised(found, rollout, courses(sides_of(way, step), mesh), mesh)


def starting(rollout: Rollout, mesh: Mesh) -> Documents:
    """Return what every object is before the first step of the way that a rollout is on."""
    way, anchor = rollout.on, Anchor.of(rollout.policy, rollout.loads)
    return balanced(way.before, way.splits[0], mesh, anchor, way.expected)


def upheld(rollout: Rollout, git: Mapping[Key, Document], mesh: Mesh) -> Documents:
    """Return the objects in Git with what holds the split that a rollout has left: weights, or routes and subsets."""
    documents: Documents = {key: git.get(key) for key in rollout.way.after}
    anchor = Anchor.of(rollout.policy, rollout.loads)
    if rollout.way.by:
        held = relieved(_routed(rollout, documents, mesh), mesh, anchor)
        return {key: one for key, one in held.items() if key.kind in _ROUTES and one is not None}
    found = balanced(documents, rollout.way.splits[1], mesh, anchor, rollout.way.expected)
    return {key: one for key, one in found.items() if key.kind == "WorkloadEntry" and documents[key] is not None}


def _routed(rollout: Rollout, documents: Documents, mesh: Mesh) -> Documents:
    """Return documents with the routes that hold the split of a rollout."""
    split, by = rollout.way.splits[1], rollout.way.by
    return documents if split is None or by is None else routed(documents, shares_held(documents, split, mesh), by)


def shares_held(documents: Documents, split: Fraction, mesh: Mesh) -> dict[Key, Fraction]:
    """Return the split for each ServiceEntry that VMs serve: one without any has nothing to be divided."""
    world = mesh.world(documents)
    entries = [key for key, one in documents.items() if key.kind == "ServiceEntry" and one is not None]
    return {
        key: split
        for key in entries
        if any(one.platform is Platform.VM for one in (world.picked.get(key) or Members()).values())
    }


def remarks(rollout: Rollout, git: Mapping[Key, Document], mesh: Mesh) -> tuple[str, ...]:
    """Return what a person should know of the shares that a rollout holds now: which gives way to what."""
    anchor = Anchor.of(rollout.policy, rollout.loads)
    documents: Documents = {key: git.get(key) for key in rollout.way.after}
    if rollout.way.by:
        return spared(_routed(rollout, documents, mesh) if rollout.holds else _meant(rollout, mesh), mesh, anchor)
    if rollout.holds:
        sides = _level(documents, rollout.way.splits[1], anchor, rollout.way.expected)
        return weights_at(_END, sides, mesh, anchor)[1]
    way, step = rollout.on, rollout.step
    if rollout.outcome is not Outcome.NONE or not rollout.started or _leg(way, step).kind is not LegKind.TRAFFIC:
        return ()
    return weights_at(_position(way, step, rollout.stage), sides_of(way, step, anchor), mesh, anchor)[1]


def balanced(
    documents: Documents, split: Fraction | None, mesh: Mesh, anchor: Anchor, expected: int
) -> dict[Key, Document | None]:
    """Return the documents of a unit with the weights that hold a split now, as they are where there is none."""
    if split is None or is_routed(documents):
        return dict(documents)
    return {**documents, **documents_at(_END, _level(documents, split, anchor, expected), mesh, anchor)}


def _level(documents: Documents, split: Fraction | None, anchor: Anchor, expected: int) -> Sides:
    return Sides(documents, documents, (split, split), expected or anchor.most)


def anchored(rollout: Rollout, before: Rollout, mesh: Mesh) -> Rollout:
    """Return the rollout with who is there, where since `before` it has come to another step: its shares are held by that."""
    if (rollout.started, rollout.step) == (before.started, before.step) and rollout.back is before.back:
        return rollout
    return replace(rollout, loads=loads_of(effective(rollout, mesh), mesh))


def at(way: Way, step: int, stage: int, mesh: Mesh, anchor: Anchor | None = None) -> dict[Key, Document | None]:
    """Return what every object should be at a stage of a step of a way; with an anchor, shares are held while Pods scale."""
    leg, standing, position = _leg(way, step), _standing(way, step), _position(way, step, stage)
    if leg.kind is LegKind.TRAFFIC:
        moved = documents_at(position, sides_of(way, step, anchor), mesh, anchor)
        return standing | moved | dict(_company(leg, closed=position.closed))
    found = standing | _on(leg, way.steps[step], position)
    return balanced(found, _split_beside(way, step), mesh, anchor, way.expected) if anchor else found


def _leg(way: Way, step: int) -> Leg:
    return way.legs[way.steps[step].leg]


def _standing(way: Way, step: int) -> dict[Key, Document | None]:
    """Return every object as it is when the leg of a step begins."""
    found = {key: way.before.get(key) for key in (*way.before, *(key for key in way.after if key not in way.before))}
    number = way.steps[step].leg
    for leg in way.legs[:number]:
        found |= leg.after
    for leg in reversed(way.legs[number:]):
        found |= leg.before
    return found


def _position(way: Way, step: int, stage: int) -> Position:
    current = way.steps[step]
    return Position.of(current.exposure, current.stages, stage, first=way.begins_leg(step))


def sides_of(way: Way, step: int, anchor: Anchor | None = None) -> Sides:
    """Return both ends of the leg that a step is on; with an anchor, for the Pods that served when the step began."""
    standing = _standing(way, step)
    expected = way.expected or (anchor.most if anchor else 0)
    # Where all requests went to VMs, Pods have only come since: they come to weights that are sized for those expected.
    armed = way.splits[0] == 1 and way.begins_leg(step)
    return Sides(standing, {**standing, **_leg(way, step).after}, way.weighed, expected, armed)


def _split_beside(way: Way, step: int) -> Fraction | None:
    """Return the split that is in force on a leg that moves no traffic between endpoints."""
    is_to_come = any(leg.kind is LegKind.TRAFFIC for leg in way.legs[way.steps[step].leg :])
    return way.splits[0] if is_to_come else way.splits[1]


def _on(leg: Leg, step: RolloutStep, position: Position) -> dict[Key, Document | None]:
    """Return the objects of a leg that moves no traffic between endpoints, at a position of it."""
    found = dict(_company(leg, closed=position.closed))
    match leg.kind:
        case LegKind.IDENTITY | LegKind.ENDPOINTS:
            done = leg.after.keys() if position.closed else step.switched
            found |= {key: leg.after[key] if key in done else leg.before[key] for key in leg.after if key not in found}
        case LegKind.ROUTES:
            routes = {key: one for key, one in leg.after.items() if key.kind in _ROUTES}
            found |= routes_at(position, leg.before, routes)
        case LegKind.WHOLE:
            found |= {key: leg.after[key] for key in leg.after if key not in found}
    return found


def _company(leg: Leg, *, closed: bool) -> Iterable[tuple[Key, Document | None]]:
    """Yield what goes along with a leg and moves no traffic: there from its start, or gone at its end."""
    for key, new in leg.after.items():
        if key.kind not in _MOVING:
            yield key, leg.before.get(key) if new is None and not closed else new


_MOVING = _ROUTES | {"ServiceEntry", "WorkloadEntry", "VirtualMachine"}
