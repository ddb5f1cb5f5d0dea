"""What a look has found out about a rollout's shares, kept with it: whoever asks the state store alone sees it too."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from reconciler.core import shares
from reconciler.core.backends import Platform
from reconciler.core.gates.verdict import Reason
from reconciler.core.portions import parted, portions_of
from reconciler.core.resources import Key
from reconciler.core.rollouts.armed import SHARE
from reconciler.core.rollouts.arms import arm_figures
from reconciler.core.rollouts.capacity import scale_of, service_name
from reconciler.core.rollouts.courses import Course
from reconciler.core.rollouts.effective import at, effective
from reconciler.core.rollouts.mesh import PODS, Mesh
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Pace, Seen
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import Figures, LeftAlone, ShareFigures
from reconciler.core.rollouts.waits import For, is_in_force, waits
from reconciler.core.scaling import Scale
from reconciler.core.world import Members, World

_ALL, _NONE = Fraction(1), Fraction(0)


#: What the rollout itself tells, or this very look may change.
_TOLD = (For.TIME, For.APPROVAL, For.FORCE)


def figures(rollout: Rollout, seen: Seen, mesh: Mesh, now: datetime, pace: Pace, *, ahead: bool) -> Figures:
    """Return the figures of a rollout at a moment, after a look; `ahead`: also of the steps after the current one."""
    missing = tuple(one.text for one in waits(rollout, seen, pace) if one.what not in _TOLD)
    abreast = _abreast(rollout, mesh, in_force=is_in_force(rollout, seen, pace))
    steps = range(rollout.step, len(rollout.on.steps) if ahead else min(rollout.step + 1, len(rollout.on.steps)))
    retreat = "" if rollout.goes_back else seen.retreat
    share = seen.gates.get(SHARE)
    return Figures(
        at=now,
        waits=missing,
        retreat=retreat,
        shares=tuple(abreast),
        left_alone=tuple(_left_alone(rollout, steps, mesh)),
        unarmed=tuple(_unarmed(seen, rollout)),
        measured=share.verdict.says if share else "",
        arms=arm_figures(rollout, mesh),
    )


def _unarmed(seen: Seen, rollout: Rollout) -> Iterator[str]:
    """Yield the gates that lack a stable arm: for good, or while what is held back has brought too few requests."""
    end = ": only threshold gates stay armed" if rollout.current.exposure == _ALL else ""
    for name, judged in seen.gates.items():
        if judged and judged.verdict.reason is Reason.NO_STABLE:
            yield f"{name}: {judged.verdict.reason}: {judged.verdict.says.removeprefix(f'{Reason.NO_STABLE}: ')}{end}"


def _abreast(rollout: Rollout, mesh: Mesh, *, in_force: bool) -> Iterator[ShareFigures]:
    """Yield the VMs' shares of all services that VMs and Pods divide, or should."""
    if rollout.started is None or not rollout.on.steps:
        return
    wanted = effective(rollout, mesh)
    entries = [one for key, one in wanted.items() if key.kind == "ServiceEntry" and one is not None]
    if rollout.on.splits == (None, None) and not any(mesh.pods_of(one) for one in entries):
        return
    live = {key: one.document for key in wanted if (one := mesh.observed.get(key))}
    written, serving = mesh.world(live, meant=True), mesh.world(live)
    planned = {Key.of(one.opening.before): _planned(one, rollout) for one in course_of(rollout.on, rollout.step, mesh)}
    for key in sorted(map(Key.of, entries)):
        aim = planned[key] if key in planned else _machines(mesh.world(wanted, meant=True), key)
        made, got = _machines(written, key), _machines(serving, key, ready=True)
        found = {one for one in (aim, made, got) if one is not None}
        if len(found) > 1 or found - {_NONE, _ALL}:
            yield ShareFigures(service_name(key), aim, made, got if in_force else None)


def _planned(course: Course, rollout: Rollout) -> Fraction:
    return _ALL - course.at(rollout.current.exposure).get(PODS, _NONE)


def _machines(world: World, entry: Key, *, ready: bool = False) -> Fraction | None:
    """Return the share of all endpoints but Pods, None where there is none; `ready` leaves out who is known to be ill."""
    members = [one for one in (world.picked.get(entry) or Members()).values() if not ready or one.healthy is not False]
    parts = zip(members, parted(members, portions_of(world, entry)), strict=True)
    return sum((share for one, share in parts if one.platform is not Platform.POD), _NONE) if members else None


def _left_alone(rollout: Rollout, steps: Iterable[int], mesh: Mesh) -> Iterator[LeftAlone]:
    """Yield what autoscalers would make of steps, if nobody weighed anew."""
    way = rollout.on
    for number in steps if mesh.observed.autoscalers else ():
        step = way.steps[number]
        scaled = [(one, scale) for one in course_of(way, number, mesh) if (scale := scale_of(one, mesh)).automatic]
        # Without a split, what Git wants in the end is whatever its weights make of the Pods.
        if scaled and (step.exposure < 1 or way.splits[1] is not None):
            is_now = rollout.started is not None and number == rollout.step
            world = mesh.world(effective(rollout, mesh) if is_now else at(way, number, len(step.stages) - 1, mesh))
            reached = (_reached(course, scale, world, mesh) for course, scale in scaled)
            yield from (replace(one, step=number, planned=step.exposure) for one in reached if one)


def _reached(course: Course, scale: Scale, world: World, mesh: Mesh) -> LeftAlone | None:
    entry = Key.of(course.opening.before)
    way = shares.Course(*(_ALL - one.get(PODS, _NONE) for one in (course.start, course.wanted)))
    if way.is_level or portions_of(world, entry):
        return None
    members = (world.picked.get(entry) or Members()).values()
    weight = sum(one.weight for one in members if one.platform is not Platform.POD)
    crowd = shares.Crowd({}, pods=mesh.pods_meant(entry.namespace, course.opening.selectors))
    found = shares.unattended(crowd, weight, scale.maximum, way)
    return LeftAlone(service_name(entry), scale.names, found.pods, max(_NONE, found.exposure))
