"""Loads, and how much of them a write may move."""

from fractions import Fraction

from reconciler.core.shares import Presence
from reconciler.core.shares.presence import Bounds, bounds

HALF_MORE = Fraction(3, 2)


def test_a_presence_counts_who_serves() -> None:
    """Those down do not; what we do not write does."""
    found = Presence({"a": 4, "b": 6}, 3, frozenset("b"), fixed_vms=1, fixed_pods=2)
    assert found.serving == {"a": 4}
    assert (found.total, found.share) == (10, Fraction(1, 2))


def test_bounds_are_times_the_load_at_the_start_or_what_is_carried_already() -> None:
    """A VM may go from 4/10 to 6/10; a Pod that carries more than its bound by a crash keeps that, and no more."""
    start = Presence({"a": 4, "b": 4}, 2)
    found = bounds({"a": 1, "b": 1}, start, Presence({"a": 2, "b": 2}, 1), HALF_MORE)
    assert found == Bounds({"a": Fraction(6, 10), "b": Fraction(6, 10)}, Fraction(1, 5))


def test_a_vm_that_was_not_there_is_measured_by_its_ratio() -> None:
    """The most loaded one for its ratio is the measure: b may carry twice what a may."""
    found = bounds({"a": 1, "b": 2}, Presence({"a": 4, "b": 9}, 6, frozenset("b")), Presence({"a": 4, "b": 9}, 6), HALF_MORE)
    assert found.vms == {"a": Fraction(6, 10), "b": Fraction(12, 10)}


def test_with_nothing_to_compare_there_is_no_bound() -> None:
    """The first Pods, the first VMs."""
    assert bounds({"a": 1}, Presence({"a": 5}), Presence({"a": 5}, 3), HALF_MORE).pod is None
    assert bounds({"a": 1}, Presence({}, 3), Presence({"a": 1}, 3), HALF_MORE).vms == {}


def test_a_bound_holds_up_to_itself() -> None:
    """For VMs and for Pods, and only for those who serve."""
    one = Bounds({"a": Fraction(3, 4)}, Fraction(1, 4))
    assert one.hold(Presence({"a": 3}, 1))
    assert not one.hold(Presence({"a": 4}, 1))
    assert not one.hold(Presence({"a": 2}, 1))
    assert Bounds({"a": Fraction(1, 4)}, None).hold(Presence({"a": 4}, 1, frozenset("a")))
    assert Bounds({}, Fraction(1, 4)).hold(Presence({"a": 1}))
