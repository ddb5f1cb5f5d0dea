"""How threads and signals wake the one that waits: through a pipe, which neither can block on nor miss."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHANGED = 0
"""Rung by `ring`; signals ring by their own numbers."""


class Bell:
    """Rung from any thread and by signals; heard by one."""

    def __init__(self) -> None:
        self._heard, self._rung = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._rung, False)

    def ring(self) -> None:
        """Wake whoever waits, now or when it begins to."""
        with suppress(BlockingIOError):  # full of unheard rings: it is awake
            os.write(self._rung, bytes((CHANGED,)))

    def heard(self, seconds: float) -> tuple[int, ...]:
        """Wait for a ring, and return all that have come: `CHANGED` and numbers of signals; nothing after so many seconds."""
        if not select.select([self._heard], [], [], max(0.0, seconds))[0]:
            return ()
        return tuple(os.read(self._heard, 4_096))

    @contextmanager
    def on_signals(self, *numbers: signal.Signals) -> Iterator[None]:
        """Let signals ring, and do nothing else. A handler in Python could run in the middle of anything, locks included."""
        before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        wakeup = signal.set_wakeup_fd(self._rung, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)

    def close(self) -> None:
        """Free the pipe."""
        os.close(self._heard)
        os.close(self._rung)
