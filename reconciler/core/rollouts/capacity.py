"""Can those who get more requests at a step carry them: how many Pods it takes, and what a person sets where they lack.

How many requests an endpoint can bear nobody tells us. What one bore when the rollout began is known to be possible; `max_load`
says how many times that it may get. Pods to which requests go are trusted with what a VM bore, those from which they went, and
to which an undo leads back, with what they did themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from reconciler.core.resources import Key
from reconciler.core.rollouts.courses import Course, Sides, courses
from reconciler.core.rollouts.mesh import PODS, Mesh, Shares
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import Carried, Documents, Way
from reconciler.core.scaling import Scale
from reconciler.core.shares.values import percent

_ALL, _NONE = Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class Need:
    """The Pods that a step needs of a service (`pods`), those that are ready, and who decides how many run.

    Together they get `share` of its requests, of which each bears `bearable` (both 0 to 1). `end` is how many the rest of the
    way needs: what a person is told to set, so that nobody is asked twice.
    """

    service: str
    pods: int
    end: int
    ready: int
    share: Fraction
    bearable: Fraction
    scale: Scale
    max_load: Fraction

    @property
    def lacks(self) -> bool:
        return self.ready < self.pods

    def __str__(self) -> str:
        later = f", {self.end:,} further on" if self.end > self.pods else ""
        ready = f"{self.ready:,} ready Pod{'s' * (self.ready != 1)}"
        takes = f"{self.pods:,} are needed{later}{helped(self.scale, self.end)}"
        return (
            f"{ready} would get all of {percent(self.share)} of the requests to {self.service}, more than "
            f"{percent(self.bearable)} ({_times(self.max_load)}) each: {takes}"
        )


def helped(scale: Scale, pods: int) -> str:
    """Say what brings so many Pods about, as the end of a sentence."""
    asked = f"{scale.names} asks for {scale.desired:,} already" if scale.scalers and scale.desired >= pods else ""
    said = (scale.advice(pods) or asked, "" if scale.automatic else scale.unseen)
    return "".join(f"; {one}" for one in said if one)


@dataclass(frozen=True, slots=True)
class Trust:
    """What an endpoint is trusted with: so many times what one bore when the rollout began."""

    max_load: Fraction
    carried: tuple[Carried, ...] = ()
    back: bool = False

    @classmethod
    def in_rollout(cls, rollout: Rollout) -> "Trust":
        return cls(rollout.policy.max_load, rollout.carried, rollout.back is not None)

    def of_pods(self, course: Course, ready: int) -> Fraction:
        """Return the share that one Pod of a ServiceEntry may get, 0 where nobody has borne anything."""
        start, entry = course.start, Key.of(course.opening.before)
        known = next((one.share for one in self.carried if one.entry == entry), None)
        if known is not None and (self.back or course.wanted.get(PODS, _NONE) < start.get(PODS, _NONE)):
            return self.max_load * known
        mine = start.get(PODS, _NONE) / max(1, ready) if known is None else known
        return self.max_load * max([mine, *(share for key, share in start.items() if key != PODS)])


def carried(documents: Documents, split: Fraction | None, mesh: Mesh) -> tuple[Carried, ...]:
    """Return what one Pod of each ServiceEntry gets now, of those that have any."""
    found = []
    for course in courses(Sides(documents, documents, (split, split)), mesh):
        entry = Key.of(course.opening.before)
        ready = mesh.pods_ready(entry.namespace, course.opening.selectors)
        if ready and course.start.get(PODS):
            found.append(Carried(entry, ready, course.start[PODS] / ready))
    return tuple(found)


def needs(way: Way, step: int, trust: Trust, mesh: Mesh) -> Iterator[Need]:
    """Yield for each service of which Pods get requests at a step how many of them it takes."""
    found = (_need(course, way, step, trust, mesh) for course in course_of(way, step, mesh))
    return (one for one in found if one)


def _need(course: Course, way: Way, step: int, trust: Trust, mesh: Mesh) -> Need | None:
    same = [number for number, one in enumerate(way.steps) if one.leg == way.steps[step].leg]
    share, further = (course.at(way.steps[number].exposure).get(PODS, _NONE) for number in (step, same[-1]))
    if not course.start or not share:
        return None
    before = course.at(way.steps[step - 1].exposure if step > same[0] else _NONE).get(PODS, _NONE)
    return need_of(course, (before if trust.back else _NONE, share, max(share, further)), trust, mesh)


def need_of(course: Course, shares: tuple[Fraction, Fraction, Fraction], trust: Trust, mesh: Mesh) -> Need:
    """Return what Pods it takes, given the share of the requests that they bear now, if that counts, the next and the last."""
    entry, ready = ready_of(course, mesh)
    bearable, meant = trust.of_pods(course, ready), mesh.pods_meant(entry.namespace, course.opening.selectors)
    # At night few Pods bear a large share of few requests. Those that crashed make the others no more trustworthy.
    borne = trust.max_load * shares[0] * ready / meant if meant else _NONE
    takes = ((share, ceil(share / bearable)) for share in shares[1:])
    pods, end = (min(count, ready) if share <= borne else count for share, count in takes)
    return Need(service_name(entry), pods, end, ready, shares[1], bearable, scale_of(course, mesh), trust.max_load)


def overload(way: Way, step: int, trust: Trust, mesh: Mesh) -> str:
    """Say who would get more requests at a step than it can be trusted with, and what helps; empty where nobody would."""
    for course in course_of(way, step, mesh):
        need = _need(course, way, step, trust, mesh)
        more = need and need.share > course.start.get(PODS, _NONE)
        if need and need.lacks and more and not _awaited(course, trust, mesh):
            return str(need)
        if text := overburdened(course, way.steps[step].exposure, trust.max_load, mesh):
            return text
    return ""


def _awaited(course: Course, trust: Trust, mesh: Mesh) -> bool:
    """Tell whether Pods have yet to come: weights are sized for them, and until they serve, the step does not pass.

    Routes would send them requests whether they are there or not.
    """
    entry = Key.of(course.opening.before)
    known = course.routed or (trust.back and any(one.entry == entry for one in trust.carried))
    return not known and not mesh.pods_meant(entry.namespace, course.opening.selectors)


def overburdened(course: Course, exposure: Fraction, max_load: Fraction, mesh: Mesh) -> str:
    """Say which VM would get too much at an exposure since others are ill, or that all are; empty where they can carry it."""
    target = {key: share for key, share in course.at(exposure).items() if key != PODS}
    more = sorted(key for key, share in target.items() if share > course.start.get(key, _NONE))
    if not course.start or not more:
        return ""
    entry, ready = ready_of(course, mesh)
    burden, bearable = _burden(target, mesh), max_load * _heaviest(course.start, ready)
    if burden is None:
        return f"no VM of {service_name(entry)} is healthy"
    for key in more:
        share = target[key] * burden
        if share > max(bearable, course.wanted.get(key, _NONE)):
            what = f"{percent(share)} of the requests to {service_name(entry)}, more than {percent(bearable)}"
            return f"{key.name} would get {what} ({_times(max_load)}), since other VMs are unhealthy"
    return ""


def _burden(machines: Shares, mesh: Mesh) -> Fraction | None:
    """Return how many times its share a VM gets when those that are unhealthy drop out, None where all do."""
    well = sum((share for key, share in machines.items() if not mesh.is_ill(key)), _NONE)
    return sum(machines.values(), _NONE) / well if well else None


def _heaviest(shares: Shares, ready: int) -> Fraction:
    """Return the largest share of a single endpoint."""
    return max(share / max(1, ready) if key == PODS else share for key, share in shares.items())


def ready_of(course: Course, mesh: Mesh) -> tuple[Key, int]:
    """Return the ServiceEntry of a course, and how many Pods serve behind it."""
    entry = Key.of(course.opening.before)
    return entry, mesh.pods_ready(entry.namespace, course.opening.selectors)


def scale_of(course: Course, mesh: Mesh) -> Scale:
    """Return what decides how many Pods of a course run."""
    return mesh.scale(course.opening.before["metadata"]["namespace"], course.opening.selectors)


def service_name(entry: Key) -> str:
    """Return a ServiceEntry as people name it."""
    return f"{entry.namespace}/{entry.name}"


def _times(max_load: Fraction) -> str:
    return f"{float(max_load):g} times what one got at the start"
