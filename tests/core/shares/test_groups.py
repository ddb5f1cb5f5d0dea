"""Which endpoints change in which step."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.rollouts.policy import PolicyStep, Unreachable
from reconciler.core.shares import (
    Course,
    Crowd,
    by_part,
    grouped,
    of_arrivals,
    of_departures,
    of_updates,
)

STEPS = [PolicyStep(Fraction(one, 100)) for one in (1, 10, 50, 100)]
ALL_POD, ALL_VM = Fraction(0), Fraction(1)
LEVEL = Course(ALL_VM, ALL_VM)


def updated(shares: dict[str, Fraction], steps: list[PolicyStep] = STEPS) -> list[tuple[Fraction, tuple[str, ...]]]:
    """The groups of an update in place, each with the exposure of its step."""
    order = by_part(shares)
    found = grouped(order, of_updates(order, shares), steps)
    return [(one.reached.step.exposure, one.names) for one in found.groups]


@pytest.mark.case("C-09")
def test_no_endpoint_makes_no_step() -> None:
    """Nothing passes because there was nothing."""
    assert grouped((), (), STEPS).groups == ()


@pytest.mark.case("C-09")
def test_one_endpoint_is_all_at_once_whatever_its_share() -> None:
    """It has no gradual step: all are merged into the last, also where Pods beside it take most requests."""
    for share in (Fraction(1), Fraction(1, 200), Fraction(0)):
        assert updated({"a": share}) == [(Fraction(1), ("a",))]
    found = grouped(["a"], [Fraction(1, 200)], STEPS, Unreachable.REFUSE)
    assert found.groups == ()
    assert "the smallest exposure that can be reached is 100%" in found.refused


@pytest.mark.case("C-09")
def test_one_percent_of_three_is_one() -> None:
    """At least one, in the first step that allows it; the last one waits for the last step."""
    third = Fraction(1, 3)
    assert updated(dict.fromkeys("abc", third)) == [(Fraction(1, 2), ("a",)), (Fraction(1), ("b", "c"))]
    (first, _) = grouped("abc", of_updates("abc", dict.fromkeys("abc", third)), STEPS).groups
    assert first.reached.why == "the smallest exposure that can be reached is 33.33%: 1% and 10% merged into 50%"
    nearly = [PolicyStep(Fraction(99, 100)), PolicyStep(Fraction(1))]
    assert updated(dict.fromkeys("abc", Fraction(1, 300)), nearly) == [(Fraction(99, 100), ("a", "b")), (Fraction(1), ("c",))]


def test_who_serves_least_goes_first() -> None:
    """A VM of weight 1 beside two of weight 99 fits the first step."""
    shares = {"big": Fraction(99, 199), "also": Fraction(99, 199), "small": Fraction(1, 199)}
    assert updated(shares) == [
        (Fraction(1, 100), ("small",)),
        (Fraction(1, 10), ()),
        (Fraction(1, 2), ()),
        (Fraction(1), ("also", "big")),
    ]


def test_who_serves_nothing_now_may_serve_once_it_is_changed() -> None:
    """So an outage does not let a step of one percent take nine of ten."""
    shares = dict.fromkeys("abcdefghij", Fraction(0))
    assert [len(names) for _, names in updated(shares)] == [1, 4, 5]


def test_waves_are_as_large_as_is_said() -> None:
    """One by one, or by so many."""
    order = tuple("abcde")
    found = grouped(order, of_updates(order, dict.fromkeys(order, Fraction(1, 5))), STEPS[2:], at_once=2)
    assert [one.waves for one in found.groups] == [(("a", "b"),), (("c", "d"), ("e",))]


def test_vms_leave_along_the_way_of_the_split() -> None:
    """Three VMs beside three Pods: from a half to two fifths of the requests is a fifth of the way to none."""
    weights = dict.fromkeys("abc", 1)
    exposures = of_departures("abc", weights, Crowd({}, pods=3), Course(Fraction(1, 2), ALL_POD))
    assert exposures == (Fraction(1, 5), Fraction(1, 2), Fraction(1))
    found = grouped("abc", exposures, STEPS)
    assert [(one.reached.step.exposure, one.names) for one in found.groups] == [
        (Fraction(1, 2), ("a", "b")),
        (Fraction(1), ("c",)),
    ]


def test_vms_come_along_the_way_of_the_split() -> None:
    """The first of weight 1 beside nine Pods is a tenth of all, a fifth of the way to a half."""
    exposures = of_arrivals("ab", {"a": 1, "b": 8}, Crowd({}, pods=9), Course(ALL_POD, Fraction(1, 2)))
    assert exposures == (Fraction(1, 5), Fraction(1))


def test_among_vms_alone_the_moved_requests_are_the_way() -> None:
    """Of four VMs, the two that leave serve 3 and 1 of 10; the two that come take 1 of 5, then 6 of 10."""
    weights = {"a": 1, "b": 3, "c": 2, "d": 4}
    assert of_departures("ab", weights, Crowd({}), LEVEL) == (Fraction(1, 4), Fraction(1))
    assert of_arrivals("ab", {"a": 1, "b": 5, "c": 4}, Crowd({}), LEVEL) == (Fraction(1, 3), Fraction(1))
    assert of_arrivals("ab", {"a": 1, "b": 5}, Crowd({}), LEVEL) == (Fraction(1), Fraction(1))
    assert of_departures("", weights, Crowd({}), LEVEL) == of_arrivals("", weights, Crowd({}), LEVEL) == ()


@settings(deadline=None)
@given(
    parts=st.lists(st.integers(0, 20), min_size=1, max_size=30),
    exposures=st.sets(st.integers(1, 99), max_size=6),
    at_once=st.none() | st.integers(1, 4),
)
def test_every_endpoint_has_its_step_and_no_step_too_many(parts: list[int], exposures: set[int], at_once: int | None) -> None:
    """Each exactly once; the exposure is that of its step at most; the first takes one at least, the last is left one."""
    total = sum(parts) or 1
    shares = {f"vm{at:02}": Fraction(part, total) for at, part in enumerate(parts)}
    order = by_part(shares)
    reached = of_updates(order, shares)
    found = grouped(
        order, reached, [PolicyStep(Fraction(one, 100)) for one in (*sorted(exposures), 100)], at_once=at_once
    ).groups
    assert tuple(name for one in found for name in one.names) == order
    assert found[0].names
    assert found[-1].names
    assert all(len(wave) <= (at_once or len(order)) for one in found for wave in one.waves)
    done = 0
    for one in found:
        done += len(one.names)
        assert one.reached.exposure == (reached[done - 1] if len(order) > 1 else 1)
        assert one.reached.exposure <= one.reached.step.exposure or one is found[-1]
        if one is not found[-1]:
            assert done == len(order) - 1 or reached[done] > one.reached.step.exposure
