"""Hear of changes that any process makes in a database, without asking a server again and again.

PostgreSQL tells by itself: one connection listens (not through pgBouncer's transaction pooling, which swallows that). A SQLite
file is on this machine: its header is looked at several times a second (`PRAGMA data_version`: microseconds, no lock).
"""

import logging
import os
import select
import threading
from sqlite3 import Error as SqliteError
from typing import Any, Protocol

from reconciler.adapters.sql.database import Database
from reconciler.errors import ReconcilerError

log = logging.getLogger(__name__)

#: Seconds between looks at a SQLite file, and between attempts to listen again after the connection was lost.
LOOK, LISTEN_AGAIN = 0.25, 2.0


class Changed(Protocol):
    """Called when something changed (`certain`), or may have: any write to a SQLite file, a time in which nobody listened."""

    def __call__(self, *, certain: bool) -> None: ...


class Watch:
    """One thread that listens to one channel for messages of one topic, and calls `changed` from there, until `close`."""

    def __init__(self, database: Database, channel: str, topic: str, changed: Changed) -> None:
        self._database, self._channel, self._topic, self._changed = database, channel, topic, changed
        self._listening = threading.Event()
        self._stopping = threading.Event()
        self._awake, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"watch {channel}", daemon=True)
        self._thread.start()

    @property
    def tells_all(self) -> bool:
        """True while `changed` is called at once for every change: nobody who waits for it need ask."""
        return self._listening.is_set() and not self._database.is_sqlite

    def close(self) -> None:
        """Stop listening; no call of `changed` begins after it, except where it is one of them that closes."""
        os.write(self._wake, b"x")
        self._stopping.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        errors: tuple[type[Exception], ...] = (ReconcilerError, SqliteError, OSError, *_driver_errors(self._database))
        while not self._stopping.is_set():
            try:
                with self._database.raw() as connection:
                    if self._database.is_sqlite:
                        self._look(connection)
                    else:
                        self._listen(connection.dbapi_connection)
            except errors as error:
                log.warning("%s: watch: %s", self._database.location.shown, type(error).__name__)
            finally:
                self._listening.clear()
            self._stopping.wait(LISTEN_AGAIN)
        os.close(self._awake)
        os.close(self._wake)

    def _look(self, connection: Any) -> None:
        cursor = connection.cursor()
        seen = None
        while not self._stopping.is_set():
            version = cursor.execute("PRAGMA data_version").fetchone()
            if version != seen:
                self._changed(certain=False)
            seen = version
            self._stopping.wait(LOOK)

    def _listen(self, connection: Any) -> None:
        connection.autocommit = True
        connection.execute(f"LISTEN {self._channel}")
        self._changed(certain=False)
        self._listening.set()
        while not self._stopping.is_set():
            select.select([connection.fileno(), self._awake], [], [])
            if any(heard.payload == self._topic for heard in connection.notifies(timeout=0)) and not self._stopping.is_set():
                self._changed(certain=True)


def _driver_errors(database: Database) -> tuple[type[Exception], ...]:
    if database.is_sqlite:
        return ()
    import psycopg

    return (psycopg.Error,)
