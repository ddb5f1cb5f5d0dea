"""A process whose disk is full for a while: `python -m tests.adapters.full_disk URL`. A limit of file size plays the disk."""

import resource
import signal
import sys
from pathlib import Path

from reconciler.adapters.store_sql import SqlStore
from reconciler.core.resources import Key
from reconciler.errors import Unavailable
from reconciler.ports import JournalEntry


def main(url: str) -> None:
    """Store with room, without, and with room again; say what happened."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = SqlStore(url, "production")
    # No file may grow beyond what the largest of them has now.
    store.intend([intent(1)])
    print("stored 1")  # noqa: T201 - the answer to the test that started this
    largest = max(file.stat().st_size for file in Path(url.removeprefix("sqlite:///")).parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    try:
        store.intend([intent(1_000_000)])
    except Unavailable as error:
        print("refused:", str(error).rpartition(": ")[2])  # noqa: T201
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.intend([intent(2), intent(3)])
    print("stored 2")  # noqa: T201
    print("open", len(store.unsettled()))  # noqa: T201
    store.close()


def intent(size: int) -> JournalEntry:
    """Return an intent with a document of about this many bytes."""
    return JournalEntry(0, "digest", Key("WorkloadEntry", "shop", f"vm-{size}"), "create", {"text": "x" * size})


if __name__ == "__main__":
    main(sys.argv[1])
