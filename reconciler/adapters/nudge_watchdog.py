"""Nudges for a repository on this machine: a ref that moves is noticed at once, by watchdog. Polling stays the truth."""

from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from reconciler.errors import InvalidInput

#: What in a Git folder says that a ref moved; the rest of its top level (index, logs, locks) does not.
_NAMES = frozenset({"HEAD", "packed-refs"})


def watch(repository: Path, nudge: Callable[[], None]) -> Callable[[], None]:
    """Call `nudge` (from a thread of the watch) whenever a ref of the repository moves; returns what ends the watch.

    `repository` is bare or a working copy. Raises InvalidInput where it is neither.
    """
    folder = git_folder(repository)
    handler = _Refs(folder, nudge)
    observer = Observer()
    observer.daemon = True
    observer.schedule(handler, str(folder), recursive=False)
    observer.schedule(handler, str(folder / "refs"), recursive=True)
    observer.start()

    def stop() -> None:
        observer.stop()
        observer.join(5)

    return stop


def git_folder(repository: Path) -> Path:
    """Return the folder that holds the refs: of a bare repository itself, of a working copy ``.git`` or what that names."""
    inside = repository / ".git"
    if inside.is_file():
        named = repository / inside.read_text("utf-8").removeprefix("gitdir:").strip()
        common = named / "commondir"
        inside = named / common.read_text("utf-8").strip() if common.is_file() else named
    folder = inside if inside.is_dir() else repository
    if not (folder / "refs").is_dir():
        raise InvalidInput(f"{repository} is no Git repository: give --repo the folder of one", code="MR0002")
    return folder.resolve()


class _Refs(FileSystemEventHandler):
    """Tells moves of refs from everything else that Git does in its folder."""

    def __init__(self, folder: Path, nudge: Callable[[], None]) -> None:
        self._folder, self._nudge = folder, nudge

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("opened", "closed_no_write"):
            return
        paths = [Path(str(path)) for path in (event.src_path, event.dest_path) if path]
        if any(self._counts(path) for path in paths):
            self._nudge()

    def _counts(self, path: Path) -> bool:
        if path.suffix == ".lock":
            return False
        return path.name in _NAMES if path.parent == self._folder else self._folder / "refs" in path.parents
