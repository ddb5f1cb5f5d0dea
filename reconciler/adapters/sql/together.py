"""Transactions of several threads as one: whoever comes while one is under way goes with the next.

Writers of one target follow each other anyway, and each commit waits for the disk or a server; sixteen writers that share their
commits are several times faster than sixteen that queue.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from reconciler.adapters.sql.database import Database
from reconciler.errors import ReconcilerError, Unavailable

T = TypeVar("T")
_Outcome = tuple[Any, Exception | None]


class _Turn:
    """One thread's work, and what came of it."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.done = False
        self.result: Any = None
        self.error: Exception | None = None


class Together:
    """Runs works, each of which raises one of our errors before it has written anything, or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: list[_Turn] = []
        self._queueing = threading.Lock()
        self._running = threading.Lock()

    def write(self, work: Callable[[Connection], T]) -> T:
        """Return what the work returned once it is committed. Raises what it raised, or Unavailable."""
        turn = _Turn(work)
        with self._queueing:
            self._queue.append(turn)
        with self._running:
            if not turn.done:
                self._run_queue()
        if turn.error is not None:
            raise turn.error
        result: T = turn.result
        return result

    def _run_queue(self) -> None:
        with self._queueing:
            turns, self._queue = self._queue, []
        outcomes: list[_Outcome] = [(None, Unavailable("the thread that wrote for several was stopped"))] * len(turns)
        try:
            outcomes = self._run(turns)
        finally:
            for turn, (result, error) in zip(turns, outcomes, strict=True):
                turn.result, turn.error, turn.done = result, error, True

    def _run(self, turns: list[_Turn]) -> list[_Outcome]:
        try:
            return self._database.write(lambda connection: [_outcome(turn, connection) for turn in turns])
        except ReconcilerError as error:
            return [(None, error)] * len(turns)
        except Exception as error:  # noqa: BLE001 - raised again in the thread whose work it is
            # A bug in one of them took all back; alone each shows whose it is.
            return [(None, error)] if len(turns) == 1 else [one for turn in turns for one in self._run([turn])]


def _outcome(turn: _Turn, connection: Connection) -> _Outcome:
    try:
        return turn.work(connection), None
    except ReconcilerError as error:
        return None, error
