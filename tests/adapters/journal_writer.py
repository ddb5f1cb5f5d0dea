"""A process to be killed: `python -m tests.adapters.journal_writer URL FILE` writes as `apply` does, until somebody ends it.

The file stands for the cluster: a write is one line appended to it. A store accepts nothing more on the way than it tells on
its output: ``intended N``, ``settled N``.
"""

import os
import sys
from dataclasses import replace

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.store_sql import SqlStore
from reconciler.core.resources import Key
from reconciler.ports import JournalEntry

BATCH = 5


def main(url: str, cluster: str) -> None:
    """Intend, write, settle, again and again."""
    store, clock = SqlStore(url, "production"), SystemClock()
    file = os.open(cluster, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    number = 0
    while True:
        keys = [Key("WorkloadEntry", "shop", f"vm-{number + place}") for place in range(BATCH)]
        number += BATCH
        store.widen(keys)
        entries = store.intend([JournalEntry(0, "digest", key, "create", {"n": key.name}, started=clock.now()) for key in keys])
        tell("intended", entries)
        for entry in entries:
            os.write(file, f"{entry.id} {entry.key.name}\n".encode())
        store.settle([replace(entry, outcome="done", ended=clock.now()) for entry in entries])
        tell("settled", entries)


def tell(what: str, entries: list[JournalEntry]) -> None:
    """Say it in one write, so that a kill cannot cut it."""
    os.write(1, "".join(f"{what} {entry.id}\n" for entry in entries).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
