"""From shares to weights, held against every combination of weights there is."""

from fractions import Fraction
from itertools import product
from math import gcd

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.shares import Course, Crowd, Limit, Limits, Rounding, pods_for, vms_for, weights, weights_on
from reconciler.core.shares.values import UINT32_MAX, percent
from tests.core.shares.test_ratios import badness

SMALL = Limits(weight=8)
CROWDS = st.builds(
    Crowd,
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 4), min_size=1),
    st.integers(0, 12),
    st.integers(0, 2),
    st.integers(0, 2),
)
SHARES = st.fractions(0, 1, max_denominator=40)


def is_allowed(share: Fraction, wanted: Fraction, rounding: Rounding, slip: Fraction) -> bool:
    """Whether a share is on the right side of what is wanted, and near enough."""
    over = share - wanted
    if (rounding is Rounding.AT_MOST and over > 0) or (rounding is Rounding.AT_LEAST and over < 0):
        return False
    return abs(over) <= slip


@settings(deadline=None)
@given(crowd=CROWDS, wanted=SHARES, rounding=st.sampled_from(Rounding))
def test_no_other_weights_are_better(crowd: Crowd, wanted: Fraction, rounding: Rounding) -> None:
    """Tolerance, ratio, then size, proved by trying all; and where nothing is near enough, nothing on that side is nearer."""
    found = weights(crowd, wanted, rounding, SMALL)
    names, ratios = sorted(crowd.ratios), [max(1, crowd.ratios[name]) for name in sorted(crowd.ratios)]
    shrunk = [one // gcd(*ratios) for one in ratios]
    most = SMALL.weight // max(shrunk) * sum(shrunk)
    every = {one: share_of(crowd, one) for one in product(range(1, SMALL.weight + 1), repeat=len(names)) if sum(one) <= most}
    mine = tuple(found.weights[name] for name in names)
    slip = min(Fraction(1, 100), min(wanted, 1 - wanted) / 10)
    near = [one for one, share in every.items() if is_allowed(share, wanted, rounding, slip)]
    assert found.share == every[mine]
    assert found.error == found.share - wanted
    if near:
        assert found.limit is None
        assert mine in near
        assert (badness(ratios, mine, SMALL.slack), sum(mine)) == min((badness(ratios, o, SMALL.slack), sum(o)) for o in near)
        return
    assert found.limit
    same_side = [share for share in every.values() if is_allowed(share, wanted, rounding, Fraction(1))]
    assert abs(found.error) == min(abs(share - wanted) for share in same_side or every.values())


def share_of(crowd: Crowd, numbers: tuple[int, ...]) -> Fraction:
    """Count the VMs' share out, endpoint by endpoint."""
    vms = [Fraction(one) for one in (*numbers, crowd.fixed_vms)]
    return sum(vms, Fraction(0)) / (sum(vms, Fraction(0)) + crowd.pods + crowd.fixed_pods)


def test_the_end_of_a_course_is_the_nearest_share_and_no_step_before_it_goes_too_far() -> None:
    """One VM and ten Pods have 28.57 % and 33.33 % around 30 %."""
    crowd = Crowd({"a": 1}, pods=10)
    assert weights_on(crowd, Course(Fraction(1), Fraction(3, 10)), Fraction(1)).weights == {"a": 4}
    assert weights_on(crowd, Course(Fraction(1), Fraction(0)), Fraction(7, 10)).weights == {"a": 5}


def test_one_pod_at_one_percent() -> None:
    """W = 99 is exact, 90 is within a tenth of the Pod's share: equal ratios stay equal."""
    found = weights(Crowd({"a": 1, "b": 1, "c": 1}, pods=1), Fraction(99, 100))
    assert found.weights == {"a": 30, "b": 30, "c": 30}
    assert found.share == Fraction(90, 91)
    exact = weights(Crowd({"a": 1, "b": 1, "c": 1}, pods=1), Fraction(99, 100), limits=Limits(part=Fraction(0)))
    assert exact.weights == {"a": 33, "b": 33, "c": 33}
    assert exact.error == 0


def test_weight_in_git_is_only_a_ratio() -> None:
    """300 and 100 say what 3 and 1 say, and 0 counts as 1."""
    wanted = Fraction(1, 2)
    assert weights(Crowd({"a": 300, "b": 100}, pods=8), wanted) == weights(Crowd({"a": 3, "b": 0}, pods=8), wanted)
    assert weights(Crowd({"a": 300, "b": 100}, pods=8), wanted).weights == {"a": 6, "b": 2}


def test_a_ratio_that_whole_numbers_cannot_keep_gives_way_to_the_share() -> None:
    """33, 33 and 34 would need 100 of weight; against three Pods it is 1, 1 and 1, and the difference is said."""
    found = weights(Crowd({"a": 33, "b": 33, "c": 34}, pods=3), Fraction(1, 2))
    assert found.weights == {"a": 1, "b": 1, "c": 1}
    assert found.limit is None
    assert found.uneven == Fraction(1, 33)


def test_selected_vms_bound_the_pods() -> None:
    """Three VMs beside ten Pods keep 3/13; two may stay for 20 %, or twelve Pods must run."""
    crowd = Crowd({"a": 5, "b": 5, "c": 5}, pods=10)
    found = weights(crowd, Fraction(1, 5))
    assert found.weights == {"a": 1, "b": 1, "c": 1}
    assert (found.share, found.limit) == (Fraction(3, 13), Limit.SELECTED)
    assert (vms_for(crowd, Fraction(1, 5)), pods_for(crowd, Fraction(1, 5))) == (2, 12)
    assert "take VMs out one at a time until 2 are left, or run at least 12 Pods, or choose strategy subsets" in found.why


@settings(deadline=None)
@given(crowd=CROWDS, wanted=SHARES.filter(bool))
def test_advice_works(crowd: Crowd, wanted: Fraction) -> None:
    """With so many VMs, or so many Pods, the share is in reach; with one more VM, or one Pod fewer, it is not."""

    def least(vms: int, pods: int) -> Fraction:
        return Crowd({}, pods, crowd.fixed_vms, crowd.fixed_pods).share(vms)

    stay, pods = vms_for(crowd, wanted), pods_for(crowd, wanted)
    assert stay == 0 or least(stay, crowd.pods) <= wanted
    assert stay == len(crowd.ratios) or least(stay + 1, crowd.pods) > wanted
    assert pods is not None
    assert least(len(crowd.ratios), pods) <= wanted
    assert pods == 0 or least(len(crowd.ratios), pods - 1) > wanted


def test_nothing_at_all_for_selected_vms_is_in_no_reach() -> None:
    """Only without VMs; what we do not write stays."""
    found = weights(Crowd({"a": 1}, pods=10), Fraction(0))
    assert (found.share, found.limit) == (Fraction(1, 11), Limit.SELECTED)
    assert "one at a time until none is left, or choose" in found.why
    assert "one at a time" not in weights(Crowd({"a": 1}, pods=10, fixed_vms=2), Fraction(0)).why
    assert pods_for(Crowd({}, pods=3), Fraction(0)) == 0


def test_everything_for_vms_ends_at_the_largest_weight() -> None:
    """Weights go to their bound, and the Pods' rest is stated, not rounded away."""
    found = weights(Crowd({"a": 1, "b": 2}, pods=5), Fraction(1))
    assert found.weights == {"a": 500_000, "b": 1_000_000}
    assert found.limit is Limit.CEILING
    assert "more than 99.99% instead of 100%: a VM's weight is at most 1,000,000" in found.why


def test_weights_together_fit_in_32_bits() -> None:
    """Istiod clips the sum of a locality there."""
    found = weights(Crowd({f"vm{one}": 1 for one in range(10)}, pods=5), Fraction(1), limits=Limits(weight=UINT32_MAX))
    assert UINT32_MAX - 100 < sum(found.weights.values()) + 5 <= UINT32_MAX


def test_whoever_is_not_there_is_told() -> None:
    """Without Pods VMs get everything, without VMs nothing can be weighed; at the wanted end that is no trouble."""
    alone = weights(Crowd({"a": 30, "b": 60}), Fraction(1, 2))
    assert alone.weights == {"a": 1, "b": 2}
    assert alone.share == 1
    assert alone.limit is Limit.NO_PODS
    assert weights(Crowd({"a": 1}), Fraction(1)).limit is None
    nobody = weights(Crowd({}, pods=3), Fraction(1, 2))
    assert nobody.weights == {}
    assert nobody.share == 0
    assert nobody.limit is Limit.NO_VMS
    assert weights(Crowd({}, pods=3), Fraction(0)).limit is None
    assert Crowd({}).share(0) == 0


def test_what_cannot_be_written_counts() -> None:
    """Four of ten Pods' worth stand in another cluster, and istiod registered a VM of weight 2 itself."""
    found = weights(Crowd({"a": 1}, pods=6, fixed_vms=2, fixed_pods=4), Fraction(1, 2))
    assert found.weights == {"a": 8}
    assert found.share == Fraction(1, 2)


def test_vms_that_are_down_count_for_nothing_and_wait_with_a_weight_in_the_ratio() -> None:
    """Three of four carry the nine tenths; the fourth is as heavy as its like."""
    crowd = Crowd({"a": 1, "b": 1, "c": 2, "d": 2}, pods=5, down=frozenset("d"))
    found = weights(crowd, Fraction(9, 10))
    assert found.weights == {"a": 11, "b": 11, "c": 22, "d": 22}
    assert found.share == Fraction(44, 49)
    assert vms_for(crowd, Fraction(1)) == 3
    nobody = weights(Crowd({"a": 300}, pods=5, down=frozenset("a")), Fraction(1, 2))
    assert nobody.weights == {"a": 300}
    assert nobody.limit is Limit.NO_VMS


@settings(deadline=None)
@given(crowd=CROWDS, start=SHARES, wanted=SHARES, exposure=st.fractions(0, 1, max_denominator=20))
def test_an_exposure_is_exceeded_only_where_every_weight_does(
    crowd: Crowd, start: Fraction, wanted: Fraction, exposure: Fraction
) -> None:
    """Before the end; there it is Git's share, as near as possible."""
    course = Course(start, wanted)
    found = weights_on(crowd, course, exposure)
    reached = course.exposure(found.share)
    if not course.is_level and exposure < 1 and found.limit in (None, Limit.WHOLE_NUMBERS):
        assert reached <= exposure
    assert course.exposure(course.share(exposure)) == (exposure if not course.is_level else 1)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(1, 8), "12.5%"),
        (Fraction(0), "0%"),
        (Fraction(1), "100%"),
        (Fraction(1, 10**6), "less than 0.01%"),
        (1 - Fraction(1, 10**6), "more than 99.99%"),
    ],
)
def test_a_share_in_words(share: Fraction, text: str) -> None:
    """Almost nothing is not nothing, and almost all not all."""
    assert percent(share) == text
