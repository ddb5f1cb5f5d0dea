"""How a command that writes is told to end: a first signal asks for it, a second one does not ask."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds from the first signal to the end, whoever does not answer: less than the 60 that our Pod is given.
LONGEST = 45.0


@contextmanager
def ended_by_signals(stop: Callable[[], None], say: Callable[[str], object], longest: float = LONGEST) -> Iterator[None]:
    """Call `stop` on SIGTERM and SIGINT, and let the body end by itself; `say` tells a person, from another thread.

    At a second signal, or after `longest` seconds, the process ends with 1 where it stands. That loses nothing: each write is
    in the journal before it is sent.
    """
    ending = _Ending(stop, say, longest)
    before = {number: signal.signal(number, ending.asked) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        ending.over.set()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Ending:
    def __init__(self, stop: Callable[[], None], say: Callable[[str], object], longest: float) -> None:
        self._stop, self._say, self._longest = stop, say, longest
        self._waiting: threading.Thread | None = None
        self.over = threading.Event()

    def asked(self, *_: object) -> None:
        if self._waiting:
            os._exit(1)
        # What a handler prints could come in the middle of what it interrupts.
        self._waiting = threading.Thread(target=self._wait, name="ending", daemon=True)
        self._waiting.start()
        self._stop()

    def _wait(self) -> None:
        self._say("ending, once what is being written has been answered; asked again, it ends at once")
        if not self.over.wait(self._longest):
            self._say(
                "ending without an answer: the next run reads back what was being written, and the lease runs out by itself"
            )
            os._exit(1)
