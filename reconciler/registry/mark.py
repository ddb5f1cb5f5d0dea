"""How far the record was when this server saw it last, in a file apart from the database: a backup is behind that.

Credentials tell of an older record only where agents have rotated twice since, or joined; this tells of any, at the start.
"""

import logging
from pathlib import Path

log = logging.getLogger(__name__)


class Mark:
    """The newest version, kept in a file; without a path it is forgotten."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._kept: int | None = None
        self._fails = False

    def read(self) -> int:
        """Return the version that was kept last, 0 where none was."""
        if self._path is None or not self._path.exists():
            return 0
        try:
            self._kept = int(self._path.read_text("ascii"))
        except (OSError, ValueError) as error:
            log.warning("%s cannot be read, so a restored backup may not be noticed at this start: %s", self._path, error)
        return self._kept or 0

    def keep(self, version: int) -> None:
        """Keep a version. Where that fails the server goes on without, and says so once."""
        if self._path is None or version == self._kept:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        try:
            new.write_text(f"{version}\n", "ascii")
            new.replace(self._path)
        except OSError as error:
            if not self._fails:
                log.warning("%s cannot be written, so a restored backup may not be noticed at a start: %s", self._path, error)
            self._fails = True
        else:
            self._kept, self._fails = version, False
