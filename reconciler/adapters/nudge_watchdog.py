"""Notices at once when a ref of a local repository moves, by the system's own file events (inotify, FSEvents, ...).

A nudge only says that a look may be worth it; polling stays the truth. Reading a repository, as our own polls do, changes
nothing in it and nudges nobody.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from reconciler.errors import InvalidInput, SetupCode

#: Seconds of quiet movement that make one nudge: a push or a rebase moves several files.
SETTLE = 0.1
#: A `.git` file and what it leads to are one short line.
_MAX_LINK = 4096

_CHANGES: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


def watch(repository: Path, nudge: Callable[[], None]) -> Callable[[], None]:
    """Call `nudge` soon after HEAD or a ref of a working copy or bare repository has moved; return what ends the watch.

    `nudge` is called from a thread of ours, never twice at once, and not after the end. Without changes nothing runs at all.
    Raises InvalidInput where there is no repository.
    """
    bell = _Bell(nudge)
    observer = Observer()
    for folder in git_folders(repository):
        observer.schedule(_Handler(bell, ("HEAD", "packed-refs")), str(folder), event_filter=_CHANGES)
        for name in ("refs", "reftable"):
            if (folder / name).is_dir():
                observer.schedule(_Handler(bell), str(folder / name), recursive=True, event_filter=_CHANGES)
    observer.start()

    def stop() -> None:
        bell.stop()
        observer.stop()
        observer.join()

    return stop


def git_folders(repository: Path) -> tuple[Path, ...]:
    """Return the folders that hold a repository's HEAD and refs: two for a linked working tree. Raises InvalidInput."""
    inside = repository / ".git"
    folder = (
        repository / _line(inside).removeprefix("gitdir: ") if inside.is_file() else inside if inside.is_dir() else repository
    )
    common = folder / _line(folder / "commondir") if (folder / "commondir").is_file() else folder
    if not (folder / "HEAD").is_file() or not (common / "objects").is_dir():
        raise InvalidInput(f"{repository} is no Git repository: give --repo the folder of one", code=SetupCode.OPTION)
    return tuple(dict.fromkeys((folder.resolve(), common.resolve())))


def _line(file: Path) -> str:
    with file.open(encoding="utf-8") as opened:
        return opened.read(_MAX_LINK).strip()


class _Bell:
    """Turns many events into one nudge, a little after the first of them."""

    def __init__(self, nudge: Callable[[], None]) -> None:
        self._nudge = nudge
        self._lock = threading.Lock()
        self._pending: threading.Timer | None = None
        self._stopped = False

    def ring(self) -> None:
        with self._lock:
            if self._pending is None and not self._stopped:
                self._pending = threading.Timer(SETTLE, self._fire)
                self._pending.daemon = True
                self._pending.start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._pending is not None:
                self._pending.cancel()

    def _fire(self) -> None:
        with self._lock:
            self._pending = None
            stopped = self._stopped
        if not stopped:
            self._nudge()


class _Handler(FileSystemEventHandler):
    """Rings for files of these names (none: of all), but never for the lock under which the next one is written."""

    def __init__(self, bell: _Bell, names: tuple[str, ...] = ()) -> None:
        self._bell, self._names = bell, names

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = Path(str(event.dest_path or event.src_path))
        if path.suffix != ".lock" and (not self._names or path.name in self._names):
            self._bell.ring()
