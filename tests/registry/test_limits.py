"""Buckets: how often somebody may ask."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.registry.limits import Buckets


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_nobody_gets_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    """However somebody spreads his requests; and who waits as long as he is told gets in."""
    buckets, now, taken = Buckets(rate=0.5, burst=3), 0.0, 0
    for pause in pauses:
        now += pause
        if buckets.wait("a", now) == 0:
            buckets.take("a", now)
            taken += 1
    assert taken <= 3 + 0.5 * now + 1e-9
    assert buckets.wait("a", now + buckets.wait("a", now) + 1e-6) == 0


def test_askers_do_not_mind_each_other_and_the_idle_are_forgotten() -> None:
    """Memory is bounded: who has not asked for longest makes room."""
    buckets = Buckets(rate=1, burst=1, most=2)
    for asker in ("a", "b", "c"):
        buckets.take(asker, 0.0)
    assert [buckets.wait(asker, 0.0) for asker in ("a", "b", "c")] == [0.0, 1.0, 1.0]
