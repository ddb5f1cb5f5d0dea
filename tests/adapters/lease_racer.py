"""A process that takes the lease as soon as it is told to: `python -m tests.adapters.lease_racer URL HOLDER`."""

import sys
from datetime import timedelta

from reconciler.adapters.clock import SystemClock
from reconciler.adapters.lease_sql import SqlLease
from reconciler.errors import Fenced


def main(url: str, holder: str) -> None:
    """Print who has it now."""
    clock = SystemClock()
    lease = SqlLease(url, "production", clock)
    print("ready", flush=True)  # noqa: T201 - the answer to the test that started this
    sys.stdin.readline()
    try:
        state = lease.acquire(holder, "store-1", timedelta(seconds=30), now=clock.now())
        print("has it", state.holder)  # noqa: T201
    except Fenced as fenced:
        print("fenced by", fenced.holder)  # noqa: T201
    lease.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
