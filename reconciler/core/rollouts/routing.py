"""The steps and stages of a ROUTES leg."""

from collections.abc import Iterator
from fractions import Fraction

from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.routes import is_gradual, is_rewritten, subsets_moved
from reconciler.core.rollouts.steps import at_once, step_of
from reconciler.core.rollouts.values import Leg, RolloutStep, Stage
from reconciler.core.shares import reachable

_ALL = Fraction(1)


def routing(leg: Leg, policy: RolloutPolicy) -> Iterator[RolloutStep]:
    """Yield the steps of a ROUTES leg: gradual where routes differ in where they send and in nothing else."""
    routes = [key for key in leg.after if key.kind == "VirtualService"]
    if routes and all(is_rewritten(leg.before.get(key), leg.after[key]) for key in routes):
        yield quietly(leg)
        return
    if not moves_gradually(leg):
        why = "what routes match changes, which Istio gives to all clients at once" if routes else "no route's share changes"
        yield at_once(policy, _stages(leg, first=True, last=True), why)
        return
    for number, one in enumerate(reachable(policy.steps, lambda wanted: wanted).steps):
        last = one.exposure == _ALL
        yield step_of(one, _stages(leg, first=not number, last=last))


def moves_gradually(leg: Leg) -> bool:
    """Tell whether the shares of routes change on a leg, and nothing else of them does."""
    routes = [key for key in leg.after if key.kind == "VirtualService"]
    return bool(routes) and all(is_gradual(leg.before.get(key), leg.after[key]) for key in routes)


def quietly(leg: Leg) -> RolloutStep:
    """Return the one step of a leg on which only the form of routes changes: no policy has anything to wait for."""
    return RolloutStep(0, _ALL, _stages(leg, first=True, last=True), notes=("no request goes elsewhere",), quiet=True)


def _stages(leg: Leg, *, first: bool, last: bool) -> tuple[Stage, ...]:
    """Return the stages of a step: proxies know subsets before a route uses them, and no route that uses them when they go."""
    comes, goes = subsets_moved(leg.before, leg.after)
    before = (Stage.PREPARE,) if first and comes else ()
    return (*before, Stage.SHIFT, *((Stage.FINISH,) if last and goes else ()))
