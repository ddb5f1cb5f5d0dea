"""One database, used through transactions: each of them happened or did not, and its caller knows which.

A transaction is a function of a connection; it may be run more than once until it succeeds, so it must not have effects of
its own. A failure before the commit certainly changed nothing: on PostgreSQL (restart, failover, serialization) it is tried
again for a few seconds. A failure of the commit itself is not, since nobody knows whether it happened: Unavailable, and the
caller reads back.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar, cast

import stamina
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from reconciler.adapters.sql.errors import Interrupted, translated
from reconciler.adapters.sql.files import secure
from reconciler.adapters.sql.location import Location, locate
from reconciler.adapters.sql.migrate import ensure_schema, is_current
from reconciler.adapters.sql.schema import Part
from reconciler.errors import Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)
# We say ourselves what is tried again, not stamina to all the world.
stamina.instrumentation.set_on_retry_hooks(())

#: Seconds: how long a lock is waited for, how long an interrupted transaction is tried again, how long one statement may take.
LOCK_WAIT, TRY_AGAIN, STATEMENT = 10.0, 5.0, 30.0
CONNECTIONS = 16

#: libpq's own deadlines (https://www.postgresql.org/docs/current/libpq-connect.html), for what the URL does not set itself.
_POSTGRESQL_DEFAULTS: dict[str, Any] = {
    "application_name": "mesh-reconciler",
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "options": f"-c statement_timeout={STATEMENT:.0f}s -c lock_timeout={LOCK_WAIT:.0f}s "
    "-c idle_in_transaction_session_timeout=60s",
}


class Database:
    """A database with the tables of one part.

    `durable` decides for SQLite whether a commit survives a power cut (it always survives a kill of the process); PostgreSQL
    is configured by its owner. The constructor checks URL and file (InvalidInput); the server is first asked when it is first
    needed, so that a program can start while its database does not answer.
    """

    def __init__(self, url: str, part: Part, *, durable: bool = True) -> None:
        self.location = locate(url)
        self._part = part
        if self.location.path is not None:
            secure(self.location.path)
            self._engine = _sqlite_engine(self.location, durable=durable)
        else:
            self._engine = _postgresql_engine(self.location)
        self._writing = self._engine.execution_options(immediate=True)
        self._reading = self._engine if self.is_sqlite else self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._current = False
        self._opening = threading.Lock()
        # SQLite's own queue is a poll with growing pauses; threads of one process are quicker to line up here.
        self._turn = threading.Lock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        return self.location.path is not None

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that only reads; it sees one moment. Raises Unavailable."""
        return self._run(self._reading, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction that writes; on SQLite it has the database for itself. Raises Unavailable.

        An IntegrityError of SQLAlchemy comes through untranslated: only the caller knows what it means.
        """
        return self._run(self._writing, work)

    def insert(self, table: Table) -> sqlite.Insert:
        """Return an INSERT that knows ON CONFLICT, which both databases write alike."""
        if self.is_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return cast("sqlite.Insert", postgresql.insert(table))

    @contextmanager
    def raw(self) -> Iterator[PoolProxiedConnection]:
        """Lend a driver's connection without a transaction, for watches; it is closed afterwards. Raises Unavailable."""
        self._ensure()
        connection = None
        try:
            connection = self._engine.raw_connection()
            connection.detach()
            yield connection
        except SQLAlchemyError as error:
            raise self._translated(error) from error
        finally:
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Close all connections; the next use opens new ones."""
        self._engine.dispose()

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        if self.is_sqlite:
            return self._once(engine, work)
        attempts = stamina.retry_context(
            on=Interrupted, attempts=None, timeout=TRY_AGAIN, wait_initial=0.05, wait_max=0.5, wait_jitter=0.1
        )
        for attempt in attempts:
            if attempt.num > 1:
                log.debug("%s: the transaction was interrupted, try %d", self.location.shown, attempt.num)
            with attempt:
                return self._once(engine, work)
        raise AssertionError("unreachable: the last attempt raises")

    def _once(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        self._ensure()
        with self._turn_to_write(engine):
            return self._transaction(engine, work)

    def _transaction(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        committing = False
        try:
            with engine.connect() as connection, connection.begin() as transaction:
                result = work(connection)
                committing = True
                transaction.commit()
                return result
        except SQLAlchemyError as error:
            raise self._translated(error, committing=committing) from error

    @contextmanager
    def _turn_to_write(self, engine: Engine) -> Iterator[None]:
        if self._turn is None or engine is not self._writing:
            yield
            return
        if not self._turn.acquire(timeout=LOCK_WAIT):
            raise Unavailable(f"{self.location.shown}: another thread holds it")
        try:
            yield
        finally:
            self._turn.release()

    def _ensure(self) -> None:
        with nullcontext() if self._current else self._opening:
            if not self._current:
                self._current = self._transaction(self._reading, self._is_current)
            if not self._current:
                self._transaction(self._writing, lambda connection: ensure_schema(connection, self._part, self.location.shown))
                self._current = True

    def _is_current(self, connection: Connection) -> bool:
        return is_current(connection, self._part, self.location.shown)

    def _translated(self, error: SQLAlchemyError, *, committing: bool = False) -> Exception:
        return translated(error, self.location, committing=committing) or error


def _sqlite_engine(location: Location, *, durable: bool) -> Engine:
    engine = create_engine(
        location.url, pool_size=CONNECTIONS, pool_timeout=LOCK_WAIT, hide_parameters=True, connect_args={"timeout": LOCK_WAIT}
    )
    settings = {
        "synchronous": "FULL" if durable else "NORMAL",
        "foreign_keys": "ON",
        "trusted_schema": "OFF",
        "journal_size_limit": str(64 * 1024 * 1024),
    }

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver would begin transactions late and not at all around DDL; with None we begin them, below.
        connection.isolation_level = None
        _use_write_ahead_log(connection)
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name}={value}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later can fail half way; writers queue before they read.
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _use_write_ahead_log(connection: Any) -> None:
    """Switch the file to WAL, once in its life.

    Two that switch a new file at the same time would wait for each other, so SQLite turns one away at once, without the wait
    that all other locks get (https://www.sqlite.org/c3ref/busy_handler.html); that one tries again.
    """
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        return
    for attempt in stamina.retry_context(on=_is_busy, attempts=None, timeout=LOCK_WAIT, wait_initial=0.01, wait_max=0.1):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL").close()


def _is_busy(error: Exception) -> bool:
    return str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def _postgresql_engine(location: Location) -> Engine:
    return create_engine(
        location.url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=LOCK_WAIT,
        hide_parameters=True,
        connect_args={name: value for name, value in _POSTGRESQL_DEFAULTS.items() if name not in location.url.query},
    )
