"""Carry out a plan: unit by unit, wave by wave, journalled.

Units run side by side and wait only for the units that they name; inside a unit one wave is finished before the next begins.
Each write is journalled before it is sent and settled after it; intents and outcomes are stored in batches, as many as are
ready, so that the disk is asked once for many writes. A failed write lets its wave finish, then stops its unit. A lost lease
or a journal that cannot be written stops everything, and so do several unanswered writes in a row.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from reconciler.core.changes import Action, Change
from reconciler.core.plans import Mode, Plan, UnitPlan
from reconciler.core.report import WriteResult, Written
from reconciler.core.resources import LiveObject
from reconciler.errors import Fenced, Rejected, Unavailable
from reconciler.ports import Clock, JournalEntry, Store
from reconciler.writer import Writer

log = logging.getLogger(__name__)

#: Journalled writes per worker: one in flight and one ready, so that workers never wait for the disk.
AHEAD = 2

#: So many writes in a row without an answer mean that the other side is down, not that one object is odd.
SILENCE = 3


@dataclass(slots=True)
class _Running:
    """One unit on its way: the waves still to come, how many of its writes are open, why it stopped."""

    unit: UnitPlan
    waves: deque[tuple[Change, ...]]
    open: int = 0
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class _Write:
    unit: str
    change: Change
    entry: JournalEntry


class Execution:
    """One plan being carried out.

    `fence` is called before each batch of writes and raises Fenced once another holder has the target. `progress` receives
    each result as it becomes known, from the thread that called `run`.
    """

    def __init__(
        self,
        plan: Plan,
        writer: Writer,
        store: Store,
        clock: Clock,
        *,
        fence: Callable[[], None],
        progress: Callable[[WriteResult], None] | None = None,
        workers: int = 16,
    ) -> None:
        self._plan, self._writer, self._store, self._clock = plan, writer, store, clock
        self._fence, self._progress, self._workers = fence, progress, workers
        self._units = {
            unit.name: _Running(unit, deque(wave for step in unit.steps for wave in step.waves if wave))
            for unit in plan.units
            if unit.mode is Mode.ENFORCE and any(step.waves for step in unit.steps)
        }
        self._waiting = list(self._units.values())
        self._through: set[str] = {unit.name for unit in plan.units} - self._units.keys()
        self._failed: set[str] = set()
        self._ready: deque[tuple[str, Change]] = deque()
        self._silent = 0
        self._halted = ""
        self._results: list[WriteResult] = []

    def run(self) -> tuple[WriteResult, ...]:
        """Write everything that the plan's units in enforce mode hold; returns one result a write, in order of completion."""
        changes = [change for running in self._waiting for wave in running.waves for change in wave]
        self._store.widen(change.key for change in changes if change.action is not Action.DELETE)
        flying: dict[Future[LiveObject | None], _Write] = {}
        with ThreadPoolExecutor(self._workers, thread_name_prefix="write") as pool:
            self._start_units()
            while flying or self._ready:
                for write in self._journal(self._workers * AHEAD - len(flying)):
                    flying[pool.submit(self._writer.perform, write.change)] = write
                if flying:
                    done, _ = wait(flying, return_when=FIRST_COMPLETED)
                    self._settle([(flying.pop(future), *_outcome(future)) for future in done])
                self._start_units()
        for running in self._waiting:
            self._stop(running, "the units that come first wait for each other")
        self._store.narrow(one.key for one in self._results if one.action is Action.DELETE and one.written is Written.DONE)
        return tuple(self._results)

    def _start_units(self) -> None:
        """Start every unit whose predecessors are through; where one of them failed, it ends without a write."""
        moved = True
        while moved:
            moved = False
            for running in list(self._waiting):
                missing = [name for name in running.unit.waits_for if name not in self._through]
                failed = [name for name in missing if name in self._failed]
                if missing and not failed:
                    continue
                self._waiting.remove(running)
                moved = True
                if failed:
                    self._stop(running, f"unit {failed[0]}, which comes first, was not carried out")
                else:
                    self._next_wave(running)

    def _next_wave(self, running: _Running) -> None:
        if running.stopped:
            self._stop(running, running.stopped)
        elif running.waves:
            wave = running.waves.popleft()
            running.open = len(wave)
            self._ready.extend((running.unit.name, change) for change in wave)
        else:
            self._through.add(running.unit.name)

    def _stop(self, running: _Running, reason: str) -> None:
        self._failed.add(running.unit.name)
        for wave in running.waves:
            for change in wave:
                self._note(running.unit.name, change, Written.NOT_STARTED, reason)
        running.waves.clear()

    def _journal(self, room: int) -> Sequence[_Write]:
        """Store the intents of the next writes and return these; nothing is sent that is not stored."""
        batch = [self._ready.popleft() for _ in range(min(room, len(self._ready)))]
        try:
            if batch and not self._halted:
                self._fence()
                entries = self._store.intend([self._intent(change) for _, change in batch])
                return [_Write(unit, change, entry) for (unit, change), entry in zip(batch, entries, strict=True)]
        except (Fenced, Unavailable) as error:
            self._halted = str(error)
        for unit, change in batch:
            self._finish(unit, change, Written.NOT_STARTED, self._halted)
        return ()

    def _intent(self, change: Change) -> JournalEntry:
        return JournalEntry(
            id=0,
            plan=self._plan.digest,
            key=change.key,
            action=change.action,
            after=change.after,
            uid=change.uid,
            resource_version=change.resource_version,
            started=self._clock.now(),
        )

    def _settle(self, finished: Sequence[tuple[_Write, Written, str]]) -> None:
        """Store outcomes. A write without an answer stays open in the journal: it is read back before anything else."""
        now = self._clock.now()
        known = [
            replace(write.entry, outcome=_settled(write.change, outcome), message=message, ended=now)
            for write, outcome, message in finished
            if outcome is not Written.UNKNOWN
        ]
        try:
            self._store.settle(known)
        except Unavailable as error:
            self._halted = str(error)
        for write, outcome, message in finished:
            self._silent = self._silent + 1 if outcome is Written.UNKNOWN else 0
            if self._silent >= SILENCE:
                self._halted = self._halted or f"{SILENCE} writes in a row had no answer: {message}"
            self._finish(write.unit, write.change, outcome, message)

    def _finish(self, unit: str, change: Change, outcome: Written, message: str) -> None:
        self._note(unit, change, outcome, message)
        running = self._units[unit]
        running.open -= 1
        if outcome is not Written.DONE and not running.stopped:
            running.stopped = f"{change.action} of {change.key} was not carried out"
        if running.open == 0:
            self._next_wave(running)

    def _note(self, unit: str, change: Change, outcome: Written, message: str) -> None:
        result = WriteResult(unit, change.key, change.action, change.cause, outcome, message)
        self._results.append(result)
        if self._progress:
            self._progress(result)


def _settled(change: Change, outcome: Written) -> str:
    """Return a journal's word. A hand-over writes no content, so it must not become what was last written."""
    return "moot" if outcome is Written.DONE and change.action is Action.HAND_OVER else outcome.value


def _outcome(future: Future[LiveObject | None]) -> tuple[Written, str]:
    """Say what became of a write; an error that is none of ours is a bug, logged with its traceback."""
    match future.exception():
        case None:
            return Written.DONE, ""
        case Rejected() as error:
            return Written.FAILED, str(error)
        case Unavailable() as error:
            return Written.UNKNOWN, str(error)
        case error:
            log.error("bug in a write", exc_info=error)
            return Written.UNKNOWN, f"internal error ({type(error).__name__}); see the log"
