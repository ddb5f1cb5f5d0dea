"""A process that creates VMs as soon as it is told to: `python -m tests.adapters.registry_racer URL COUNT`."""

import sys

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.registry_sql import SqlRegistry
from reconciler.errors import Conflict
from tests.contracts.registry import record


def main(url: str, count: int) -> None:
    """Print for each name the uid of the record that was made, or that somebody else was first."""
    registry = SqlRegistry(url, "production", SystemClock())
    print("ready", flush=True)  # noqa: T201 - the answer to the test that started this
    sys.stdin.readline()
    for number in range(count):
        try:
            answer = registry.put(record(f"vm-{number}")).uid
        except Conflict:
            answer = "conflict"
        print(answer)  # noqa: T201
    registry.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
