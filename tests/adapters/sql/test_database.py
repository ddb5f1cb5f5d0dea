"""Transactions: whole or not at all, and settings that the promises rest on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema_lease import PART

INSERT = text("INSERT INTO lease_targets VALUES (:target, '', '', 0, 0, '2026-03-01 12:00:00', 0, '', 0)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Return an empty database."""
    url = f"sqlite:///{tmp_path}/x.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    opened = Database(url, PART)
    yield opened
    opened.close()


def targets(database: Database) -> list[str]:
    """Return what is stored."""
    return list(database.read(lambda connection: connection.scalars(text("SELECT target FROM lease_targets")).all()))


def pragma(connection: Connection, name: str) -> Any:
    """Return a setting of SQLite."""
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """Any exception takes back all that was done, and comes through as it is."""

    def work(connection: Connection) -> None:
        connection.execute(INSERT, {"target": "one"})
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        database.write(work)
    database.write(lambda connection: connection.execute(INSERT, {"target": "two"}))
    assert targets(database) == ["two"]


def test_a_reader_sees_one_moment(database: Database) -> None:
    """What is committed while it reads belongs to another moment."""

    def work(connection: Connection) -> tuple[int, int]:
        count = text("SELECT count(*) FROM lease_targets")
        before = connection.execute(count).scalar_one()
        database.write(lambda other: other.execute(INSERT, {"target": "one"}))
        return before, connection.execute(count).scalar_one()

    assert database.read(work) == (0, 0)
    assert targets(database) == ["one"]


def test_a_closed_database_opens_again(database: Database) -> None:
    """Closing gives connections back; who comes later gets new ones."""
    database.close()
    assert targets(database) == []


def test_sqlite_is_set_up_for_safety(tmp_path: Path) -> None:
    """A commit of the state store is on the disk; readers do not block the writer; no trust in what a file says of itself."""
    names = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema")
    durable = Database(f"sqlite:///{tmp_path}/one.db", PART)
    assert durable.read(lambda connection: [pragma(connection, name) for name in names]) == ["wal", 2, 1, 0]
    durable.close()
    registry = Database(f"sqlite:///{tmp_path}/two.db", PART, durable=False)
    assert registry.read(lambda connection: pragma(connection, "synchronous")) == 1
    registry.close()


def test_postgresql_has_deadlines(postgresql: str) -> None:
    """No statement and no lock is waited for without end; what the URL sets itself stands."""
    names = ("statement_timeout", "lock_timeout", "application_name")
    plain, own = Database(postgresql, PART), Database(f"{postgresql}?application_name=mine", PART)
    show = [text(f"SHOW {name}") for name in names]
    assert plain.read(lambda connection: [connection.scalar(one) for one in show]) == ["30s", "10s", "mesh-reconciler"]
    assert own.read(lambda connection: [connection.scalar(one) for one in show]) == ["30s", "10s", "mine"]
    plain.close()
    own.close()
