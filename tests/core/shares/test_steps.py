"""Steps against what can be reached."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.rollouts.policy import PolicyStep, Unreachable
from reconciler.core.shares import Course, Crowd, Limits, Reachable, Reached, by_weights, reachable, weights_on

MINUTE = timedelta(minutes=1)
TO_PODS, TO_VMS = Course(Fraction(1), Fraction(0)), Course(Fraction(0), Fraction(1))
CAREFUL = [
    PolicyStep(Fraction(1, 100), 5 * MINUTE, ("errors",)),
    PolicyStep(Fraction(1, 10), 10 * MINUTE, ("latency", "errors"), cover=timedelta(hours=24)),
    PolicyStep(Fraction(1, 2), MINUTE, approval=True),
    PolicyStep(Fraction(1)),
]


def test_pods_come_in_at_every_step() -> None:
    """The VMs' weights can be raised as far as it takes."""
    found = reachable(CAREFUL, by_weights(Crowd({"a": 1, "b": 1}, pods=2), TO_PODS))
    assert [one.step for one in found.steps] == CAREFUL
    assert [one.exposure for one in found.steps] == [Fraction(1, 100), Fraction(1, 10), Fraction(1, 2), Fraction(1, 2)]
    assert not any(one.merged or one.why for one in found.steps)


def test_a_vm_among_ten_pods_is_a_eleventh_at_once() -> None:
    """Two steps are merged into the third, which has to keep the promises of all; the value says so."""
    found = reachable(CAREFUL[:2] + CAREFUL[2:], by_weights(Crowd({"a": 1}, pods=5), TO_VMS))
    assert found.steps[0] == Reached(
        PolicyStep(Fraction(1, 2), 16 * MINUTE, ("errors", "latency"), approval=True, cover=timedelta(hours=24)),
        Fraction(1, 2),
        (Fraction(1, 100), Fraction(1, 10)),
        "the smallest exposure that can be reached is 16.67%: 1% and 10% merged into 50%",
    )
    assert len(found.steps) == 2


def test_a_policy_may_refuse_to_merge() -> None:
    """Then there are no steps, and the policy must change."""
    crowd = Crowd({"a": 1}, pods=5)
    assert reachable(CAREFUL, by_weights(crowd, TO_VMS), Unreachable.REFUSE) == Reachable(
        (),
        "the smallest exposure that can be reached is 16.67%: 1% and 10% merged into 50%: "
        "make the step larger, or set unreachable: merge",
    )
    assert len(reachable(CAREFUL, by_weights(crowd, TO_PODS), Unreachable.REFUSE).steps) == 4


@pytest.mark.case("C-12")
@pytest.mark.parametrize("exposures", [[], ["1/2"], ["1/2", "1/2", "1"], ["1/2", "1/4", "1"], ["1/2", "3/2"]])
def test_steps_that_do_not_grow_to_the_end_are_no_steps(exposures: list[str]) -> None:
    """The manifest's check tells people; here it is a mistake of the caller."""
    with pytest.raises(ValueError, match="must grow and end at 1"):
        reachable([PolicyStep(Fraction(one)) for one in exposures], lambda exposure: exposure)


@settings(deadline=None)
@given(
    ratios=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    pods=st.integers(0, 20),
    ends=st.tuples(st.fractions(0, 1, max_denominator=20), st.fractions(0, 1, max_denominator=20)),
    exposures=st.sets(st.integers(1, 99), max_size=5),
)
def test_a_step_is_exceeded_by_none_but_the_last(
    ratios: list[int], pods: int, ends: tuple[Fraction, Fraction], exposures: set[int]
) -> None:
    """All steps of the policy are there, alone or merged, and all their time is held."""
    crowd, course = Crowd({f"vm{at}": ratio for at, ratio in enumerate(ratios)}, pods), Course(*ends)
    steps = [PolicyStep(Fraction(one, 100), MINUTE, (f"g{one}",)) for one in (*sorted(exposures), 100)]
    found = reachable(steps, by_weights(crowd, course)).steps
    assert all(one.exposure <= one.step.exposure for one in found[:-1])
    assert [each for one in found for each in (*one.merged, one.step.exposure)] == [one.exposure for one in steps]
    assert sum((one.step.hold for one in found), timedelta(0)) == len(steps) * MINUTE
    assert [gate for one in found for gate in one.step.gates] == [f"g{one}" for one in (*sorted(exposures), 100)]
    reached = [course.exposure(weights_on(crowd, course, one.step.exposure, Limits()).share) for one in found]
    assert reached == [one.exposure for one in found]
