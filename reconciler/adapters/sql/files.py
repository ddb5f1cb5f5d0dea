"""SQLite files that nobody else can read or replace. SQLite gives its side files (-wal, -shm) the mode of the file itself."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

from reconciler.errors import InvalidInput, SetupCode, Unavailable


def secure(path: Path) -> None:
    """Make the file (0600) and its folder (0700) where they are missing; else see that they are ours alone.

    Raises InvalidInput for a symlink, another owner, a file that others may open, a folder that others may write to;
    Unavailable where the file system refuses.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(path.parent, stat.S_ISDIR, "a folder", 0o022, "go-w")
        _create(path)
        _check(path, stat.S_ISREG, "a regular file", 0o077, "go=")
    except PermissionError as error:
        raise _refused(f"{path} cannot be opened: {error.strerror}; give it to the user that runs this program") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}") from error


def _create(path: Path) -> None:
    # An existing file is never opened here: closing it again would drop the locks that SQLite holds on it in this process.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return


def _check(path: Path, is_kind: Callable[[int], bool], kind: str, forbidden: int, mode: str) -> None:
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        raise _refused(f"{path} is a symlink; name the place itself")
    if not is_kind(found.st_mode):
        raise _refused(f"{path} is not {kind}")
    if found.st_uid != os.geteuid():
        raise _refused(f"{path} belongs to user {found.st_uid}, not to {os.geteuid()}, as whom this program runs")
    if found.st_mode & forbidden:
        raise _refused(f"{path} is open to others (mode {stat.S_IMODE(found.st_mode):04o}); run `chmod {mode} {path}`")


def _refused(reason: str) -> InvalidInput:
    return InvalidInput(f"the database is not safe to use: {reason}", code=SetupCode.DATABASE_FILE)
