"""The store on SQLite and on PostgreSQL keeps the promises of the port, through kills, full disks and lost connections."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from reconciler.adapters.store_sql import SqlStore
from reconciler.core.resources import Revision
from reconciler.errors import Unavailable
from reconciler.ports import JournalEntry, Store
from tests.contracts.rollouts import RolloutContract
from tests.contracts.store import ENTRY, NOON, SERVICE, StoreContract, document, done, intent
from tests.real.postgresql import PostgreSQLProcess
from tests.real.report import needed
from tests.waiting import SOON, becomes

PROJECT = Path(__file__).parents[2]


class Promises(StoreContract, RolloutContract):
    """The contracts, and what only a store in a database can promise. Derive from it with a fixture `url`."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        store = SqlStore(url, "production")
        yield store
        store.close()

    @pytest.fixture
    def small(self, url: str) -> Iterator[Store]:
        store = SqlStore(url, "small", memories=3)
        yield store
        store.close()

    def test_it_outlives_its_connection(self, store: Store, url: str) -> None:
        """Another process finds the same id, journal and documents."""
        entries = store.intend([intent(after=document()), intent(SERVICE)])
        store.settle(done(entries[:1]))
        again = SqlStore(url, "production")
        assert (again.id, again.generation) == (store.id, store.generation)
        assert again.unsettled() == entries[1:]
        assert again.written() == {ENTRY: document()}
        again.close()

    def test_targets_have_stores_of_their_own(self, store: Store, url: str) -> None:
        """Two targets in one database share nothing, their numbers included."""
        other = SqlStore(url, "staging")
        entries = store.intend([intent(after=document())])
        others = other.intend([intent(after=document(weight=9))])
        assert other.id != store.id
        assert entries[0].id == others[0].id
        store.settle(done(entries))
        assert other.unsettled() == others
        assert other.written() == {}
        assert other.inventory() == frozenset()
        other.close()

    def test_a_store_gets_one_id_however_many_open_it_first(self, url: str) -> None:
        """Six at once find or make the same row, and the tables are made once."""
        barrier = threading.Barrier(6)
        ids: list[str] = []

        def open_it() -> None:
            store = SqlStore(url, "production")
            barrier.wait()
            ids.append(store.id)
            store.close()

        threads = [threading.Thread(target=open_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ids) == 6
        assert len(set(ids)) == 1

    @pytest.mark.case("S-03")
    @pytest.mark.parametrize("seed", range(3))
    def test_a_kill_at_any_moment_leaves_exactly_what_is_open(self, url: str, tmp_path: Path, seed: int) -> None:
        """Whatever reached the cluster is settled or open; whatever was said to be settled is; nothing else is there."""
        SqlStore(url, "production").close()
        cluster = tmp_path / "cluster"
        told = killed_writer(url, cluster, random.Random(seed).uniform(0.02, 0.3))
        store = SqlStore(url, "production")
        still_open, written = {entry.id for entry in store.unsettled()}, store.written()
        sent = {int(line.split()[0]): line.split()[1] for line in cluster.read_text().splitlines()}
        settled = {number for number, name in sent.items() if {"n": name} in written.values()}
        assert told["settled"] <= settled
        assert told["intended"] <= settled | still_open
        assert sent.keys() <= settled | still_open
        assert not settled & still_open
        assert len(still_open) <= 5
        # What was read back after the start is settled once, and then nothing is open.
        store.settle([replace(entry, outcome="done", ended=NOON) for entry in store.unsettled()])
        assert store.unsettled() == []
        assert store.written().keys() == store.inventory() & store.written().keys()
        store.close()

    @pytest.mark.case("C-01")
    @pytest.mark.parametrize("seed", range(2))
    def test_a_kill_in_the_middle_of_a_save_leaves_all_of_it_or_nothing(self, url: str, seed: int) -> None:
        """Rollout, evidence, handled command and refusal are always of one and the same step, and what was told is there."""
        SqlStore(url, "production").close()
        told = len(killed(["tests.adapters.rollout_writer", url], "saved", random.Random(seed).uniform(0.02, 0.3)))
        store = SqlStore(url, "production")
        kept = store.rollouts.get("r0")
        assert kept is not None
        assert told <= kept.step <= told + 1
        steps = [one.step for one in store.rollouts.evidence("r0", limit=10_000)]
        assert steps == [number for number in range(1, kept.step + 1) for _ in range(2)]
        assert [one.reason for one in store.rollouts.refusals()] == [str(kept.step)]
        assert kept.turn == kept.step
        assert [one.id for one in store.rollouts.commands()] in ([], [f"c{kept.step + 1}"])
        store.close()


def killed_writer(url: str, cluster: Path, seconds: float) -> dict[str, set[int]]:
    """Kill a writer so long after its first write; returns the numbers that it said it had intended and settled."""
    told: dict[str, set[int]] = {"intended": set(), "settled": set()}
    for line in killed(["tests.adapters.journal_writer", url, str(cluster)], "intended", seconds):
        what, number = line.split()
        told[what].add(int(number))
    return told


def killed(module: list[str], first: str, seconds: float) -> list[str]:
    """Kill a process so long after its first line, which begins with a word; returns all lines."""
    writer = subprocess.Popen([sys.executable, "-m", *module], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    lines = [writer.stdout.readline()]
    assert lines[0].startswith(first)
    killer = threading.Timer(seconds, os.kill, (writer.pid, signal.SIGKILL))
    killer.start()
    lines += writer.stdout.readlines()
    assert writer.wait(SOON) == -signal.SIGKILL
    writer.stdout.close()
    return lines


class TestSqliteStore(Promises):
    """On SQLite."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/state/state.db"

    @pytest.mark.case("S-01")
    def test_a_disk_that_takes_no_more_stores_nothing_and_recovers(self, url: str) -> None:
        """The journal refuses, so nothing is sent; with room again the same process goes on."""
        answer = subprocess.run(
            [sys.executable, "-m", "tests.adapters.full_disk", url],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert answer.stdout.splitlines() == ["stored 1", "refused: the disk gave an input/output error", "stored 2", "open 3"]

    @pytest.mark.case("S-04")
    def test_a_store_put_back_to_yesterday_is_behind(self, url: str) -> None:
        """Same id, lower generation: that is how its lease finds out."""
        store = SqlStore(url, "production")
        store.accept(Revision("a" * 40))
        store.close()
        file = Path(url.removeprefix("sqlite:///"))
        yesterday = file.read_bytes()
        today = SqlStore(url, "production")
        today.settle(done(today.intend([intent(after=document())])))
        known = (today.id, today.generation)
        today.close()
        file.write_bytes(yesterday)
        restored = SqlStore(url, "production")
        assert restored.id == known[0]
        assert restored.generation < known[1]
        restored.close()


class TestPostgresqlStore(Promises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def url(self, postgresql: str) -> str:
        return postgresql

    @pytest.mark.case("S-02")
    def test_a_connection_lost_between_two_calls_is_replaced(self, url: str, store: Store) -> None:
        """Every pooled connection dies; the next call happens, once."""
        for number in range(5):
            entries = store.intend([intent(after=document(weight=number))])
            execute(url, CUT_OTHERS)
            store.settle(done(entries))
            execute(url, CUT_OTHERS)
        assert store.unsettled() == []
        assert store.generation == 5

    @pytest.mark.case("S-02")
    def test_a_connection_lost_inside_a_transaction_is_tried_again(self, url: str, store: Store) -> None:
        """The first attempt dies in its middle and leaves nothing behind; the second one happens."""
        store.intend([intent()])
        execute(url, DIE_ONCE)
        entries = store.intend([intent(after=document()), intent(SERVICE)])
        assert store.unsettled()[1:] == entries

    @pytest.mark.case("S-02")
    def test_a_commit_without_an_answer_is_not_tried_again(self, url: str, store: Store) -> None:
        """Nobody knows then: Unavailable, and what is stored is all or nothing."""
        entries = store.intend([intent(after=document())])
        execute(url, DIE_AT_COMMIT)
        with pytest.raises(Unavailable, match="test_"):
            store.intend([intent(SERVICE), intent(SERVICE)])
        execute(url, "DROP TRIGGER die ON state_journal")
        assert store.unsettled() == entries

    @pytest.mark.case("S-02")
    def test_writers_that_block_each_other_for_ever_are_told(self, url: str, store: Store) -> None:
        """A lock that somebody else never gives back ends in Unavailable, not in silence."""
        store.intend([intent()])
        with psycopg.connect(f"{url}") as connection:
            connection.execute("SET LOCAL lock_timeout = '1s'")
            connection.execute("LOCK TABLE state_journal IN ACCESS EXCLUSIVE MODE")
            impatient = SqlStore(f"{url}?options=-c%20lock_timeout%3D200ms", "production")
            with pytest.raises(Unavailable, match="lock"):
                impatient.unsettled()
            impatient.close()


@pytest.mark.case("S-02")
@pytest.mark.real
@pytest.mark.filterwarnings("ignore:XDG_RUNTIME_DIR is not set")  # the wheel's own folder for locks
def test_a_restart_of_the_server_costs_nothing_that_was_stored(tmp_path: Path) -> None:
    """Calls during it succeed late or say Unavailable; the journal holds what was answered, and only whole batches."""
    with needed("PostgreSQL"):
        server = PostgreSQLProcess(tmp_path / "server")
    store = SqlStore(server.start(), "production")
    answered: set[int] = set()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with suppress(Unavailable):
                entries = store.intend([intent(after=document()), intent(SERVICE)])
                store.settle(done(entries))
                answered.update(entry.id for entry in entries)

    writer = threading.Thread(target=write)
    try:
        writer.start()
        for _ in range(2):
            server.stop()
            server.start()
            wait_for_more_than(answered, len(answered))
        stop.set()
        writer.join()
        still_open = [entry.id for entry in store.unsettled()]
        assert not answered.intersection(still_open)
        assert len(still_open) % 2 == 0
        assert store.generation >= len(answered) // 2
        store.close()
    finally:
        stop.set()
        writer.join()
        server.stop()


def wait_for_more_than(answered: set[int], seen: int) -> None:
    """Return as soon as another thread has been answered again."""
    assert becomes(lambda: len(answered) > seen)


CUT_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
#: The first statement that writes to the journal ends its own connection; a sequence survives its rollback.
DIE_ONCE = """
    CREATE SEQUENCE attempts;
    CREATE FUNCTION die() RETURNS trigger AS $$
    BEGIN
        IF nextval('attempts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF;
        RETURN NULL;
    END $$ LANGUAGE plpgsql;
    CREATE TRIGGER die AFTER INSERT ON state_journal FOR EACH STATEMENT EXECUTE FUNCTION die();
"""
DIE_AT_COMMIT = """
    CREATE FUNCTION die() RETURNS trigger AS $$
    BEGIN
        PERFORM pg_terminate_backend(pg_backend_pid());
        PERFORM pg_sleep(1);
        RETURN NULL;
    END $$ LANGUAGE plpgsql;
    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON state_journal
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die();
"""


def execute(url: str, statements: str) -> None:
    """Run statements over a connection of the test's own."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())


def test_twelve_hundred_intents_are_one_transaction(tmp_path: Path) -> None:
    """A batch of any size is whole: all its numbers follow each other."""
    store = SqlStore(f"sqlite:///{tmp_path}/state.db", "production")
    entries: list[JournalEntry] = store.intend([intent(after=document(weight=number)) for number in range(1_200)])
    assert [entry.id for entry in entries] == list(range(1, 1_201))
    store.settle(done(entries))
    assert store.generation == 1
    assert store.written() == {ENTRY: document(weight=1_199)}
    store.close()
