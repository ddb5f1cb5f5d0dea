"""Send writes through a pool of workers, each journalled before it is sent and settled after it.

Outcomes and the next intents are stored in batches while the workers still have enough to do, so that the disk is asked once
for many writes. A lost lease or a journal that cannot be written stops everything, and so do several unanswered writes in a
row: what was not sent by then never is.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from threading import Lock
from typing import Self

from reconciler.core.changes import Action, Change
from reconciler.core.report import Written
from reconciler.errors import InvalidInput, ReconcilerError, Rejected, Unavailable
from reconciler.ports import Clock, JournalEntry, Store
from reconciler.writes.writer import Writer

log = logging.getLogger(__name__)

#: Journalled writes per worker: there are up to AHEAD of them, and no more are stored before only LEFT are left. To store a
#: batch takes as long as a few writes, during which no worker should have to wait.
AHEAD, LEFT = 6, 2

#: So many writes in a row without an answer mean that the other side is down, not that one object is odd.
SILENCE = 3

_NO_CONTENT = frozenset({Action.HAND_OVER, Action.CONDITION})


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one write of a unit. `entry` is its place in the journal, None where it never got one."""

    unit: str
    change: Change
    outcome: Written
    message: str = ""
    entry: JournalEntry | None = None


@dataclass(slots=True)
class Sender:
    """Sends the writes of one plan (its digest is `plan`); to be entered, and left when nothing is under way any more.

    `fence` is called before each write, from many threads, and raises where this process may not write (any more).
    """

    plan: str
    writer: Writer
    store: Store
    clock: Clock
    fence: Callable[[], None]
    workers: int
    #: Writes handed in and not yet taken back.
    flying: int = field(default=0, init=False)
    _halted: str = field(default="", init=False)
    _silent: int = field(default=0, init=False)
    _counting: Lock = field(default_factory=Lock, init=False)
    _ended: SimpleQueue[Ended] = field(default_factory=SimpleQueue, init=False)
    _unsettled: list[Ended] = field(default_factory=list, init=False)
    _pool: ThreadPoolExecutor = field(init=False)

    def __enter__(self) -> Self:
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="write")
        return self

    def __exit__(self, *_: object) -> None:
        self._halt("the run has ended")
        self._pool.shutdown()
        # Where the run broke off nobody took back what the workers still did.
        while not self._ended.empty():
            self._unsettled.append(self._ended.get())
        self._settle()

    def room(self, ready: int) -> int:
        """Return how many of so many ready writes to hand in now: none while the workers have enough to do."""
        is_due = self.flying < self.workers or (ready >= self.workers and self.flying <= self.workers * LEFT)
        return min(ready, self.workers * AHEAD - self.flying) if is_due else 0

    def send(self, writes: Sequence[tuple[str, Change]]) -> None:
        """Hand in writes, each with the name of its unit. Nothing is sent that is not stored."""
        self._settle()
        self.flying += len(writes)
        try:
            if self._may_send():
                entries = self.store.intend([self._intent(change) for _, change in writes])
                for (unit, change), entry in zip(writes, entries, strict=True):
                    self._pool.submit(self._perform, Ended(unit, change, Written.NOT_STARTED, entry=entry))
                return
        except Unavailable as error:
            self._halt(str(error))
        for unit, change in writes:
            self._ended.put(Ended(unit, change, Written.NOT_STARTED, self._halted))

    def take(self) -> list[Ended]:
        """Wait for a write to end, and return all that have ended."""
        ended = [self._ended.get()]
        while not self._ended.empty():
            ended.append(self._ended.get())
        self.flying -= len(ended)
        self._unsettled += ended
        return ended

    def _halt(self, reason: str) -> None:
        """Let nothing more be sent; the first reason is the one that is told."""
        self._halted = self._halted or reason

    def _intent(self, change: Change) -> JournalEntry:
        return JournalEntry(
            id=0,
            plan=self.plan,
            key=change.key,
            action=change.action,
            after=change.after,
            uid=change.uid,
            resource_version=change.resource_version,
            started=self.clock.now(),
        )

    def _may_send(self) -> bool:
        """Ask the fence, unless all is halted. Whatever it raises halts: a right that cannot be made sure of is none."""
        try:
            if not self._halted:
                self.fence()
        except ReconcilerError as error:
            self._halt(str(error))
        except Exception as error:
            log.exception("bug in the fence")
            self._halt(f"internal error ({type(error).__name__}); see the log")
        return not self._halted

    def _perform(self, write: Ended) -> None:
        """Send one write, in a worker's thread, unless everything stopped since it was journalled."""
        if not self._may_send():
            self._ended.put(replace(write, message=self._halted))
            return
        outcome, message = self._outcome(write.change)
        with self._counting:
            self._silent = self._silent + 1 if outcome is Written.UNKNOWN else 0
            if self._silent >= SILENCE:
                self._halt(f"{SILENCE} writes in a row had no answer: {message}")
        self._ended.put(replace(write, outcome=outcome, message=message))

    def _outcome(self, change: Change) -> tuple[Written, str]:
        """Say what becomes of a write; an error that is none of ours is a bug, logged with its traceback."""
        try:
            self.writer.perform(change)
        except (Rejected, InvalidInput) as error:
            return Written.FAILED, str(error)
        except Unavailable as error:
            return Written.UNKNOWN, str(error)
        except Exception as error:
            log.exception("bug in a write")
            return Written.UNKNOWN, f"internal error ({type(error).__name__}); see the log"
        return Written.DONE, ""

    def _settle(self) -> None:
        """Store outcomes. A write without an answer stays open in the journal: it is read back before anything else."""
        ended, self._unsettled, now = self._unsettled, [], self.clock.now()
        known = [
            replace(one.entry, outcome=_word(one), message=one.message, ended=now)
            for one in ended
            if one.entry and one.outcome is not Written.UNKNOWN
        ]
        try:
            self.store.settle(known)
        except Unavailable as error:
            self._halt(str(error))


def _word(ended: Ended) -> str:
    """Return a journal's word. What writes no content of Git's must not become what was last written."""
    if ended.outcome is Written.NOT_STARTED or (ended.outcome is Written.DONE and ended.change.action in _NO_CONTENT):
        return "moot"
    return ended.outcome.value
