"""How a command that writes is told to end: a first signal asks for it, a second one does not ask."""

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds from the first signal to the end, whoever does not answer: less than the 60 that our Pod is given.
LONGEST = 45.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def ended_by_signals(stop: Callable[[], None], say: Callable[[str], object], longest: float = LONGEST) -> Iterator[None]:
    """Call `stop` on SIGTERM and SIGINT, and let the body end by itself; `say` tells a person, from another thread.

    At a second signal, or after `longest` seconds, the process ends with 1 where it stands. That loses nothing: each write is
    in the journal before it is sent.
    """
    asked, asking = os.pipe()
    os.set_blocking(asking, False)
    waiting = threading.Thread(target=_wait, args=(asked, stop, say, longest), name="ending", daemon=True)
    waiting.start()
    # A handler runs in the main thread, in the middle of anything, or much later where that has just begun to wait for
    # something. The number of a signal comes through the pipe at once.
    wakeup = signal.set_wakeup_fd(asking, warn_on_full_buffer=False)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(asking)
        waiting.join()
        os.close(asked)


def _wait(asked: int, stop: Callable[[], None], say: Callable[[str], object], longest: float) -> None:
    """Wait for the first signal, then for what is first: the end of the body, the second signal, the end of our patience."""
    if not _comes(asked):
        return
    stop()
    say("ending, once what is being written has been answered; asked again, it ends at once")
    if not select.select([asked], [], [], longest)[0]:
        say("ending without an answer: the next run reads back what was being written, and the lease runs out by itself")
    elif not _comes(asked):
        return
    os._exit(1)


def _comes(asked: int) -> bool:
    """Wait for one of our signals; returns False once the body is over."""
    while number := os.read(asked, 1):
        if number[0] in _SIGNALS:
            return True
    return False
