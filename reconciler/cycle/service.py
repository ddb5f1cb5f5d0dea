"""When cycles run: one at a time, on a tick, on a nudge from a watch or a working copy, and again after a failure.

A nudge says only that something may have changed; what it is, the cycle finds out itself. Nudges that arrive while a cycle
runs, or within `SETTLE` of each other, make one more cycle. The loop never sleeps inside a decision: it waits for an event.
"""

import logging
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from queue import Empty, SimpleQueue

from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.core.report import Report, Verdict
from reconciler.cycle.authority import RENEW_AFTER
from reconciler.cycle.run import Cycle
from reconciler.errors import ReconcilerError

log = logging.getLogger(__name__)

#: A burst of watch events (our own writes above all) is one reason to look, not many.
SETTLE = 0.2
#: First and longest pause before a failed cycle is tried again, in seconds.
RETRY, RETRY_LONGEST = 2.0, 300.0


class Service:
    """One target, served until `stop`.

    `poll` is how often Git is asked. `report` receives every report in which something was seen, decided or done; a pass in
    which nothing changed makes none. `watch` watches a local repository.
    """

    def __init__(
        self,
        cycle: Cycle,
        *,
        poll: timedelta,
        report: Callable[[Report], None],
        watch: Callable[[Callable[[], None]], Callable[[], None]] | None = None,
    ) -> None:
        self._cycle, self._poll, self._report, self._watch = cycle, poll, report, watch
        # A signal handler may put into such a queue whatever it interrupts; an Event has a lock that may be held just then.
        self._nudges: SimpleQueue[None] = SimpleQueue()
        self._stops: SimpleQueue[None] = SimpleQueue()
        self._stopping = False
        self._scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        self._retry: threading.Timer | None = None
        self._failures = 0
        self._subscribed = self._told_to_stand_by = False

    def nudge(self) -> None:
        """Ask for a cycle soon. Cheap; from any thread."""
        self._nudges.put(None)

    def stop(self) -> None:
        """End after the write in hand. From any thread or a signal handler."""
        self._stopping = True
        self._cycle.authority.stop()
        self._stops.put(None)
        self._nudges.put(None)

    def run(self) -> None:
        """Serve until stopped, then give the lease back."""
        unwatch = self._watch(self._tick) if self._watch else None
        self._start_ticking()
        self.nudge()
        try:
            while not self._stopping:
                self._wait()
                _comes(self._stops, SETTLE)
                while not self._nudges.empty():
                    self._nudges.get()
                if not self._stopping:
                    self._pass()
        finally:
            self._end(unwatch)

    def _wait(self) -> None:
        """Wait for a nudge, or until something is due that no nudge tells of."""
        silence = self._poll.total_seconds() * 2
        left = self._cycle.due_in(silence)
        # The scheduler goes by the wall clock: one that was set back would keep it silent for as long.
        if not _comes(self._nudges, left) and left >= silence:
            self._tick()

    def _end(self, unwatch: Callable[[], None] | None) -> None:
        if unwatch:
            unwatch()
        self._cancel_retry()
        self._scheduler.shutdown(wait=False)
        try:
            self._cycle.authority.release()
        except ReconcilerError as error:
            log.warning("the lease was not given back, and runs out by itself: %s", error)

    def _start_ticking(self) -> None:
        """misfire_grace_time None: a late tick is still a tick; coalesce: many missed ones are one."""
        rules = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        jitter = max(1, int(self._poll.total_seconds() / 10))
        self._scheduler.add_job(self._tick, "interval", seconds=self._poll.total_seconds(), jitter=jitter, **rules)
        self._scheduler.add_job(
            self._renew, "interval", seconds=self._cycle.authority.ttl.total_seconds() / RENEW_AFTER, **rules
        )
        self._scheduler.start()

    def _tick(self) -> None:
        self._cycle.poll_due()
        self.nudge()

    def _renew(self) -> None:
        """Keep the lease, or as a standby look whether it is free by now; and look whether a person has approved anything."""
        try:
            self._cycle.authority.renew()
        except ReconcilerError as error:
            log.warning("lease: %s", error)
        self.nudge()

    def _pass(self) -> None:
        """Run one cycle. A bug is logged with its traceback, and the next cycle still runs."""
        try:
            if not self._subscribed:
                self._cycle.subscribe(self.nudge)
                self._subscribed = True
            if self._cycle.nothing_new():
                return
            report = self._cycle.run("serve", write=True)
            self._tell(report)
        except ReconcilerError as error:
            log.warning("cannot look: %s", error)
            self._retry_later()
            return
        except Exception:
            log.exception("bug in a cycle; the next one still runs")
            self._retry_later()
            return
        if report.verdict in (Verdict.UNAVAILABLE, Verdict.FAILED):
            self._retry_later()
        else:
            self._failures = 0
            self._cancel_retry()

    def _tell(self, report: Report) -> None:
        """Pass a report on, unless it says once more that somebody else is the writer."""
        again = self._told_to_stand_by and self._cycle.stands_by
        self._told_to_stand_by = self._cycle.stands_by
        if not again:
            self._report(report)

    def _retry_later(self) -> None:
        """Look again after a pause that grows with each failure: at Git, too, since it may be what fails."""
        pause = min(RETRY * 2**self._failures, RETRY_LONGEST) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        self._failures = min(self._failures + 1, 10)
        self._cancel_retry()
        self._retry = threading.Timer(pause, self._tick)
        self._retry.daemon = True
        self._retry.start()

    def _cancel_retry(self) -> None:
        if self._retry:
            self._retry.cancel()


def _comes(queue: SimpleQueue[None], seconds: float) -> bool:
    """Wait for something to be put into a queue; returns whether it was, in time."""
    try:
        queue.get(timeout=seconds)
    except Empty:
        return False
    return True
