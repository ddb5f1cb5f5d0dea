"""The files that the agent keeps: its credential, and the join tokens that somebody puts there.

STATE/credential      mode 0600, replaced in one step, never removed
STATE/tokens/NAME     a join token: removed once it was used, renamed to NAME.refused where it is not accepted
STATE/lock            held while an agent runs: two with one credential would look like a stolen one
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import NamedTuple

from reconciler.agent.conversation import CREDENTIAL

REFUSED = ".refused"
_PRIVATE = 0o600
_LONGEST = 20_000


class Locked(Exception):
    """The files cannot be used as they are: a person must look; the text says at what."""


class Token(NamedTuple):
    """A join token and the file that it is in."""

    path: Path
    text: str


class Vault:
    """The files in a folder, which is made where it is missing. Raises Locked."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._tokens = folder, folder / "tokens"
        self._credential = folder / "credential"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._tokens.mkdir(mode=0o700, exist_ok=True)
            found = folder.stat()
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise Locked(f"{folder} belongs to somebody else, or others may write there; see `chown` and `chmod 700`")
            self._lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(f"another agent works with {folder}") from error
        except OSError as error:
            raise Locked(f"{folder} cannot be used: {error.strerror}") from error

    def credential(self) -> str:
        """Return the credential, empty where there is none yet. Raises Locked."""
        try:
            text = _read(self._credential)
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise Locked(f"{self._credential} cannot be read: {error.strerror}") from error
        if not CREDENTIAL.fullmatch(text):
            raise Locked(f"{self._credential} holds no credential; remove it and use a new join token")
        return text

    def keep(self, credential: str) -> None:
        """Put a credential in place of the old one: whenever the machine stops, one of the two is there. Raises OSError."""
        new = self._folder / "credential.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE), "w", encoding="ascii") as file:
            file.write(credential)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._credential)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def token(self) -> Token | None:
        """Return the first join token that waits; what cannot be one is set aside. Raises OSError."""
        for path in sorted(self._tokens.iterdir()):
            if path.name.startswith(".") or path.suffix == REFUSED:
                continue
            text = _read(path)
            if CREDENTIAL.fullmatch(text):
                return Token(path, text)
            self.set_aside(path)
        return None

    def spend(self, path: Path) -> None:
        """Remove a token that was used. Raises OSError."""
        path.unlink(missing_ok=True)

    def set_aside(self, path: Path) -> None:
        """Let a token that is not accepted lie, under a name that says so. Raises OSError."""
        path.replace(path.with_name(path.name + REFUSED))

    def close(self) -> None:
        """Let another agent work with the files."""
        os.close(self._lock)


def _read(path: Path) -> str:
    """Return the text of a file that is nobody else's business. Raises OSError, PermissionError where others may read it."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
            raise PermissionError(0, "others may read it, or it is no file; see `chmod 600`")
        return file.read(_LONGEST).decode("ascii", "replace").strip()
