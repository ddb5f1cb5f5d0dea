"""Weights before the first Pod, and Pods that nobody reckoned with."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.shares import Course, Crowd, armed, unattended

TO_PODS = Course(Fraction(1), Fraction(0))
PERCENT = Fraction(1, 100)


def test_ten_expected_pods_stay_within_the_first_step_together() -> None:
    """One percent for all ten; the eleventh holds the step, and the value says so."""
    found = armed(Crowd({"a": 1, "b": 1}), 10, TO_PODS, PERCENT)
    assert found.found.weights == {"a": 495, "b": 495}
    assert (found.exposure, found.most) == (PERCENT, 10)
    assert found.overrun(10) == ""
    assert found.overrun(11) == (
        "11 Pods are there, weights are armed for 10 (expectPods): the step holds until they are raised"
    )


def test_weights_that_are_rounded_up_have_room_for_more_pods() -> None:
    """210 VMs weigh 1 each where 190 in all would do: an eleventh Pod does not matter."""
    found = armed(Crowd({f"vm{one}": 1 for one in range(210)}), 10, TO_PODS, Fraction(1, 20))
    assert (found.exposure, found.most) == (Fraction(1, 22), 11)
    assert found.overrun(11) == ""
    assert found.overrun(12)


def test_a_course_to_no_vms_in_one_step_is_never_overrun() -> None:
    """Everything may go to Pods at once."""
    found = armed(Crowd({"a": 1}), 5, TO_PODS, Fraction(1))
    assert found.most is None
    assert found.overrun(1000) == ""


@settings(deadline=None)
@given(
    ratios=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    expected=st.integers(1, 60),
    fixed=st.tuples(st.integers(0, 3), st.integers(0, 1)),
    first=st.integers(1, 60),
    wanted=st.integers(0, 9),
)
def test_most_is_the_last_number_within_the_step(
    ratios: list[int], expected: int, fixed: tuple[int, int], first: int, wanted: int
) -> None:
    """Counted out: so many Pods keep to the first step, one more does not; the expected ones do wherever weights can."""
    crowd = Crowd({f"vm{at}": ratio for at, ratio in enumerate(ratios)}, 0, *fixed)
    course, exposure = Course(Fraction(1), Fraction(wanted, 10)), Fraction(first, 100)
    found = armed(crowd, expected, course, exposure)
    total = sum(found.found.weights.values())

    def reached(pods: int) -> Fraction:
        return course.exposure(Fraction(total + fixed[0], total + fixed[0] + fixed[1] + pods))

    assert found.exposure == reached(expected)
    assert found.most is not None
    assert found.most < 0 or reached(found.most) <= exposure
    assert reached(max(0, found.most + 1)) > exposure
    if found.exposure <= exposure:
        assert found.overrun(expected) == ""


def test_the_hpa_at_its_maximum_with_nobody_to_recompute() -> None:
    """20 Pods beside 40 of weight are a third; where more run already, these count."""
    crowd = Crowd({"a": 1}, pods=3)
    found = unattended(crowd, 40, 20, TO_PODS)
    assert (found.pods, found.share, found.exposure) == (20, Fraction(2, 3), Fraction(1, 3))
    found = unattended(crowd, 40, 1, TO_PODS)
    assert (found.pods, found.share) == (3, Fraction(40, 43))
