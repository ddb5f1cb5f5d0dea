"""A cache on disk: what parsing made of each blob, and small named values. It may be deleted at any time.

Each value is kept with a digest: one that was damaged is not found, and is made anew. A damaged file is made anew as a whole;
where the disk refuses, there is no cache this time. Several processes may use one file (SQLite's write-ahead log).
"""

import hashlib
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TypeVar

from reconciler.errors import InvalidInput, SetupCode

T = TypeVar("T")

#: Names in one query; old SQLite libraries allow 999 variables.
_BATCH = 900
#: Openings after which a value that is used again is marked as used again: most runs then write next to nothing.
_COARSE = 8
#: A full cache is emptied, oldest use first, down to this part of its bound.
_LOW_WATER = 0.75
#: What SQLite says of a damaged file, and (ERROR) of one with other tables than ours.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    name TEXT PRIMARY KEY, size INTEGER NOT NULL, used INTEGER NOT NULL, digest BLOB NOT NULL, value BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS opened (times INTEGER NOT NULL);
INSERT INTO opened SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM opened);
UPDATE opened SET times = times + 1
"""


class SqliteCache:
    """Keeps values by name, at most `max_bytes` of them; those unused for longest go first.

    `version` names what a value depends on beside its name: values of another version are not seen. Raises InvalidInput where
    the file is not safe to use.
    """

    def __init__(self, path: Path, *, version: str, max_bytes: int = 256 * 1024 * 1024) -> None:
        self._path, self._max_bytes = path, max_bytes
        self._prefix = hashlib.blake2b(version.encode(), digest_size=6).hexdigest() + " "
        self._lock = Lock()
        self._now = 0
        self._connection: sqlite3.Connection | None = None
        self._do(lambda _: None, None)

    def get(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the values that are there, by name."""
        return self._do(lambda connection: self._get(connection, ids), {})

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep values; those of the same names are replaced."""
        if entries:
            self._do(lambda connection: self._put(connection, entries), None)

    def recall(self, name: str) -> bytes | None:
        """Return one named value (a folder's index, a finished result)."""
        return self.get([name]).get(name)

    def remember(self, name: str, value: bytes) -> None:
        """Keep one named value."""
        self.put({name: value})

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _do(self, action: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Run an action; a damaged file is made anew, and any other refusal means that there is no cache this time."""
        with self._lock:
            try:
                return action(self._connected())
            except sqlite3.Error as error:
                damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED
            except OSError:
                damaged = False
            self._disconnect()
            if damaged:
                for suffix in ("", "-wal", "-shm"):
                    with suppress(OSError):
                        Path(f"{self._path}{suffix}").unlink()
            return otherwise

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            _secure(self._path)
            self._connection = sqlite3.connect(self._path, timeout=5, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)
            (self._now,) = self._connection.execute("SELECT times FROM opened").fetchone()
            self._connection.execute("COMMIT")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _get(self, connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        stale: list[str] = []
        wanted = iter(names)
        while batch := [self._prefix + name for name in islice(wanted, _BATCH)]:
            marks = ",".join("?" * len(batch))
            query = f"SELECT name, used, digest, value FROM entry WHERE name IN ({marks})"  # noqa: S608 - question marks only
            for full_name, used, digest, value in connection.execute(query, batch):
                if digest == _digest(full_name, value):
                    found[full_name[len(self._prefix) :]] = value
                    if used < self._now - _COARSE:
                        stale.append(full_name)
        if stale:
            self._write(connection, "UPDATE entry SET used = ? WHERE name = ?", [(self._now, name) for name in stale])
        return found

    def _put(self, connection: sqlite3.Connection, values: Mapping[str, bytes]) -> None:
        rows = []
        for name, value in values.items():
            full_name = self._prefix + name
            rows.append((full_name, len(value), self._now, _digest(full_name, value), value))
        self._write(connection, "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)", rows)

    def _write(self, connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, rows)
        self._shrink(connection)
        connection.execute("COMMIT")

    def _shrink(self, connection: sqlite3.Connection) -> None:
        (total,) = connection.execute("SELECT coalesce(sum(size), 0) FROM entry").fetchone()
        if total <= self._max_bytes:
            return
        dropped = []
        for rowid, size in connection.execute("SELECT rowid, size FROM entry ORDER BY used, rowid"):
            if total <= self._max_bytes * _LOW_WATER:
                break
            total -= size
            dropped.append((rowid,))
        connection.executemany("DELETE FROM entry WHERE rowid = ?", dropped)


def _digest(name: str, value: bytes) -> bytes:
    return hashlib.blake2b(name.encode() + b"\0" + value, digest_size=16).digest()


def _secure(path: Path) -> None:
    """Make folder (0700) and file (0600) where they are missing, and see that both are ours alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    for place, forbidden in ((path.parent, 0o022), (path, 0o077)):
        found = os.lstat(place)
        if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & forbidden:
            raise InvalidInput(
                f"the cache {place} is a symlink, belongs to another user or is open to others: remove it",
                code=SetupCode.CACHE_FILE,
            )
