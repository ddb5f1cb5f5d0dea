"""Carry out a plan: unit by unit, wave by wave.

Units run side by side and wait only for the units that they name; inside a unit one wave is finished before the next begins,
and a unit that has begun goes before one that has not. A failed write lets its wave finish, then stops its unit. How writes
are sent and journalled, and what stops all of them, is `sending`.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.changes import Action, Change
from reconciler.core.plans import Mode, Plan, UnitPlan
from reconciler.core.report import WriteResult, Written
from reconciler.ports import Clock, Store
from reconciler.writes.sending import Ended, Sender
from reconciler.writes.writer import Writer


@dataclass(slots=True)
class _Running:
    """One unit on its way: the waves still to come, how many of its writes are open, why it stopped."""

    unit: UnitPlan
    waves: deque[tuple[Change, ...]]
    open: int = 0
    stopped: str = ""


class Execution:
    """One plan being carried out.

    `fence` is called before each write, from many threads, and raises where this process may not write (any more). `progress`
    receives each result as it becomes known, from the thread that called `run`.
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
        self._store, self._progress = store, progress
        self._sender = Sender(plan.digest, writer, store, clock, fence, workers)
        self._units = {
            unit.name: _Running(unit, deque(wave for step in unit.steps for wave in step.waves if wave))
            for unit in plan.units
            if unit.mode is Mode.ENFORCE and any(step.waves for step in unit.steps)
        }
        self._waiting = list(self._units.values())
        self._through: set[str] = {unit.name for unit in plan.units} - self._units.keys()
        self._failed: set[str] = set()
        self._ready: deque[tuple[str, Change]] = deque()
        self._results: list[WriteResult] = []

    def run(self) -> tuple[WriteResult, ...]:
        """Write everything that the plan's units in enforce mode hold; returns one result a write, in order of completion."""
        changes = [change for running in self._waiting for wave in running.waves for change in wave]
        self._store.widen(change.key for change in changes if change.action is not Action.DELETE)
        self._start_units()
        with self._sender as sender:
            while sender.flying or self._ready:
                if room := sender.room(len(self._ready)):
                    sender.send([self._ready.popleft() for _ in range(room)])
                for ended in sender.take():
                    self._finish(ended)
                self._start_units()
        for running in self._waiting:
            self._stop(running, "the units that come first wait for each other")
        return tuple(self._results)

    def _start_units(self) -> None:
        """Start every unit whose predecessors are through; where one of them failed, it ends without a write."""
        moved = bool(self._waiting)
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
                    self._ready.extend(self._next_wave(running))

    def _next_wave(self, running: _Running) -> list[tuple[str, Change]]:
        if running.stopped:
            self._stop(running, running.stopped)
        elif running.waves:
            wave = running.waves.popleft()
            running.open = len(wave)
            return [(running.unit.name, change) for change in wave]
        else:
            self._through.add(running.unit.name)
        return []

    def _stop(self, running: _Running, reason: str) -> None:
        self._failed.add(running.unit.name)
        for wave in running.waves:
            for change in wave:
                self._note(Ended(running.unit.name, change, Written.NOT_STARTED, reason))
        running.waves.clear()

    def _finish(self, ended: Ended) -> None:
        self._note(ended)
        running = self._units[ended.unit]
        running.open -= 1
        if ended.outcome is not Written.DONE and not running.stopped:
            running.stopped = f"{ended.change.action} of {ended.change.key} was not carried out"
        if running.open == 0:
            self._ready.extendleft(reversed(self._next_wave(running)))

    def _note(self, ended: Ended) -> None:
        change = ended.change
        result = WriteResult(ended.unit, change.key, change.action, change.cause, ended.outcome, ended.message)
        self._results.append(result)
        if self._progress:
            self._progress(result)
