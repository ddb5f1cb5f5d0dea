"""What every one-writer lock promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from reconciler.errors import Fenced, Unavailable
from reconciler.ports import Lease, LeaseState
from tests.contracts.clock import SetClock

TTL = timedelta(seconds=30)
SECOND = timedelta(seconds=1)

#: Gives another process's view of the same lease, on its own machine with its own clock.
Views = Callable[[SetClock], Lease]


def acquire(lease: Lease, holder: str, clock: SetClock, store: str = "store-1", generation: int = 0) -> LeaseState:
    """Take or renew a lease."""
    return lease.acquire(holder, store, TTL, now=clock.now(), generation=generation)


class LeaseContract:
    """Derive from it and give a fixture `view`: a function from a clock to a view of one lease, the same for all of a test."""

    @pytest.fixture
    def clock(self) -> SetClock:
        return SetClock()

    @pytest.fixture
    def other_clock(self) -> SetClock:
        """The clock of another machine."""
        return SetClock()

    def test_a_target_begins_without_a_lease(self, view: Views, clock: SetClock) -> None:
        """Nobody holds it, and giving it up is fine."""
        lease = view(clock)
        assert lease.current() is None
        lease.release("a")
        assert lease.current() is None

    def test_the_first_who_asks_holds_it(self, view: Views, clock: SetClock) -> None:
        """It carries the store, the store's generation and the time of renewal."""
        taken = acquire(view(clock), "a", clock, generation=3)
        assert taken == view(clock).current()
        assert (taken.holder, taken.store, taken.generation, taken.epoch) == ("a", "store-1", 3, 1)
        assert taken.renewed == clock.now()

    def test_a_renewal_keeps_the_epoch(self, view: Views, clock: SetClock) -> None:
        """Only a change of hands counts; what is said of the store is as of the last renewal."""
        lease = view(clock)
        first = acquire(lease, "a", clock, generation=3)
        clock.pass_time(10 * SECOND)
        again = acquire(lease, "a", clock, generation=4)
        assert (again.epoch, again.generation, again.renewed) == (first.epoch, 4, clock.now())

    @pytest.mark.case("C-02")
    def test_another_one_is_turned_away_and_told_who_holds_it(self, view: Views, clock: SetClock) -> None:
        """As long as the holder renews, however long that is."""
        holder, other = view(clock), view(clock)
        for _ in range(5):
            acquire(holder, "a", clock)
            clock.pass_time(20 * SECOND)
            with pytest.raises(Fenced) as caught:
                acquire(other, "b", clock)
            assert caught.value.holder == "a"

    def test_a_silent_holder_loses_it_after_its_time(self, view: Views, clock: SetClock, other_clock: SetClock) -> None:
        """Counted from when the other one first saw it silent; the epoch tells that it changed hands."""
        before = acquire(view(clock), "a", clock)
        other = view(other_clock)
        with pytest.raises(Fenced):
            acquire(other, "b", other_clock)
        other_clock.pass_time(TTL - SECOND)
        with pytest.raises(Fenced):
            acquire(other, "b", other_clock)
        other_clock.pass_time(SECOND)
        taken = acquire(other, "b", other_clock, store="store-2")
        assert (taken.holder, taken.store, taken.epoch) == ("b", "store-2", before.epoch + 1)

    @pytest.mark.case("C-02", "K-05")
    def test_a_late_holder_finds_that_it_is_fenced(self, view: Views, clock: SetClock, other_clock: SetClock) -> None:
        """Whoever slept through its time learns at the next renewal who writes now."""
        sleeper, other = view(clock), view(other_clock)
        acquire(sleeper, "a", clock)
        with pytest.raises(Fenced):
            acquire(other, "b", other_clock)
        other_clock.pass_time(TTL)
        acquire(other, "b", other_clock)
        clock.pass_time(TTL * 20)
        with pytest.raises(Fenced) as caught:
            acquire(sleeper, "a", clock)
        assert caught.value.holder == "b"

    @pytest.mark.case("K-01", "K-02")
    @pytest.mark.parametrize("skew", [timedelta(days=1), timedelta(days=-1), timedelta(minutes=5)])
    def test_wall_clocks_decide_nothing(self, view: Views, clock: SetClock, other_clock: SetClock, skew: timedelta) -> None:
        """Neither a machine with another time nor a clock that jumps gets a lease early, or loses one."""
        other_clock.jump(skew)
        holder, other = view(clock), view(other_clock)
        acquire(holder, "a", clock)
        with pytest.raises(Fenced):
            acquire(other, "b", other_clock)
        other_clock.jump(skew)
        with pytest.raises(Fenced):
            acquire(other, "b", other_clock)
        clock.jump(skew)
        assert acquire(holder, "a", clock).epoch == 1

    def test_a_released_lease_is_free_at_once(self, view: Views, clock: SetClock) -> None:
        """What it said of the store stays, the holder does not; the next one counts one epoch more."""
        acquire(view(clock), "a", clock, generation=7)
        view(clock).release("a")
        left = view(clock).current()
        assert left is not None
        assert (left.holder, left.store, left.generation) == ("", "store-1", 7)
        assert acquire(view(clock), "b", clock).epoch > left.epoch

    def test_only_the_holder_can_release(self, view: Views, clock: SetClock) -> None:
        """Others have no say."""
        taken = acquire(view(clock), "a", clock)
        view(clock).release("b")
        assert view(clock).current() == taken

    @pytest.mark.case("C-02")
    def test_of_many_who_ask_at_once_one_gets_it(self, view: Views, clock: SetClock) -> None:
        """All others are turned away or told to ask again."""
        together = Barrier(8)

        def ask(name: str) -> str:
            lease = view(clock)
            together.wait()
            try:
                return acquire(lease, name, clock).holder
            except (Fenced, Unavailable):
                return ""

        with ThreadPoolExecutor(8) as pool:
            holders = [holder for holder in pool.map(ask, "abcdefgh") if holder]
        assert len(holders) == 1
        current = view(clock).current()
        assert current is not None
        assert (current.holder, current.epoch) == (holders[0], 1)
