"""Watches: what they tell, and that they end."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema_lease import PART
from reconciler.adapters.sql.watch import Watch
from tests.waiting import SOON

INSERT = text("INSERT INTO lease_targets VALUES ('t', '', '', 0, 0, '2026-03-01 12:00:00', 0, '', 0)")


class Heard:
    """Keeps what a watch tells."""

    def __init__(self) -> None:
        self._told: queue.Queue[bool] = queue.Queue()

    def __call__(self, *, certain: bool) -> None:
        self._told.put(certain)

    def next(self) -> bool:
        """Return what is told next."""
        return self._told.get(timeout=SOON)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """Return a SQLite database."""
    database = Database(f"sqlite:///{tmp_path}/x.db", PART)
    yield database
    database.close()


@pytest.fixture
def server(postgresql: str) -> Iterator[Database]:
    """Return a PostgreSQL database."""
    database = Database(postgresql, PART)
    yield database
    database.close()


def test_any_write_to_a_file_may_be_a_change(file: Database) -> None:
    """The watch cannot know what was written; whoever is told looks."""
    heard = Heard()
    watch = Watch(file, "news", "shop", heard)
    assert heard.next() is False
    file.write(lambda connection: connection.execute(INSERT))
    assert heard.next() is False
    assert not watch.tells_all
    watch.close()


def test_a_server_tells_of_one_topic(server: Database, postgresql: str) -> None:
    """First that somebody may have missed something, then only what is meant."""
    heard = Heard()
    watch = Watch(server, "news", "shop", heard)
    assert heard.next() is False
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("NOTIFY news, 'other'")
        connection.execute("NOTIFY gossip, 'shop'")
        connection.execute("NOTIFY news, 'shop'")
    assert heard.next() is True
    assert watch.tells_all
    watch.close()


def test_a_closed_watch_has_ended(file: Database) -> None:
    """No thread and no connection stays; closing does not wait for the next look."""
    before = threading.active_count()
    watch = Watch(file, "news", "shop", Heard())
    assert threading.active_count() == before + 1
    watch.close()
    assert threading.active_count() == before


def test_a_watch_may_be_closed_by_what_it_calls(file: Database) -> None:
    """Whoever is told may decide that it has heard enough."""
    closed = threading.Event()
    watches: list[Watch] = []
    made = threading.Event()

    def close(*, certain: bool) -> None:
        assert made.wait(SOON)
        watches[0].close()
        closed.set()

    watches.append(Watch(file, "news", "shop", close))
    made.set()
    assert closed.wait(SOON)


def test_a_watch_waits_for_a_server_that_is_not_there_yet(tmp_path: Path) -> None:
    """It starts without it, tells nothing, and ends when told to, even while it tries."""
    nowhere = Database("postgresql://ann@127.0.0.1:9/mesh?connect_timeout=1", PART)
    watch = Watch(nowhere, "news", "shop", Heard())
    assert not watch.tells_all
    watch.close()
    nowhere.close()
