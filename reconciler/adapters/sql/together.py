"""Transactions of several threads as one: whoever comes while one is under way goes with the next.

Writers of one target follow each other anyway, and each commit waits for the disk or a server; sixteen writers that share their
commits are several times faster than sixteen that queue.
"""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from reconciler.adapters.sql.database import Database
from reconciler.errors import ReconcilerError, Unavailable

T = TypeVar("T")
#: What the works of one transaction share.
S = TypeVar("S")
_Outcome = tuple[Any, Exception | None]


class _Turn(Generic[S]):
    """One thread's work, and what came of it."""

    def __init__(self, work: Callable[[S], Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None
        self._closed = threading.Lock()
        self._closed.acquire()

    def wait(self) -> None:
        """Wait until somebody has run the work, or says that it is this thread's turn to run what is queued."""
        self._closed.acquire()

    def wake(self) -> None:
        """Let the thread go on."""
        self._closed.release()


class Together(Generic[S]):
    """Runs works, each of which raises one of our errors before it has written anything, or not at all.

    `begin` makes what the works of one transaction share, and `end` writes what is written once for all of them.
    """

    def __init__(
        self, database: Database, begin: Callable[[Connection], S], end: Callable[[S], None] = lambda _shared: None
    ) -> None:
        self._database, self._begin, self._end = database, begin, end
        self._queue: list[_Turn[S]] = []
        self._queueing = threading.Lock()
        self._is_running = False

    def write(self, work: Callable[[S], T]) -> T:
        """Return what the work returned once it is committed. Raises what it raised, or Unavailable."""
        turn = _Turn(work)
        with self._queueing:
            self._queue.append(turn)
            must_wait, self._is_running = self._is_running, True
        if must_wait:
            turn.wait()
        if not turn.done:
            self._run_queue()
        if turn.error is not None:
            raise turn.error
        result: T = turn.result
        return result

    def _run_queue(self) -> None:
        """Run what is queued, this thread's own work among it, and leave what came meanwhile to the first that came."""
        with self._queueing:
            turns, self._queue = self._queue, []
        outcomes: list[_Outcome] = [(None, Unavailable("the thread that wrote for several was stopped"))] * len(turns)
        try:
            outcomes = self._run(turns)
        finally:
            for turn, (result, error) in zip(turns, outcomes, strict=True):
                turn.result, turn.error, turn.done = result, error, True
                turn.wake()
            with self._queueing:
                self._is_running = bool(self._queue)
                if self._queue:
                    self._queue[0].wake()

    def _run(self, turns: list[_Turn[S]]) -> list[_Outcome]:
        try:
            return self._database.write(lambda connection: self._outcomes(turns, connection))
        except ReconcilerError as error:
            return [(None, error)] * len(turns)
        except Exception as error:  # noqa: BLE001 - raised again in the thread whose work it is
            # A bug in one of them took all back; alone each shows whose it is.
            return [(None, error)] if len(turns) == 1 else [one for turn in turns for one in self._run([turn])]

    def _outcomes(self, turns: list[_Turn[S]], connection: Connection) -> list[_Outcome]:
        shared = self._begin(connection)
        outcomes = [_outcome(turn, shared) for turn in turns]
        self._end(shared)
        return outcomes


def _outcome(turn: _Turn[S], shared: S) -> _Outcome:
    try:
        return turn.work(shared), None
    except ReconcilerError as error:
        return None, error
