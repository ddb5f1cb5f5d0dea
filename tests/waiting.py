"""Waiting for what other threads and processes do: with a deadline in time, never by a number of attempts."""

import threading
import time
from collections.abc import Callable

#: Seconds in which anything that is promised to happen soon has happened, on a busy machine.
SOON = 30.0


def becomes(check: Callable[[], object]) -> bool:
    """Whether something comes true in time, without anybody being told of it."""
    ends = time.monotonic() + SOON
    while not check():
        if time.monotonic() > ends:
            return False
        threading.Event().wait(0.02)
    return True
