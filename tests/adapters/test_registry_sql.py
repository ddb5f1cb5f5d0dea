"""The registry on SQLite and on PostgreSQL keeps the promises of the port, between processes too."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from reconciler.adapters.registry_sql import SqlRegistry
from reconciler.errors import Unavailable
from reconciler.ports import VMRegistry
from tests.contracts.clock import SetClock
from tests.contracts.registry import ServedContract, key, record
from tests.contracts.registry_model import RegistryModel
from tests.waiting import SOON, becomes

PROJECT = Path(__file__).parents[2]


class Promises(ServedContract):
    """The contract, and what only a registry in a database can promise. Derive from it with a fixture `url`."""

    @pytest.fixture
    def registry(self, url: str, clock: SetClock) -> Iterator[VMRegistry]:
        registry = SqlRegistry(url, "production", clock)
        yield registry
        registry.close()

    @pytest.fixture
    def second(self, url: str, clock: SetClock) -> Iterator[VMRegistry]:
        """Another process's view of the same registry, as far as the database can tell."""
        registry = SqlRegistry(url, "production", clock)
        yield registry
        registry.close()

    def test_it_outlives_its_connection(self, registry: VMRegistry, second: VMRegistry) -> None:
        """What one wrote the other reads, whole."""
        made = registry.put(record())
        assert second.observe().machines == {key(): made}
        assert second.observe().version == registry.observe().version

    def test_targets_do_not_see_each_other(self, url: str, registry: VMRegistry, clock: SetClock) -> None:
        """A record carries the target that wrote it: a name may exist in each, and no prune reaches across."""
        staging = SqlRegistry(url, "staging", clock)
        registry.put(record())
        assert staging.observe().machines == {}
        made = staging.put(record(address="10.0.0.9"))
        staging.delete(key(), uid=made.uid, resource_version="")
        assert registry.observe().machines.keys() == {key()}
        staging.close()

    def test_a_reader_that_was_away_for_long_reads_everything(self, url: str, second: VMRegistry, clock: SetClock) -> None:
        """Deletions are listed for a while only; who is further behind is not left with the dead."""
        writer = SqlRegistry(url, "production", clock, removals=3)
        made = [writer.put(record(f"vm-{number}")) for number in range(8)]
        assert len(second.observe().machines) == 8
        for live in made[:6]:
            writer.delete(live.key, uid=live.uid, resource_version="")
        assert second.observe().machines.keys() == {live.key for live in made[6:]}
        writer.close()

    def test_a_subscriber_hears_what_others_write(self, registry: VMRegistry, second: VMRegistry) -> None:
        """A change by another process calls it, and the next observation shows it."""
        told = threading.Event()
        registry.subscribe(told.set)
        registry.observe()
        second.put(record())
        assert told.wait(SOON)
        assert registry.observe().machines.keys() == {key()}

    def test_a_subscriber_is_left_alone_by_signs_of_life(self, registry: VMRegistry, second: VMRegistry) -> None:
        """Heartbeats without news, and writes of other targets to the same database, wake nobody."""
        second.put(record())
        second.report(key(), {"health": "healthy"})
        calls: list[float] = []
        registry.subscribe(lambda: calls.append(0))
        for _ in range(20):
            second.report(key(), {"health": "healthy"})
            time.sleep(0.05)  # noqa: TID251 - silence can only be waited for
        assert calls == []

    def test_a_bug_in_a_listener_silences_nobody(self, registry: VMRegistry, second: VMRegistry) -> None:
        """It is logged; the next listener and the next change are told all the same."""
        told = threading.Event()

        def fail() -> None:
            raise KeyError("a bug")

        registry.subscribe(fail)
        registry.subscribe(told.set)
        for number in range(2):
            second.put(record(f"vm-{number}"))
            assert told.wait(SOON)
            told.clear()

    @pytest.mark.case("V-03")
    def test_of_processes_that_create_one_name_at_once_one_wins(self, url: str, registry: VMRegistry) -> None:
        """Three processes create the same twenty names on an empty database: the tables and each name are made once."""
        command = [sys.executable, "-m", "tests.adapters.registry_racer", url, "20"]
        racers = [
            subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        answers = [racer.communicate("go\n", timeout=45)[0].split() for racer in racers]
        uids = [answer for lines in answers for answer in lines if answer != "conflict"]
        assert [len(lines) for lines in answers] == [20, 20, 20]
        assert sorted(uids) == sorted(live.uid for live in registry.observe().machines.values())
        assert len(uids) == 20


class TestSqliteRegistry(Promises):
    """On SQLite."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/registry.db"


class TestPostgresqlRegistry(Promises):
    """On a real PostgreSQL."""

    @pytest.fixture
    def url(self, postgresql: str) -> str:
        return postgresql

    def test_an_unchanged_registry_under_watch_is_asked_nothing(self, url: str, registry: VMRegistry) -> None:
        """While the watch is open, a pass in which nothing changed sends no statement: it would wait for this lock."""
        registry.put(record())
        registry.subscribe(lambda: None)
        wait_until_watching(registry)
        observed = registry.observe()
        with psycopg.connect(url) as connection:
            connection.execute("LOCK TABLE registry_targets, registry_machines IN ACCESS EXCLUSIVE MODE")
            assert registry.observe() is observed

    @pytest.mark.case("S-02")
    def test_a_watch_survives_the_loss_of_its_connection(self, url: str, registry: VMRegistry, second: VMRegistry) -> None:
        """All connections are cut; what changed meanwhile is told once the watch listens again."""
        told = threading.Event()
        registry.subscribe(told.set)
        wait_until_watching(registry)
        cut_connections(url)
        second.put(record())
        assert told.wait(SOON)
        assert registry.observe().machines.keys() == {key()}

    @pytest.mark.case("S-02")
    def test_writes_survive_a_cut_of_all_connections(self, url: str, registry: VMRegistry) -> None:
        """Connections that died in the pool are replaced; the write happens once."""
        registry.put(record())
        for number in range(5):
            cut_connections(url)
            registry.put(record(f"vm-new-{number}"))
        assert len(registry.observe().machines) == 6


def wait_until_watching(registry: VMRegistry) -> None:
    """Return once the registry's watch is open."""
    assert becomes(lambda: getattr(getattr(registry, "_watch", None), "tells_all", False)), "the watch did not open"
    registry.observe()


def cut_connections(url: str) -> None:
    """End every other connection to this database, as a restart of the server would."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_database_that_does_not_answer_is_unavailable(clock: SetClock) -> None:
    """Nothing is known then, and nobody's password is told."""
    registry = SqlRegistry("postgresql://ann:hunter2@127.0.0.1:9/registry?connect_timeout=1", "production", clock)
    with pytest.raises(Unavailable) as unavailable:
        registry.observe()
    assert "127.0.0.1:9/registry" in str(unavailable.value)
    assert "hunter2" not in str(unavailable.value)
    registry.close()


@pytest.fixture
def clock() -> SetClock:
    """A clock that stands still."""
    return SetClock()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_it_behaves_like_the_model(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Whatever people, VMs and late readers do in whichever order, the registry holds what the model says."""
    url = f"sqlite:///{tmp_path}/registry.db" if database == "sqlite" else request.getfixturevalue("postgresql")
    runs = iter(range(1_000_000))

    class Model(RegistryModel):
        def __init__(self) -> None:
            self.target = f"run-{next(runs)}"
            super().__init__()

        def connect(self) -> VMRegistry:
            return SqlRegistry(url, self.target, SetClock())

    run_state_machine_as_test(
        Model,
        settings=settings(deadline=None, max_examples=15, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow]),
    )
