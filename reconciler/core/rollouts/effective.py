"""What each object of a unit should be at this moment: `effective(rollout, mesh)`.

Objects whose leg is over stand at the end of it, those whose leg has not come at its start, also against drift. On the current
leg it depends on step and stage, and for weights on today's Pods.
"""

from collections.abc import Iterable

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Outcome, Rollout
from reconciler.core.rollouts.routes import routes_at
from reconciler.core.rollouts.traffic import Position, Sides, documents_at
from reconciler.core.rollouts.values import Documents, Leg, LegKind, RolloutStep, Way

_ROUTES = frozenset({"VirtualService", "DestinationRule"})


def effective(rollout: Rollout, mesh: Mesh) -> dict[Key, Document | None]:
    """Return what every object of the unit should be now; None: absent."""
    if rollout.outcome is Outcome.UNDONE:
        return {key: rollout.origin.get(key) for key in {**rollout.way.before, **rollout.way.after, **rollout.origin}}
    if rollout.started is None:
        return dict(rollout.way.before)
    return at(rollout.on, rollout.step, rollout.stage, mesh)


def at(way: Way, step: int, stage: int, mesh: Mesh) -> dict[Key, Document | None]:
    """Return what every object should be at a stage of a step of a way."""
    current = way.steps[step]
    found = {key: way.before.get(key) for key in (*way.before, *(key for key in way.after if key not in way.before))}
    for leg in way.legs[: current.leg]:
        found |= leg.after
    for leg in reversed(way.legs[current.leg :]):
        found |= leg.before
    leg = way.legs[current.leg]
    is_first = step == 0 or way.steps[step - 1].leg != current.leg
    return found | _on(leg, found, current, Position.of(current.exposure, current.stages, stage, first=is_first), way, mesh)


def _on(
    leg: Leg, standing: Documents, step: RolloutStep, position: Position, way: Way, mesh: Mesh
) -> dict[Key, Document | None]:
    """Return the objects of the current leg at a position of it."""
    found = dict(_company(leg, closed=position.closed))
    match leg.kind:
        case LegKind.IDENTITY | LegKind.ENDPOINTS:
            done = leg.after.keys() if position.closed else step.switched
            found |= {key: leg.after[key] if key in done else leg.before[key] for key in leg.after if key not in found}
        case LegKind.TRAFFIC:
            sides = Sides(standing, {**standing, **leg.after}, way.splits)
            found = dict(documents_at(position, sides, mesh)) | found
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
