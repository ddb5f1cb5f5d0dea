"""What a look at the stores says of a rollout: `Seen`, but for what only the shell knows (gates, people, failed writes)."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from reconciler.core.changes import FieldDiff, ObjectDiff, State
from reconciler.core.documents import same
from reconciler.core.resources import Key, StoreName
from reconciler.core.rollouts.capacity import Need, Trust, overload
from reconciler.core.rollouts.courses import Sides
from reconciler.core.rollouts.effective import effective
from reconciler.core.rollouts.mesh import Mesh, shares
from reconciler.core.rollouts.retreat import retreat, retreats, shrunk, unfit
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import HandEdit, Seen
from reconciler.core.rollouts.strength import course_of, outage, unhealthy, unstarted
from reconciler.core.rollouts.subsets import is_generated
from reconciler.core.rollouts.values import Documents
from reconciler.core.rollouts.ways import exposure
from reconciler.core.scaling import VERSION
from reconciler.core.standing import Code

#: Objects of which nothing is written while they belong to somebody else.
_OTHERS = (State.NOT_ADOPTED, State.FOREIGN_TOOL, State.CO_OWNED, State.FIGHT)


def seen_of(rollout: Rollout, differences: Mapping[Key, ObjectDiff], mesh: Mesh) -> Seen:
    """Return what the stores say of a rollout. `differences` are the objects that are not as they are wanted now."""
    keys = rollout.on.after.keys() | rollout.on.before.keys()
    found = [one for key in keys if (one := differences.get(key)) and not _goes_for_good(one)]
    edits = tuple(_edits(rollout, found, mesh)) if rollout.started and not rollout.holds else ()
    way, step, stage = rollout.on, rollout.step, rollout.stage
    if not way.steps:
        return Seen(written=not found)
    back = tuple(retreats(rollout, mesh))
    unable = retreat(back) or unfit(rollout, mesh)
    return Seen(
        written=not found,
        yields=_yields(found, {edit.key for edit in edits}),
        hand_edits=edits,
        unhealthy=unhealthy(way, step, stage, mesh),
        unstarted="" if rollout.goes_back else unstarted(way, step, mesh),
        outage=outage(way, step, stage, mesh),
        capacity=unable if rollout.replan else _lacking(rollout, back, mesh),
        early=not rollout.goes_back and bool(unstarted(way, _coming(rollout), mesh)),
        retreat=unable,
        population=_population(rollout, mesh),
    )


def _goes_for_good(one: ObjectDiff) -> bool:
    """Tell whether an object waits behind guards of its own to be deleted: nothing uses it any more."""
    return one.state is State.DELETE and not any(is_generated(change.before) for change in one.changes)


def _yields(differences: Iterable[ObjectDiff], edited: Collection[Key]) -> str:
    """Say what is left to its owners; not what was changed by hand since we wrote it, which has consequences of its own."""
    left = [
        f"{' '.join(filter(None, (problem.object, problem.field)))} {problem.message}"
        for one in differences
        for problem in one.problems
        if one.key not in edited and (one.state in _OTHERS or problem.code == Code.CO_OWNED)
    ]
    more = f" (and {len(left) - 1} more like it)" if len(left) > 1 else ""
    return f"{min(left)}{more}" if left else ""


def _lacking(rollout: Rollout, back: Sequence[Need], mesh: Mesh) -> str:
    """Say why those who receive traffic next could not carry it, or no more give it back; empty where they could."""
    return overload(rollout.on, _coming(rollout), Trust.in_rollout(rollout), mesh) or shrunk(back)


def _coming(rollout: Rollout) -> int:
    """Return the step of which it is asked who could carry it: the next one, once the current one is made."""
    passes = rollout.started is not None and rollout.is_last_stage and not rollout.is_last_step
    return rollout.step + 1 if passes else rollout.step


def _population(rollout: Rollout, mesh: Mesh) -> str:
    versions = {
        pod.labels.get(VERSION, "")
        for key, document in {**rollout.way.before, **rollout.way.after}.items()
        if key.kind == "ServiceEntry" and document is not None
        for pod in mesh.pods_of(document)
    }
    return ",".join(sorted(versions - {""}))


def _edits(rollout: Rollout, differences: Sequence[ObjectDiff], mesh: Mesh) -> Iterator[HandEdit]:
    """Yield the fields that somebody changed since they were written, each with whether that lowers the exposure."""
    edited = [(one, field) for one in differences for field in one.fields if _is_edited(one, field)]
    lowers = bool(edited) and _lowers(rollout, mesh)
    for one, field in edited:
        yield HandEdit(one.key, field.path, ", ".join(field.managers) or "somebody", lowers)


def _is_edited(one: ObjectDiff, field: FieldDiff) -> bool:
    live = field.cluster if one.key.store is StoreName.CLUSTER else field.registry
    return same(field.wanted, field.written) and not same(field.wanted, live)


def _lowers(rollout: Rollout, mesh: Mesh) -> bool:
    """Tell whether what is live exposes fewer requests than what is wanted now."""
    wanted = effective(rollout, mesh)
    live = mesh.live(wanted)
    return any(
        now < meant for now, meant in zip(_exposures(rollout, live, mesh), _exposures(rollout, wanted, mesh), strict=True)
    )


def _exposures(rollout: Rollout, documents: Documents, mesh: Mesh) -> list[Fraction]:
    """Return how far the endpoints of each ServiceEntry are on the current leg, with these documents."""
    world, addresses = mesh.world(documents), Sides(rollout.on.before, rollout.on.after).addresses()
    return [
        exposure(shares(world, Key.of(one.opening.before), addresses), one.start, one.wanted)
        for one in course_of(rollout.on, rollout.step, mesh)
    ]
