"""What a database said no with -> what the caller does next. Messages carry no statement, no parameter and no secret."""

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from reconciler.adapters.sql.location import Location
from reconciler.errors import InvalidInput, ReconcilerError, Rejected, SetupCode, Unavailable

#: SQLSTATEs after which the same transaction may simply be run again: serialization failure, deadlock.
AGAIN = frozenset({"40001", "40P01"})

#: Primary result codes of SQLite, https://www.sqlite.org/rescode.html.
_SQLITE = {
    "SQLITE_FULL": "the disk is full; make room, nothing is lost",
    "SQLITE_IOERR": "the disk gave an input/output error",
    "SQLITE_READONLY": "the file or its folder is read-only",
    "SQLITE_BUSY": "another process holds it",
    "SQLITE_LOCKED": "another process holds it",
    "SQLITE_CORRUPT": "the file is damaged; restore it from a backup, or take it away and run `reconciler recover`",
    "SQLITE_NOTADB": "the file is not a SQLite database",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_NOMEM": "there is not enough memory",
}


class Interrupted(Unavailable):
    """The transaction certainly did not happen, and the same one may be tried again at once."""


def translated(error: SQLAlchemyError, location: Location, *, committing: bool) -> ReconcilerError | None:
    """Return the error to raise, None where it is a bug of ours.

    `committing`: the failure came with the commit, so that nobody knows whether it happened; it is never Interrupted then.
    """
    if isinstance(error, PoolTimeout):
        return Unavailable(f"{location.shown}: all connections are busy")
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return None
    if location.path is not None:
        return _sqlite(error, location)
    return _postgresql(error, location, committing=committing)


def _sqlite(error: DBAPIError, location: Location) -> ReconcilerError | None:
    name = getattr(error.orig, "sqlite_errorname", "")
    for code, words in _SQLITE.items():
        if name.startswith(code):
            return Unavailable(f"{location.shown}: {words}")
    return None


def _postgresql(error: DBAPIError, location: Location, *, committing: bool) -> ReconcilerError | None:
    state = getattr(error.orig, "sqlstate", None) or ""
    text = f"{location.shown}: {location.redacted(_first_line(error))}"
    if committing:
        return Unavailable(text)
    if state in AGAIN or error.connection_invalidated or not state:
        return Interrupted(text)
    match state[:2]:
        case "08" | "53" | "57" | "58":  # connection, resources, operator's intervention, system error
            return Interrupted(text) if state.startswith(("08", "57P")) else Unavailable(text)
        case "25" | "55":  # read-only transaction (a standby), a lock not to be had
            return Unavailable(text)
        case "28":
            return InvalidInput(text, code=SetupCode.DATABASE_RIGHTS)
        case "22":
            return Rejected(text, status=422)
    if state == "42501":
        return InvalidInput(f"{text}; grant this user what it needs on the database", code=SetupCode.DATABASE_RIGHTS)
    return None


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).splitlines()
    return lines[0] if lines else type(error.orig).__name__
