"""Steps against what can be reached."""

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.shares import Crowd, Limits, Reached, Stage, Stages, Unreachable, Way, by_weights, reachable, weights_on

MINUTE = timedelta(minutes=1)
TO_PODS, TO_VMS = Way(Fraction(1), Fraction(0)), Way(Fraction(0), Fraction(1))
CAREFUL = [
    Stage(Fraction(1, 100), 5 * MINUTE, ("errors",)),
    Stage(Fraction(1, 10), 10 * MINUTE, ("latency", "errors"), cover=timedelta(hours=24)),
    Stage(Fraction(1, 2), MINUTE, approval=True),
    Stage(Fraction(1)),
]


def test_pods_come_in_at_every_step() -> None:
    """The VMs' weights can be raised as far as it takes."""
    found = reachable(CAREFUL, by_weights(Crowd({"a": 1, "b": 1}, pods=2), TO_PODS))
    assert [one.stage for one in found.stages] == CAREFUL
    assert [one.exposure for one in found.stages] == [Fraction(1, 100), Fraction(1, 10), Fraction(1, 2), Fraction(1, 2)]
    assert not any(one.merged or one.why for one in found.stages)


def test_a_vm_among_ten_pods_is_a_eleventh_at_once() -> None:
    """Two steps are merged into the third, which has to keep the promises of all; the value says so."""
    found = reachable(CAREFUL[:2] + CAREFUL[2:], by_weights(Crowd({"a": 1}, pods=5), TO_VMS))
    assert found.stages[0] == Reached(
        Stage(Fraction(1, 2), 16 * MINUTE, ("errors", "latency"), approval=True, cover=timedelta(hours=24)),
        Fraction(1, 2),
        (Fraction(1, 100), Fraction(1, 10)),
        "the smallest exposure that can be reached is 16.67%: 1% and 10% merged into 50%",
    )
    assert len(found.stages) == 2


def test_a_policy_may_refuse_to_merge() -> None:
    """Then there are no steps, and the policy must change."""
    crowd = Crowd({"a": 1}, pods=5)
    assert reachable(CAREFUL, by_weights(crowd, TO_VMS), Unreachable.REFUSE) == Stages(
        (),
        "the smallest exposure that can be reached is 16.67%: 1% and 10% merged into 50%: "
        "make the step larger, or set unreachable: merge",
    )
    assert len(reachable(CAREFUL, by_weights(crowd, TO_PODS), Unreachable.REFUSE).stages) == 4


@pytest.mark.case("C-12")
@pytest.mark.parametrize("exposures", [[], ["1/2"], ["1/2", "1/2", "1"], ["1/2", "1/4", "1"], ["1/2", "3/2"]])
def test_steps_that_do_not_grow_to_the_end_are_no_steps(exposures: list[str]) -> None:
    """The manifest's check tells people; here it is a mistake of the caller."""
    with pytest.raises(ValueError, match="must grow and end at 1"):
        reachable([Stage(Fraction(one)) for one in exposures], lambda exposure: exposure)


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
    crowd, way = Crowd({f"vm{at}": ratio for at, ratio in enumerate(ratios)}, pods), Way(*ends)
    stages = [Stage(Fraction(one, 100), MINUTE, (f"g{one}",)) for one in (*sorted(exposures), 100)]
    found = reachable(stages, by_weights(crowd, way)).stages
    assert all(one.exposure <= one.stage.exposure for one in found[:-1])
    assert [each for one in found for each in (*one.merged, one.stage.exposure)] == [one.exposure for one in stages]
    assert sum((one.stage.hold for one in found), timedelta(0)) == len(stages) * MINUTE
    assert [gate for one in found for gate in one.stage.gates] == [f"g{one}" for one in (*sorted(exposures), 100)]
    reached = [way.exposure(weights_on(crowd, way, one.stage.exposure, Limits()).share) for one in found]
    assert reached == [one.exposure for one in found]
