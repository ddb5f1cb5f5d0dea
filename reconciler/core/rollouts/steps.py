"""Steps of a way as the policy asks for them."""

from fractions import Fraction

from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.values import RolloutStep, Stage
from reconciler.core.shares import Reached, reachable

_ALL = Fraction(1)


def at_once(policy: RolloutPolicy, stages: tuple[Stage, ...], why: str) -> RolloutStep:
    """Return one step for all of the policy's, with what all of them ask for."""
    (only,) = reachable(policy.steps, lambda _: _ALL).steps
    return step_of(only, stages, (why,))


def step_of(reached: Reached, stages: tuple[Stage, ...], notes: tuple[str, ...] = ()) -> RolloutStep:
    """Return the step of a way for what is reached of the policy's, on the leg that whoever adds it says."""
    asked = reached.step
    return RolloutStep(
        leg=0,
        exposure=asked.exposure,
        stages=stages,
        hold=asked.hold,
        gates=asked.gates,
        approval=asked.approval,
        cover=asked.cover,
        merged=reached.merged,
        notes=(*notes, reached.why) if reached.why and not notes else notes,
    )
