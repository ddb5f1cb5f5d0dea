"""The lease as a row: one holder at a time, and a silent one loses it, whatever wall clocks say."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from reconciler.adapters.lease_sql import SqlLease
from reconciler.errors import Fenced
from reconciler.ports import LeaseState
from tests.contracts.clock import SetClock

PROJECT = Path(__file__).parents[2]
TTL = timedelta(seconds=30)
DAY = timedelta(days=1)

Open = Callable[[SetClock], SqlLease]


class Promises:
    """Derive from it with a fixture `url`."""

    @pytest.fixture
    def clock(self) -> SetClock:
        return SetClock()

    @pytest.fixture
    def open_lease(self, url: str) -> Iterator[Open]:
        """Open the lease once more, as another process would."""
        opened: list[SqlLease] = []

        def open_it(clock: SetClock) -> SqlLease:
            opened.append(SqlLease(url, "production", clock))
            return opened[-1]

        yield open_it
        for lease in opened:
            lease.close()

    def test_nobody_has_it_at_first(self, open_lease: Open, clock: SetClock) -> None:
        """A target that never had one has none."""
        assert open_lease(clock).current() is None

    def test_the_holder_renews_it_and_keeps_the_epoch(self, open_lease: Open, clock: SetClock) -> None:
        """Store, generation and time are those of the last renewal."""
        lease = open_lease(clock)
        first = lease.acquire("laptop:1", "store-1", TTL, now=clock.now(), generation=3)
        assert first == LeaseState("laptop:1", "store-1", 1, 3, clock.now())
        clock.pass_time(TTL / 3)
        again = lease.acquire("laptop:1", "store-1", TTL, now=clock.now(), generation=4)
        assert again == LeaseState("laptop:1", "store-1", 1, 4, clock.now())
        assert open_lease(clock).current() == again

    def test_another_one_is_fenced_off_by_name(self, open_lease: Open, clock: SetClock) -> None:
        """Until it is given up; what the holder left behind stays readable, and the epoch grows."""
        laptop, cluster = open_lease(clock), open_lease(clock)
        laptop.acquire("laptop:1", "store-1", TTL, now=clock.now(), generation=3)
        with pytest.raises(Fenced, match="laptop:1") as fenced:
            cluster.acquire("pod:1", "store-1", TTL, now=clock.now())
        assert fenced.value.holder == "laptop:1"
        cluster.release("pod:1")
        laptop.release("laptop:1")
        assert laptop.current() == LeaseState("", "store-1", 1, 3, clock.now())
        assert cluster.acquire("pod:1", "store-1", TTL, now=clock.now()).epoch == 2

    def test_a_renewal_counts_from_the_last_one(self, open_lease: Open, clock: SetClock) -> None:
        """A holder that renews in time keeps it for ever."""
        holder, other = open_lease(clock), open_lease(clock)
        for _ in range(10):
            holder.acquire("laptop:1", "store-1", TTL, now=clock.now())
            clock.pass_time(TTL * 0.9)
            with pytest.raises(Fenced):
                other.acquire("pod:1", "store-1", TTL, now=clock.now())

    def test_a_silent_holder_loses_it_and_finds_out(self, open_lease: Open, clock: SetClock) -> None:
        """Another process that has watched it for its whole time takes it; the late one is fenced."""
        holder, other = open_lease(clock), open_lease(clock)
        holder.acquire("laptop:1", "store-1", TTL, now=clock.now())
        with pytest.raises(Fenced):
            other.acquire("pod:1", "store-1", TTL, now=clock.now())
        clock.pass_time(TTL)
        assert other.acquire("pod:1", "store-1", TTL, now=clock.now()).epoch == 2
        with pytest.raises(Fenced, match="pod:1"):
            holder.acquire("laptop:1", "store-1", TTL, now=clock.now())

    @pytest.mark.case("K-01", "K-02")
    @pytest.mark.parametrize("jump", [DAY, -DAY])
    def test_a_wall_clock_that_jumps_steals_nothing(self, open_lease: Open, clock: SetClock, jump: timedelta) -> None:
        """Neither at the first look nor later, forwards or backwards."""
        holder, other = open_lease(clock), open_lease(clock)
        holder.acquire("laptop:1", "store-1", TTL, now=clock.now())
        clock.jump(jump)
        for _ in range(2):
            with pytest.raises(Fenced):
                other.acquire("pod:1", "store-1", TTL, now=clock.now())
            holder.acquire("laptop:1", "store-1", TTL, now=clock.now())
            clock.jump(jump)

    @pytest.mark.case("C-02", "K-02")
    def test_of_many_that_take_it_at_once_one_wins(self, open_lease: Open, clock: SetClock) -> None:
        """Eight contenders with clocks of their own."""
        contenders = [open_lease(SetClock()) for _ in range(8)]

        def take(number: int) -> str:
            try:
                return contenders[number].acquire(f"pod:{number}", "store-1", TTL, now=clock.now()).holder
            except Fenced as fenced:
                return f"fenced by {fenced.holder}"

        with ThreadPoolExecutor(8) as threads:
            outcomes = set(threads.map(take, range(8)))
        winner = next(outcome for outcome in outcomes if not outcome.startswith("fenced"))
        assert outcomes == {winner, f"fenced by {winner}"}

    @pytest.mark.case("C-02")
    def test_of_processes_that_take_it_at_once_one_wins(self, url: str, open_lease: Open, clock: SetClock) -> None:
        """Three processes on a database without tables."""
        command = [sys.executable, "-m", "tests.adapters.lease_racer", url]
        racers = [
            subprocess.Popen([*command, f"pod:{number}"], cwd=PROJECT, stdin=-1, stdout=-1, text=True) for number in range(3)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        outcomes = {racer.communicate("go\n", timeout=45)[0].strip() for racer in racers}
        current = open_lease(clock).current()
        assert current is not None
        assert outcomes == {f"has it {current.holder}", f"fenced by {current.holder}"}


class TestSqliteLease(Promises):
    """On a SQLite file."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/lease.db"

    def test_a_holder_that_died_is_known_at_the_first_look(self, open_lease: Open, clock: SetClock) -> None:
        """All contenders share the machine's clock, so a new process need not watch a dead one's lease for its whole time."""
        open_lease(clock).acquire("laptop:1", "store-1", TTL, now=clock.now())
        clock.pass_time(TTL)
        assert open_lease(clock).acquire("laptop:2", "store-1", TTL, now=clock.now()).epoch == 2

    @pytest.mark.case("K-01")
    def test_a_holder_ends_with_its_machine(self, open_lease: Open, clock: SetClock) -> None:
        """After another start of the machine its clock runs anew; nobody from before is alive."""
        clock.pass_time(DAY)
        open_lease(clock).acquire("laptop:1", "store-1", TTL, now=clock.now())
        assert open_lease(SetClock()).acquire("laptop:2", "store-1", TTL, now=clock.now()).epoch == 2


class TestPostgresqlLease(Promises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def url(self, postgresql: str) -> str:
        return postgresql

    def test_a_holder_that_died_is_known_at_the_first_look(self, url: str, open_lease: Open, clock: SetClock) -> None:
        """The server's clock is everybody's: its last beat is moved back instead of waiting."""
        open_lease(clock).acquire("laptop:1", "store-1", TTL, now=clock.now())
        with pytest.raises(Fenced):
            open_lease(clock).acquire("laptop:2", "store-1", TTL, now=clock.now())
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE lease_targets SET beat = beat - 30")
        assert open_lease(clock).acquire("laptop:2", "store-1", TTL, now=clock.now()).epoch == 2

    @pytest.mark.case("K-01")
    def test_who_has_moved_since_the_first_look_is_alive(self, url: str, open_lease: Open, clock: SetClock) -> None:
        """A server's clock that leaps does not beat what this process has seen itself."""
        holder, other = open_lease(clock), open_lease(clock)
        for _ in range(2):
            holder.acquire("laptop:1", "store-1", TTL, now=clock.now())
            with pytest.raises(Fenced):
                other.acquire("pod:1", "store-1", TTL, now=clock.now())
            clock.pass_time(TTL / 3)
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE lease_targets SET beat = beat - 86400")
        with pytest.raises(Fenced):
            other.acquire("pod:1", "store-1", TTL, now=clock.now())
        clock.pass_time(TTL)
        assert other.acquire("pod:1", "store-1", TTL, now=clock.now()).epoch == 2
