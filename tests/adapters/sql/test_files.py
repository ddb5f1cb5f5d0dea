"""SQLite files are ours alone, or not used."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import Connection

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.files import secure
from reconciler.adapters.sql.schema_state import PART
from reconciler.errors import InvalidInput


def nothing(_connection: Connection) -> None:
    """Open the database, and that is all."""


def mode(path: Path) -> int:
    """Return the permissions of a path."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_file_is_made_for_us_alone(tmp_path: Path) -> None:
    """File 0600 in a folder 0700, whatever the umask says; what is there is left as it is."""
    path = tmp_path / "new" / "state.db"
    old = os.umask(0)
    try:
        secure(path)
    finally:
        os.umask(old)
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    path.write_bytes(b"content")
    secure(path)
    assert path.read_bytes() == b"content"


def test_side_files_are_ours_alone_too(tmp_path: Path) -> None:
    """What SQLite writes beside the file holds the same secrets."""
    database = Database(f"sqlite:///{tmp_path}/state.db", PART)
    database.read(nothing)
    modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    database.close()


@pytest.mark.case("S-09")
@pytest.mark.parametrize("bits", [0o640, 0o604, 0o666, 0o620])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, bits: int) -> None:
    """The message says how to close it."""
    path = tmp_path / "state.db"
    path.touch()
    path.chmod(bits)
    with pytest.raises(InvalidInput, match="chmod go="):
        secure(path)


@pytest.mark.case("S-09")
@pytest.mark.parametrize("bits", [0o720, 0o702, 0o1777])
def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path, bits: int) -> None:
    """Somebody else could put another file in its place."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(bits)
    with pytest.raises(InvalidInput, match="chmod go-w"):
        secure(folder / "state.db")
    assert not (folder / "state.db").exists()


@pytest.mark.case("S-09")
def test_symlinks_are_refused(tmp_path: Path) -> None:
    """As a file, dangling or not, and as the folder; nothing is made behind them."""
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "real" / "state.db").touch(0o600)
    links = {"file.db": "real/state.db", "dangling.db": "nowhere", "folder": "real"}
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    for path in (tmp_path / "file.db", tmp_path / "dangling.db", tmp_path / "folder" / "state.db"):
        with pytest.raises(InvalidInput, match="is a symlink"):
            secure(path)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.case("S-09")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder or a pipe in its place."""
    (tmp_path / "folder.db").mkdir()
    os.mkfifo(tmp_path / "pipe.db", 0o600)
    for name in ("folder.db", "pipe.db"):
        with pytest.raises(InvalidInput, match="is not a regular file"):
            secure(tmp_path / name)


@pytest.mark.case("S-09")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_or_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Its owner could open it again at any time."""
    path = tmp_path / "folder" / "state.db"
    secure(path)
    os.chown(path, 65534, 65534)
    with pytest.raises(InvalidInput, match="belongs to user 65534"):
        secure(path)
    os.chown(path, 0, 0)
    os.chown(path.parent, 65534, 65534)
    with pytest.raises(InvalidInput, match="belongs to user 65534"):
        secure(path)
