"""Pods that scale while the reconciler stands still."""

from fractions import Fraction

from reconciler.core.shares import Course, Crowd, unattended

TO_PODS = Course(Fraction(1), Fraction(0))


def test_the_hpa_at_its_maximum_with_nobody_to_recompute() -> None:
    """20 Pods beside 40 of weight are a third; where more run already, these count."""
    crowd = Crowd({"a": 1}, pods=3)
    found = unattended(crowd, 40, 20, TO_PODS)
    assert (found.pods, found.share, found.exposure) == (20, Fraction(2, 3), Fraction(1, 3))
    found = unattended(crowd, 40, 1, TO_PODS)
    assert (found.pods, found.share) == (3, Fraction(40, 43))
