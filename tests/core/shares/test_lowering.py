"""Less weight for those who are about to change."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.shares import Crowd, Lowered, lowered

PERCENT = Fraction(1, 100)


def test_one_of_three_vms_alone_goes_down_to_a_percent() -> None:
    """The two others weigh as much as it takes, in Git's ratio."""
    found = lowered(Crowd({"a": 1, "b": 1, "c": 2}), {"a": 1, "b": 1, "c": 2}, {"a"}, PERCENT)
    assert found == Lowered({"a": 1, "b": 33, "c": 66}, PERCENT)


def test_beside_pods_the_split_stays() -> None:
    """The sum of weights stays 30; the VM keeps 1 of 40 at least, which is as near to a percent as it gets."""
    crowd = Crowd({"a": 1, "b": 1, "c": 1}, pods=10)
    found = lowered(crowd, {"a": 10, "b": 10, "c": 10}, {"a"}, PERCENT)
    assert found == Lowered({"a": 1, "b": 15, "c": 14}, Fraction(1, 40))
    assert lowered(crowd, {"a": 10, "b": 10, "c": 10}, {"a"}, Fraction(1, 10)).share == Fraction(4, 40)


def test_what_does_not_help_is_not_done() -> None:
    """A VM that gets less already, a VM of weight 1, all VMs at once, VMs that are down."""
    written = {"a": 1, "b": 9}
    crowd = Crowd({"a": 1, "b": 9})
    assert lowered(crowd, written, {"a"}, Fraction(1, 2)) == Lowered(written, Fraction(1, 10))
    assert lowered(crowd, written, {"a", "b"}, PERCENT) == Lowered(written, Fraction(1))
    assert lowered(Crowd({"a": 1, "b": 1}, pods=2), {"a": 1, "b": 1}, {"a"}, PERCENT).share == Fraction(1, 4)
    assert lowered(Crowd({"a": 1, "b": 9}, down=frozenset("a")), written, {"a"}, PERCENT) == Lowered(written, Fraction(0))
    assert lowered(Crowd({"a": 1}, down=frozenset("a")), {"a": 5}, {"a"}, PERCENT) == Lowered({"a": 5}, Fraction(0))


@settings(deadline=None)
@given(
    vms=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 30)), min_size=2, max_size=5),
    pods=st.integers(0, 10),
    count=st.integers(1, 4),
    percent=st.integers(1, 99),
)
def test_a_lowered_share_is_within_the_exposure_or_the_least_there_is(
    vms: list[tuple[int, int]], pods: int, count: int, percent: int
) -> None:
    """Counted out; and the split between VMs and Pods is not touched."""
    names = [f"vm{at}" for at in range(len(vms))]
    crowd = Crowd({name: ratio for name, (ratio, _) in zip(names, vms, strict=True)}, pods)
    written = {name: weight for name, (_, weight) in zip(names, vms, strict=True)}
    chosen, exposure = set(names[:count]), Fraction(percent, 100)
    found = lowered(crowd, written, chosen, exposure)
    total = sum(found.weights.values()) + pods
    before = Fraction(sum(written[name] for name in chosen), sum(written.values()) + pods)
    assert found.share == Fraction(sum(found.weights[name] for name in chosen), total) <= before
    assert set(found.weights) == set(names)
    assert min(found.weights.values()) >= 1
    if pods:
        assert sum(found.weights.values()) == sum(written.values())
    if len(chosen) < len(names):
        least = Fraction(len(chosen), total) if pods else Fraction(0)
        assert found.share <= max(exposure, least)
