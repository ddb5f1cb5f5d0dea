"""A share that is held while Pods scale, crash and come back.

Weights follow the endpoints *meant* to run: what is lost by a crash, a failing probe or a zone is not compensated, and the
share drifts to the side that is well, by `spill` at most. Where aims collide: never empty (a weight is at least 1, and no VM is
ever taken out here), then the load of those who are left, then the exposure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from reconciler.core.shares.presence import Bounds, Presence, bounds
from reconciler.core.shares.ratios import uneven
from reconciler.core.shares.values import Course, Crowd, Limits, Weights, percent
from reconciler.core.shares.weighing import LIMITS, weights, weights_on


class Effect(StrEnum):
    """What a write of weights does to the exposure. What LOWERS it is never put off, whatever else is being waited for."""

    NONE = "no change"
    LOWERS = "lowers exposure"
    RAISES = "raises exposure"
    LEVEL = "leaves exposure"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is held: an exposure on a course, against the presence at the step's start.

    `max_load` bounds the load of an endpoint, in times of that at the step's start. `spill` bounds how far the VMs' share may
    drift in an outage (0 to 1; 1: it drifts freely).
    """

    course: Course
    exposure: Fraction
    start: Presence
    max_load: Fraction = Fraction(3, 2)
    spill: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Held:
    """The weights to write, the VMs' share by all endpoints that are meant to run, and by those that serve.

    `notes` say which share gives way to what, in sentences for people.
    """

    weights: Mapping[str, int]
    planned: Fraction
    expected: Fraction
    effect: Effect = Effect.NONE
    notes: tuple[str, ...] = ()

    @property
    def drift(self) -> Fraction:
        """How far the VMs' share is above what was planned, because endpoints are lost; below 0: the Pods took over."""
        return self.expected - self.planned


def hold(crowd: Crowd, now: Presence, promise: Promise, limits: Limits = LIMITS) -> Held:
    """Return the weights for this moment; those of now where they are within tolerance.

    `crowd` has the VMs of Git and the Pods that are *meant* to run (the owner's replicas); Pods that serve beyond these count
    too, VMs that were down at the step's start and still are do not. What is out of tolerance is written in full at once, but
    no endpoint is given more than its bound, and nothing is written that would raise the real exposure above the step's.
    """
    meant = replace(crowd, pods=max(crowd.pods, now.pods), down=promise.start.down & now.down)
    found = weights_on(meant, promise.course, promise.exposure, limits)
    there = replace(now, weights={name: now.weights.get(name, weight) for name, weight in found.weights.items()})
    aim = _aim(meant, found, there, promise, limits)
    reached, said = (there, ()) if aim.is_met_by(there, limits) else _moved(aim, there, promise, limits)
    planned = meant.share(sum(reached.weights[name] for name in meant.serving))
    notes = (*_losses(meant, reached, planned, limits), *(said or aim.notes))
    return Held(reached.weights, planned, reached.share, _effect(now, reached, promise.course), notes)


@dataclass(frozen=True, slots=True)
class _Aim:
    """The weights that would do, and among whom: all that are meant to run, or those that serve where `spill` is passed."""

    crowd: Crowd
    found: Weights
    notes: tuple[str, ...] = ()

    @property
    def wanted(self) -> Fraction:
        return self.found.share - self.found.error

    def near(self, limits: Limits) -> Fraction:
        """Return how far a share may be from the wanted one to be as good as what was found."""
        return max(limits.tolerance(self.wanted), abs(self.found.error))

    def share(self, there: Presence) -> Fraction:
        """Return the VMs' share among those who count here."""
        return self.crowd.share(sum(there.weights[name] for name in self.crowd.serving))

    def is_met_by(self, there: Presence, limits: Limits) -> bool:
        ratios = self.crowd.serving
        unevenness = uneven([*ratios.values()], [there.weights[name] for name in ratios])
        is_near = abs(self.share(there) - self.wanted) <= self.near(limits)
        return is_near and unevenness <= max(limits.slack, self.found.uneven)


def _aim(meant: Crowd, found: Weights, there: Presence, promise: Promise, limits: Limits) -> _Aim:
    after = replace(there, weights=found.weights)
    drift = after.share - found.share
    if abs(drift) <= promise.spill or not (after.serving and there.pods):
        return _Aim(meant, found, (found.why,) if found.why else ())
    serving = Crowd({name: meant.ratios[name] for name in after.serving}, there.pods, there.fixed_vms, there.fixed_pods)
    capped = found.share + (promise.spill if drift > 0 else -promise.spill)
    side = "VMs" if drift > 0 else "Pods"
    note = f"the {side} would take over more than {percent(promise.spill)} of the requests: weights hold the rest back"
    return _Aim(serving, weights(serving, capped, limits=limits), (note,))


def _moved(aim: _Aim, there: Presence, promise: Promise, limits: Limits) -> tuple[Presence, tuple[str, ...]]:
    """Go towards the weights of the aim as far as it may be gone; say what is in the way."""
    reached, notes = _bounded(aim, there, promise, limits)
    exposure, wanted = promise.course.exposure(reached.share), promise.course.share(promise.exposure)
    is_above = exposure > promise.exposure and abs(reached.share - wanted) > aim.near(limits)
    if is_above and _effect(there, reached, promise.course) is Effect.RAISES:
        return there, (f"nothing is written: with those who serve now, the exposure would be {percent(exposure)}",)
    return reached, notes


def _bounded(aim: _Aim, there: Presence, promise: Promise, limits: Limits) -> tuple[Presence, tuple[str, ...]]:
    """Go as far as no endpoint gets more than its bound; what moves nothing beyond tolerance is not worth a write."""
    goal = replace(there, weights={**there.weights, **aim.found.weights})
    bound = bounds(aim.crowd.ratios, promise.start, there, promise.max_load)
    if bound.hold(goal):
        return goal, ()
    reached = _up_to(bound, there, goal)
    if abs(reached.share - there.share) <= limits.tolerance(there.share):
        reached = there
    most = f"more than {float(promise.max_load):g} times its load at the step's start"
    said = f"the VMs get {percent(aim.share(reached))} instead of {percent(aim.wanted)}"
    return reached, (f"{said}: an endpoint would get {most}",)


def _up_to(bound: Bounds, there: Presence, goal: Presence) -> Presence:
    """Halve the way between weights that keep a bound and weights that do not, until it is one step of one weight long."""
    moves = {name: goal.weights[name] - weight for name, weight in there.weights.items()}
    length = max(abs(move) for move in moves.values())
    near, far, reached = 0, length, there
    while far - near > 1:
        part = (near + far) // 2
        between = {name: weight + moves[name] * part // length for name, weight in there.weights.items()}
        tried = replace(there, weights=between)
        if bound.hold(tried):
            near, reached = part, tried
        else:
            far = part
    return reached


def _effect(now: Presence, reached: Presence, course: Course) -> Effect:
    if reached.weights == now.weights:
        return Effect.NONE
    moved = course.exposure(reached.share) - course.exposure(now.share)
    if not moved:
        return Effect.LEVEL
    return Effect.RAISES if moved > 0 else Effect.LOWERS


def _losses(meant: Crowd, reached: Presence, planned: Fraction, limits: Limits) -> Iterator[str]:
    """Say who is lost, where that moves the share."""
    if abs(reached.share - planned) > limits.tolerance(planned):
        counts = {"Pods": (meant.pods - reached.pods, meant.pods), "VMs": (len(reached.down - meant.down), len(meant.serving))}
        said = " and ".join(f"{lost} of {count} {side}" for side, (lost, count) in counts.items() if lost)
        yield f"{said} do not serve: until they do, the VMs get {percent(reached.share)} instead of {percent(planned)}"
