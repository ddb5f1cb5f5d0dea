"""Database URLs as people give them: ``sqlite:///FILE``, ``sqlite:////ABSOLUTE/FILE``, ``postgresql://USER@HOST/NAME``."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from reconciler.errors import InvalidInput, SetupCode

FORMS = "sqlite:///FILE, sqlite:////ABSOLUTE/FILE or postgresql://USER@HOST/NAME"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a database is.

    `url` is for the engine only; people get `shown`, in which nothing is secret. `path` is the absolute path of a SQLite
    file, None for PostgreSQL.
    """

    url: URL = field(repr=False)
    shown: str
    path: Path | None = None

    def redacted(self, text: str) -> str:
        """Return a foreign text without the secrets of this URL, however they are written in it."""
        given = [self.url.password, *(self.url.query.get(name) for name in ("password", "sslpassword"))]
        for secret in (one for one in given if isinstance(one, str) and one):
            for written in sorted({secret, quote(secret), quote_plus(secret)}, key=len, reverse=True):
                text = text.replace(written, "***")
        return text


def locate(text: str) -> Location:
    """Return where a URL points. Raises InvalidInput, without showing the URL, where it is none of the accepted forms."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise _refused("it is not a URL") from None
    match url.drivername:
        case "sqlite":
            return _sqlite(url)
        case "postgresql":
            return _postgresql(url)
        case _:
            raise _refused("its scheme is neither sqlite nor postgresql")


def _sqlite(url: URL) -> Location:
    if url.username or url.password or url.host or url.port:
        raise _refused("a SQLite URL has three slashes and no host")
    if url.query or not url.database or url.database.startswith((":", "file:")):
        raise _refused("a SQLite URL names a file and nothing else")
    path = Path(url.database).expanduser().absolute()
    return Location(url.set(database=str(path)), f"sqlite:///{path}", path)


def _postgresql(url: URL) -> Location:
    if not url.database:
        raise _refused("it names no database")
    if find_spec("psycopg") is None:
        raise InvalidInput(
            "PostgreSQL needs its driver: install the extra with `pip install 'mesh-reconciler[postgresql]'`",
            code=SetupCode.DATABASE_DRIVER,
        )
    shown = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
    return Location(url.set(drivername="postgresql+psycopg"), shown.render_as_string())


def _refused(reason: str) -> InvalidInput:
    return InvalidInput(f"the database URL cannot be used: {reason}; write {FORMS}", code=SetupCode.DATABASE_URL)
