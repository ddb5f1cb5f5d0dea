"""Writers that share a transaction each get their own answer."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema_lease import PART
from reconciler.adapters.sql.together import Together
from reconciler.errors import Conflict
from tests.waiting import SOON, becomes

INSERT = text("INSERT INTO lease_targets VALUES (:target, '', '', 0, 0, '2026-03-01 12:00:00', 0, '', 0)")

Work = Callable[[Connection], str]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Return an empty database."""
    opened = Database(f"sqlite:///{tmp_path}/x.db", PART)
    yield opened
    opened.close()


def _connection(connection: Connection) -> Connection:
    """Share nothing but the connection."""
    return connection


def insert(target: str) -> Work:
    """Return a work that inserts one row."""

    def work(connection: Connection) -> str:
        connection.execute(INSERT, {"target": target})
        return target

    return work


def conflict(_connection: Connection) -> str:
    """Decide against writing."""
    raise Conflict("too late")


def mistake(connection: Connection) -> str:
    """Write, and then fail as no work should."""
    connection.execute(INSERT, {"target": "mistake"})
    raise KeyError("a bug")


def run_together(database: Database, works: list[Work]) -> list[Future[str]]:
    """Run works that all wait for one that is under way, so that they go together."""
    together, first_is_in, go = Together(database, _connection), threading.Event(), threading.Event()

    def first(_connection: Connection) -> str:
        first_is_in.set()
        assert go.wait(SOON)
        return "first"

    with ThreadPoolExecutor(len(works) + 1) as threads:
        leader = threads.submit(together.write, first)
        assert first_is_in.wait(SOON)
        followers = [threads.submit(together.write, work) for work in works]
        assert becomes(lambda: len(together._queue) == len(works))
        go.set()
        assert leader.result() == "first"
    return followers


def stored(database: Database) -> set[str]:
    """Return what is in the table."""
    return set(database.read(lambda connection: connection.scalars(text("SELECT target FROM lease_targets")).all()))


def test_each_gets_its_own_result(database: Database) -> None:
    """Ten in one transaction."""
    answers = run_together(database, [insert(f"t-{number}") for number in range(10)])
    assert [answer.result() for answer in answers] == [f"t-{number}" for number in range(10)]
    assert len(stored(database)) == 10


def test_a_conflict_is_one_writer_s_own(database: Database) -> None:
    """The others' writes happen."""
    one, two, three = run_together(database, [insert("one"), conflict, insert("three")])
    assert (one.result(), three.result()) == ("one", "three")
    with pytest.raises(Conflict, match="too late"):
        two.result()
    assert stored(database) == {"one", "three"}


def test_a_bug_in_one_does_not_take_the_others_along(database: Database) -> None:
    """They are run again alone; what the bug had written is taken back."""
    one, two, three = run_together(database, [insert("one"), mistake, insert("three")])
    assert (one.result(), three.result()) == ("one", "three")
    with pytest.raises(KeyError, match="a bug"):
        two.result()
    assert stored(database) == {"one", "three"}
