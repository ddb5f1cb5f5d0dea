"""The right to write: one holder, out of the target's own state store."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.lease_sql import SqlLease
from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.resources import Key, LiveObject, ObservedState, Revision
from reconciler.core.wanted import TARGET_LABEL
from reconciler.cycle.authority import Authority
from reconciler.errors import Fenced
from tests.contracts.clock import SetClock

TTL = timedelta(seconds=30)
EMPTY = ObservedState({})


def _marked(target: str) -> ObservedState:
    key = Key("ServiceEntry", "shop", "billing")
    return ObservedState({key: LiveObject(key, {"metadata": {"labels": {TARGET_LABEL: target}}})})


class Place:
    """A target's lease, and processes that want to write to it."""

    def __init__(self, folder: Path) -> None:
        self.clock = SetClock()
        self.lease = SqlLease(f"sqlite:///{folder / 'lease.db'}", "prod", self.clock)

    def process(self, name: str, store: MemoryStore) -> Authority:
        """A process that has looked at the lease, and is about to look at the stores."""
        authority = Authority(self.lease, store, self.clock, "prod", name, TTL)
        authority.look()
        return authority


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A target that nobody has written to."""
    folder = tmp_path / "lease"
    folder.mkdir(mode=0o700)
    return Place(folder)


def test_a_new_target_and_a_new_store_may_begin(place: Place) -> None:
    """Nothing is marked and no lease exists: whoever comes first makes the target its own."""
    assert place.process("one", MemoryStore()).objection(EMPTY) == ""


@pytest.mark.case("C-02")
def test_a_second_process_is_told_who_writes(place: Place) -> None:
    """While one process holds the lease another one's fence names it."""
    store = MemoryStore()
    place.process("laptop:1", store).fence()
    with pytest.raises(Fenced, match="laptop:1"):
        place.process("pod:2", store).fence()


def test_the_fence_costs_a_request_only_when_renewal_is_due(place: Place) -> None:
    """Within a third of the lease's time the fence trusts the last renewal; after it, it renews."""
    one = place.process("one", MemoryStore())
    one.fence()
    first = place.lease.current()
    one.fence()
    assert place.lease.current() == first
    place.clock.pass_time(TTL / 2)
    one.fence()
    assert place.lease.current() != first


def test_stop_lets_nothing_begin(place: Place) -> None:
    """After `stop` every fence refuses, so that a process told to end starts no write."""
    one = place.process("one", MemoryStore())
    one.fence()
    one.stop()
    with pytest.raises(Fenced, match="stopping"):
        one.fence()


def test_a_released_lease_is_free_but_remembers_its_store(place: Place) -> None:
    """After a release another process of the same store may write; one with another store may not."""
    store = MemoryStore()
    store.accept(Revision("a" * 40))
    one = place.process("one", store)
    one.fence()
    one.release()
    place.process("two", store).fence()
    assert place.process("two", store).objection(EMPTY) == ""
    assert "another state store" in place.process("stranger", MemoryStore()).objection(EMPTY)


def test_a_dead_holder_is_waited_for(place: Place) -> None:
    """A run waits while a silent holder's time runs out, and then has the lease; the target is never locked for good."""
    store = MemoryStore()
    place.process("dead:1", store).fence()
    waiting = place.process("me:2", store)
    alone = waiting.take(lambda seconds: place.clock.pass_time(timedelta(seconds=seconds)))
    state = place.lease.current()
    assert state is not None
    assert state.holder == "me:2"
    assert not alone, "whatever the dead one did last, it did after the look"
    waiting.look()
    assert waiting.take()


def test_a_holder_that_renews_is_not_waited_for(place: Place) -> None:
    """As soon as the holder makes a move it is alive: the run ends, naming it, long before the lease's time."""
    store = MemoryStore()
    alive = place.process("alive:1", store)
    alive.fence()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        place.clock.pass_time(timedelta(seconds=12))
        alive.fence()

    with pytest.raises(Fenced, match="alive:1"):
        place.process("me:2", store).take(pause)
    assert len(pauses) == 1


@pytest.mark.case("C-02", "K-05")
def test_what_was_decided_before_somebody_else_wrote_does_not_count(place: Place) -> None:
    """A process looks, another one writes and gives the lease back: the first gets the lease, and must look again."""
    store = MemoryStore()
    slow, quick = place.process("slow:1", store), place.process("quick:2", store)
    assert quick.take()
    quick.release()
    assert not slow.take()
    slow.look()
    assert slow.take()
    slow.fence()


@pytest.mark.case("K-05")
def test_a_process_that_slept_through_its_lease_writes_nothing_of_the_old_plan(place: Place) -> None:
    """Stopped for ten minutes between two writes, while another one had the lease and gave it back: the fence refuses."""
    store = MemoryStore()
    sleeper = place.process("sleeper:1", store)
    assert sleeper.take()
    sleeper.fence()
    place.clock.pass_time(TTL * 2)
    waiting = place.process("other:2", store)
    waiting.take(lambda seconds: place.clock.pass_time(timedelta(seconds=seconds)))
    waiting.release()
    place.clock.pass_time(TTL * 20)
    sleeper.renew()  # the timer's turn comes before the next write's
    with pytest.raises(Fenced, match="meanwhile"):
        sleeper.fence()
    sleeper.look()
    assert sleeper.take()


@pytest.mark.case("K-05", "K-01")
def test_a_machine_that_was_suspended_asks_before_it_writes(place: Place) -> None:
    """Its monotonic clock stood still for ten minutes, its wall clock has been set right since; another one had the lease."""
    store, own_clock = MemoryStore(), SetClock()
    sleeper = Authority(place.lease, store, own_clock, "prod", "sleeper:1", TTL)
    sleeper.look()
    assert sleeper.take()
    place.clock.pass_time(TTL * 2)
    other = place.process("other:2", store)
    other.take(lambda seconds: place.clock.pass_time(timedelta(seconds=seconds)))
    own_clock.jump(timedelta(minutes=10))
    with pytest.raises(Fenced, match="other:2"):
        sleeper.fence()
    assert not sleeper.held


@pytest.mark.case("K-01")
def test_a_wall_clock_that_is_set_steals_and_loses_nothing(place: Place) -> None:
    """A day forwards or back while we hold the lease: at most it is renewed once more, and nobody else gets it."""
    store = MemoryStore()
    one = place.process("one:1", store)
    assert one.take()
    for day in (timedelta(days=1), timedelta(days=-2)):
        place.clock.jump(day)
        with pytest.raises(Fenced, match="one:1"):
            place.process("other:2", store).take()
        one.fence()
    place.clock.pass_time(TTL / 2)
    one.fence()
    state = place.lease.current()
    assert state is not None
    assert (state.holder, state.epoch, state.renewed) == ("one:1", 1, place.clock.now())


@pytest.mark.case("S-04")
def test_a_lease_given_back_says_how_far_the_store_had_come(place: Place) -> None:
    """A run accepts and settles after it took the lease: a copy of the store from before the run is noticed all the same."""
    store = MemoryStore()
    one = place.process("one", store)
    assert one.take()
    store.accept(Revision("a" * 40))
    one.release()
    state = place.lease.current()
    assert state is not None
    assert (state.holder, state.generation) == ("", store.generation)


def test_alone_gives_the_lease_back_whatever_happens(place: Place) -> None:
    """The body has the lease; afterwards it is free, also after an error, and a foreign store does not even get it."""
    store = MemoryStore()
    one = place.process("one", store)
    with suppress(ZeroDivisionError), one.alone(EMPTY):
        assert one.held
        raise ZeroDivisionError
    assert not one.held
    stranger = place.process("stranger", MemoryStore())
    with pytest.raises(Fenced, match="another state store"), stranger.alone(EMPTY):
        pytest.fail("must not begin")
    slow = place.process("slow", store)
    with place.process("two", store).alone(EMPTY):
        pass
    with pytest.raises(Fenced, match="run this again"), slow.alone(EMPTY):
        pytest.fail("must not begin")


@pytest.mark.case("S-04")
def test_an_older_copy_of_the_store_is_noticed(place: Place) -> None:
    """The lease knows how far the store had come; a store that was put back to an earlier state may not write."""
    store = MemoryStore()
    store.accept(Revision("a" * 40))
    one = place.process("one", store)
    one.fence()
    one.release()
    state = place.lease.current()
    assert state is not None
    place.lease.acquire("one", store.id, TTL, now=place.clock.now(), generation=state.generation + 5)
    place.lease.release("one")
    assert "older copy" in place.process("one", store).objection(EMPTY)


def test_a_lost_store_is_noticed_by_the_marks(place: Place) -> None:
    """An empty store in front of a cluster that holds our marked objects was lost; marks of another target mean nothing."""
    fresh = place.process("one", MemoryStore())
    assert "was lost" in fresh.objection(_marked("prod"))
    assert fresh.objection(_marked("staging")) == ""


def test_seize_makes_the_store_the_targets_own(place: Place) -> None:
    """Recovery takes the lease, rebuilds, and leaves a lease that names the new store with its new generation."""
    place.process("old", MemoryStore()).fence()
    place.lease.release("old")
    store = MemoryStore()
    new = place.process("new", store)
    new.seize(lambda: store.accept(Revision("b" * 40)))
    assert new.objection(_marked("prod")) == ""
    state = place.lease.current()
    assert state is not None
    assert (state.holder, state.store, state.generation) == ("", store.id, store.generation)
