"""What a database said no with becomes what the caller does next."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from psycopg import errors as postgresql_errors
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.errors import Interrupted, translated
from reconciler.adapters.sql.location import locate
from reconciler.adapters.sql.schema_state import PART
from reconciler.errors import InvalidInput, Rejected, Unavailable

FILE = locate("sqlite:////var/lib/state.db")
SERVER = locate("postgresql://ann:hunter2@db/mesh")


def wrapped(error: Exception, *, lost: bool = False) -> DBAPIError:
    """Return a driver's error as SQLAlchemy hands it on, with a statement and parameters that must not show."""
    return OperationalError("INSERT INTO t VALUES (?)", ("private",), error, connection_invalidated=lost)


def nothing(_connection: Connection) -> None:
    """Open the database, and that is all."""


def refused_by(path: Path, statement: str, *, limit_pages: bool = False, read_only: bool = False) -> sqlite3.Error:
    """Return the real error of a real SQLite."""
    connection = sqlite3.connect(f"file:{path}?mode={'ro' if read_only else 'rwc'}", uri=True, timeout=0)
    try:
        if limit_pages:
            connection.execute("PRAGMA max_page_count = 1")
        connection.execute(statement)
    except sqlite3.Error as error:
        return error
    finally:
        connection.close()
    raise AssertionError("nothing was refused")


@pytest.mark.case("S-01")
def test_sqlite_out_of_order_is_unavailable(tmp_path: Path) -> None:
    """A full disk, a read-only file, a file held by another process: wait, and nothing is lost."""
    path = tmp_path / "x.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN IMMEDIATE")
    cases = {
        "the disk is full": refused_by(tmp_path / "full.db", "CREATE TABLE t (x)", limit_pages=True),
        "read-only": refused_by(path, "INSERT INTO t VALUES (1)", read_only=True),
        "another process holds it": refused_by(path, "INSERT INTO t VALUES (1)"),
    }
    holder.close()
    for words, error in cases.items():
        unavailable = translated(wrapped(error), FILE, committing=True)
        assert isinstance(unavailable, Unavailable)
        assert words in str(unavailable)
        assert "private" not in str(unavailable)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    """Unavailable, since what it was before may come back from a backup; it is not touched."""
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    path.chmod(0o600)
    database = Database(f"sqlite:///{path}", PART)
    with pytest.raises(Unavailable, match="not a SQLite database"):
        database.read(nothing)
    database.close()
    assert path.read_bytes().startswith(b"not a database")


@pytest.mark.case("S-02")
@pytest.mark.parametrize(
    "error",
    [
        postgresql_errors.SerializationFailure("could not serialize"),
        postgresql_errors.DeadlockDetected("deadlock"),
        postgresql_errors.AdminShutdown("terminating connection"),
        postgresql_errors.CannotConnectNow("the database system is starting up"),
        postgresql_errors.ConnectionFailure("gone"),
        psycopg.OperationalError("connection refused"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_be_tried_again_is_not_after_a_commit(error: psycopg.Error) -> None:
    """Before the commit it certainly did not happen; with it nobody knows."""
    assert isinstance(translated(wrapped(error), SERVER, committing=False), Interrupted)
    unknown = translated(wrapped(error), SERVER, committing=True)
    assert isinstance(unknown, Unavailable)
    assert not isinstance(unknown, Interrupted)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (postgresql_errors.DiskFull("no space"), Unavailable),
        (postgresql_errors.LockNotAvailable("lock"), Unavailable),
        (postgresql_errors.QueryCanceled("statement timeout"), Unavailable),
        (postgresql_errors.ReadOnlySqlTransaction("standby"), Unavailable),
        (postgresql_errors.InvalidPassword("password hunter2 failed"), InvalidInput),
        (postgresql_errors.InsufficientPrivilege("permission denied for table"), InvalidInput),
        (postgresql_errors.StringDataRightTruncation("value too long"), Rejected),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_other_refusals_are_named_by_what_to_do(error: psycopg.Error, kind: type[Exception]) -> None:
    """Wait, change something, or take it as a no; a password never comes with it."""
    found = translated(wrapped(error), SERVER, committing=False)
    assert isinstance(found, kind)
    assert not isinstance(found, Interrupted)
    assert "hunter2" not in str(found)
    assert "private" not in str(found)


def test_bugs_stay_bugs() -> None:
    """A statement that makes no sense, or a constraint that nobody expected, is not hidden behind "unavailable"."""
    mistake = wrapped(postgresql_errors.UndefinedColumn("no such column"))
    assert translated(mistake, SERVER, committing=False) is None
    constraint = IntegrityError("INSERT", (), postgresql_errors.UniqueViolation("twice"))
    assert translated(constraint, SERVER, committing=False) is None
    assert translated(wrapped(sqlite3.OperationalError("no such column")), FILE, committing=False) is None


def test_too_many_at_once_is_unavailable() -> None:
    """All connections are lent out, and nobody gave one back in time."""
    assert isinstance(translated(PoolTimeout(), SERVER, committing=False), Unavailable)
