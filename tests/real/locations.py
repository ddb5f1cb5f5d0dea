"""Where the harness keeps things: one per-user cache, files that appear whole or not at all, one lock per thing."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent

Progress = Callable[[str], None]
"""Takes one line for the person who waits. Long work calls it every few seconds."""


def cache() -> Path:
    """The per-user folder for what takes long to make; safe to delete at any time when no test runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "mesh-reconciler" / "real-parts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_whole(path: Path, text: str) -> None:
    """Write a file that only its owner reads (it may hold a token) so that readers see all of it or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.touch(mode=0o600)
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


@contextmanager
def lock(path: Path, progress: Progress, waiting_for: str) -> Iterator[None]:
    """Hold an exclusive lock among processes; the system lets go of it when the holder dies."""
    with path.open("a") as handle:
        told = time.monotonic()
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - told > 5:
                    told = time.monotonic()
                    progress(f"waiting for another run: {waiting_for}")
                time.sleep(0.1)
        yield
