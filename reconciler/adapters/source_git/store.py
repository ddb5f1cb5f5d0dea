"""The data folder on disk: who may enter it, who may write, what a crash left in it, how much it holds."""

import fcntl
import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.adapters.source_git.codes import Code
from reconciler.errors import InvalidInput, Unavailable

log = logging.getLogger(__name__)

#: Folder for what lives as long as one command; nothing in it is used for longer than this.
SCRATCH = "scratch"
_SCRATCH_SECONDS = 3600
#: The two files of a bare repository that never change, as they have to be.
_FILES = {"HEAD": "ref: refs/heads/main\n", "config": "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"}


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """The folder `path` of one bare store within the data folder `data`."""

    data: Path
    path: Path
    _thread: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @contextmanager
    def exclusive(self, seconds: float) -> Iterator[int]:
        """Be the one writer, and give the descriptor that keeps the lock for as long as any process has it open.

        Raises Unavailable when another process stays the writer for longer than this.
        """
        with self._thread:
            handle = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                _lock(handle, seconds)
                yield handle
            finally:
                os.close(handle)

    @property
    def complete(self) -> bool:
        """Whether there is a bare store that Git will take for one."""
        with suppress(OSError, ValueError):
            found = {name: (self.path / name).read_text(encoding="utf-8") for name in _FILES}
            return found == _FILES and (self.path / "objects").is_dir() and (self.path / "refs").is_dir()
        return False

    def complete_files(self) -> None:
        """Write the files that never change, after the store was made. Only for the one writer."""
        for name, text in _FILES.items():
            (self.path / name).write_text(text, encoding="utf-8")

    @property
    def packs(self) -> int:
        """How many packs the store consists of."""
        with suppress(FileNotFoundError):
            return sum(path.suffix == ".pack" for path in (self.path / "objects" / "pack").iterdir())
        return 0

    def bytes(self) -> int:
        """Return how much is on disk; a store has some dozen files, whatever is in them."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with suppress(FileNotFoundError):
                    total += Path(folder, name).lstat().st_size
        return total

    def sweep(self) -> None:
        """Remove what a writer would leave for a moment only, and stores that nobody uses. Only for the one writer."""
        for other in (*self.data.glob("*.git"), *self.data.glob("trash-*")):
            if other != self.path:
                shutil.rmtree(other, ignore_errors=True)
        self._sweep_scratch()
        for folder, _, names in os.walk(self.path):
            for name in names:
                if name.endswith(".lock") or name.startswith(("tmp_", ".tmp-")):
                    log.info("removing %s, which a crash left in the mirror", name)
                    with suppress(FileNotFoundError):
                        Path(folder, name).unlink()

    def _sweep_scratch(self) -> None:
        """Remove scratch folders that nobody can be using any more; what time it is, the file system says."""
        lock = self.data / "lock"
        os.utime(lock)
        for left in (self.data / SCRATCH).glob("*"):
            with suppress(FileNotFoundError):
                if lock.stat().st_mtime - left.stat().st_mtime > _SCRATCH_SECONDS:
                    shutil.rmtree(left, ignore_errors=True)

    def remove(self) -> None:
        """Take the store away in one step, so that nobody ever sees half of it. Only for the one writer."""
        trash = self.data / f"trash-{os.getpid()}-{time.monotonic_ns()}"
        with suppress(FileNotFoundError):
            self.path.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)


def private_folder(path: Path) -> Path:
    """Return a folder that only we may enter, made where it is missing. Raises InvalidInput for one that others may."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise InvalidInput(f"the data folder {path} cannot be made: {error.strerror}", code=Code.DATA_DIR) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise InvalidInput(
            f"the data folder {path} must be ours alone: no symlink, owned by the user that runs this, mode 0700",
            code=Code.DATA_DIR,
        )
    return path.absolute()


def _lock(handle: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    wait = threading.Event().wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unavailable("another process is fetching into the same mirror") from None
            wait(0.05)
        else:
            return
