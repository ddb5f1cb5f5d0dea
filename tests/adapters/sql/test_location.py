"""URLs of databases: the accepted forms, and secrets that never show."""

from pathlib import Path

import pytest

from reconciler.adapters.sql.location import locate
from reconciler.errors import InvalidInput


def test_a_relative_and_an_absolute_file() -> None:
    """Three slashes are relative to the working folder, four are absolute; a change of folder later changes nothing."""
    assert locate("sqlite:///state/s.db").path == Path.cwd() / "state/s.db"
    assert locate("sqlite:////var/lib/s.db").path == Path("/var/lib/s.db")
    assert locate("sqlite:///~/s.db").path == Path.home() / "s.db"
    assert locate("sqlite:////var/lib/s.db").shown == "sqlite:////var/lib/s.db"


def test_a_server_is_shown_without_password_and_options() -> None:
    """User, host, port and name are enough to know which one it is."""
    location = locate("postgresql://ann:p%40ss@db.example:5433/mesh?sslmode=require&password=other")
    assert location.path is None
    assert location.shown == "postgresql://ann@db.example:5433/mesh"
    assert "p@ss" not in repr(location)
    assert location.url.drivername == "postgresql+psycopg"


def test_secrets_are_taken_out_of_foreign_texts() -> None:
    """In each spelling in which the URL may come back, those of options too."""
    location = locate("postgresql://ann:p%40ss%20word@db/mesh?sslpassword=key")
    text = location.redacted("failed: p@ss word, p%40ss%20word, p%40ss+word, key, db")
    assert text == "failed: ***, ***, ***, ***, db"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "state.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:state.db",
        "sqlite:///state.db?mode=ro",
        "sqlite://ann:secret@host/state.db",
        "mysql://ann:secret@host/mesh",
        "postgresql+asyncpg://ann:secret@host/mesh",
        "postgresql://ann:secret@host",
        "postgresql://ann:secret@host:port/mesh",
        "none",
    ],
)
def test_anything_else_is_refused_without_showing_it(url: str) -> None:
    """The message says what would be accepted."""
    with pytest.raises(InvalidInput, match="sqlite:///FILE") as refused:
        locate(url)
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
