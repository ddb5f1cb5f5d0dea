"""Many blobs through one `git cat-file` process: ids go in by a thread, bytes come out in the same order.

Each read has a process of its own, so any number of threads may read. Every blob is held against its id: a byte that flipped
on disk is found here, before anything is concluded from it.
"""

import hashlib
import subprocess
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from typing import IO

from reconciler.adapters.source_git.answers import DamagedStore
from reconciler.adapters.source_git.mirror import Mirror
from reconciler.adapters.tree.process import kill, started

#: Blobs, and bytes of them, that are read at a stretch, within one deadline; between stretches the consumer takes its time.
_STRETCH, _STRETCH_BYTES = 256, 4 * 1024 * 1024


def read_blobs(mirror: Mirror, wanted: Sequence[tuple[str, int]]) -> Generator[bytes, None, None]:
    """Yield the bytes of blobs (id, size), in this order. Raises DamagedStore for one that is missing or not what it should be.

    Sizes are what a listing said and are checked against the caps there, before anything is read.
    """
    if not wanted:
        return
    command = (mirror.git, "cat-file", "--batch", "--buffer")
    bounds = mirror.bounds()
    with started(command, mirror.environment(), mirror.folder, bounds, stdin=subprocess.PIPE) as process:
        ids = b"".join(f"{blob}\n".encode() for blob, _ in wanted)
        threading.Thread(target=_write, args=(process.stdin, ids), daemon=True).start()
        stdout = process.stdout
        assert stdout is not None  # noqa: S101 - it is a pipe
        for stretch in _stretches(wanted):
            watchdog = threading.Timer(bounds.seconds, kill, (process,))
            watchdog.daemon = True
            watchdog.start()
            try:
                blobs = [_read(stdout, blob, size) for blob, size in stretch]
            finally:
                watchdog.cancel()
            yield from blobs


def _stretches(wanted: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    stretch: list[tuple[str, int]] = []
    total = 0
    for blob, size in wanted:
        if stretch and (len(stretch) == _STRETCH or total + size > _STRETCH_BYTES):
            yield stretch
            stretch, total = [], 0
        stretch.append((blob, size))
        total += size
    if stretch:
        yield stretch


def _write(stdin: IO[bytes], ids: bytes) -> None:
    """Feed the process; it may end before it has read all."""
    with suppress(OSError, ValueError), stdin:
        stdin.write(ids)


def _read(stdout: IO[bytes], blob: str, size: int) -> bytes:
    header = stdout.readline()
    if header != b"%s blob %d\n" % (blob.encode(), size):
        raise DamagedStore(f"the mirror does not hold object {blob[:10]} as it should: it is fetched anew")
    data = stdout.read(size + 1)
    if len(data) != size + 1 or blob_id(data[:-1]) != blob:
        raise DamagedStore(f"object {blob[:10]} of the mirror is damaged: it is fetched anew")
    return data[:-1]


def blob_id(data: bytes) -> str:
    """Return the id that Git gives to these bytes. SHA-1 is Git's choice; here it only has to notice accidents."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
