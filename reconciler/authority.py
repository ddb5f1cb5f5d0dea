"""May this process write to the target, and does it still: the lease and the store behind it.

One holder at a time has the target's lease, and only out of the target's own state store: the lease names the store, and how
far that store had come. A store that is another one, or an older copy of itself, may look and plan; `reconciler recover` makes
it the target's own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from reconciler.core.resources import ObservedState
from reconciler.core.wanted import marked_for
from reconciler.errors import Fenced
from reconciler.ports import Clock, Lease, Store

#: Part of the lease's time after which it is renewed.
RENEW_AFTER = 3

#: Seconds between two looks at a lease that somebody else holds.
LOOK_AGAIN = 1.0

#: Times of the lease that a silent holder is watched for before it counts as alive after all.
PATIENCE = 1.5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Authority:
    """The right to write to one target. For several threads."""

    lease: Lease
    store: Store
    clock: Clock
    target: str
    holder: str
    ttl: timedelta
    _renewed: float | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def objection(self, observed: ObservedState) -> str:
        """Return why this store must not write to the target, empty where it may. Asks the lease. Raises Unavailable."""
        state = self.lease.current()
        if state and state.store and state.store != self.store.id:
            return (
                f"the target belongs to another state store ({state.store[:12]}, last used by {state.holder or 'nobody now'}); "
                "this one may look and plan; `reconciler recover` makes it the target's own"
            )
        if state and state.store and state.generation > self.store.generation:
            return (
                "the state store is an older copy of the target's own (restored from a backup?); nothing is written until "
                "`reconciler recover` has brought it up to what the cluster holds"
            )
        if self.store.fresh and any(marked_for(live.labels) == self.target for live in observed.objects.values()):
            return (
                "the state store is empty, but the cluster holds objects of this target: the store was lost; nothing is "
                "written until `reconciler recover` has rebuilt it from the marks"
            )
        return ""

    def fence(self) -> None:
        """Make sure that the lease is ours, renewing it when due. Raises Fenced, also after `stop`; Unavailable."""
        with self._lock:
            if self._stopped:
                raise Fenced("stopping: no new write is started", holder=self.holder)
            now = self.clock.monotonic()
            if self._renewed is None or now - self._renewed >= self.ttl.total_seconds() / RENEW_AFTER:
                self._acquire(now)

    def take(self, pause: Callable[[float], object]) -> None:
        """Take the lease, once. A holder that makes no move for the lease's whole time is dead, and is waited for with `pause`.

        Raises Fenced as soon as the holder renews (it is alive), or when another one was faster; Unavailable.
        """
        began, seen = self.clock.monotonic(), self.lease.current()
        while True:
            try:
                return self.fence()
            except Fenced as error:
                now = self.lease.current()
                late = self.clock.monotonic() - began > self.ttl.total_seconds() * PATIENCE
                if self._stopped or late or (now and seen and (now.holder, now.renewed) != (seen.holder, seen.renewed)):
                    raise
                if self.clock.monotonic() - began < LOOK_AGAIN:
                    log.warning("%s; waiting for at most %.0f s, in case it is dead", error, self.ttl.total_seconds())
            pause(LOOK_AGAIN)

    def renew(self) -> None:
        """Renew the lease if it is ours. Raises Fenced and Unavailable."""
        with self._lock:
            if self._renewed is not None and not self._stopped:
                self._acquire(self.clock.monotonic())

    def seize(self, rebuild: Callable[[], None]) -> None:
        """Make this store the target's own: take the lease, rebuild the store, write its id and generation into the lease.

        Raises Fenced, naming the holder, while another one writes; Unavailable.
        """
        with self._lock:
            self._acquire(self.clock.monotonic())
            rebuild()
            self._acquire(self.clock.monotonic())
        self.release()

    def stop(self) -> None:
        """Let no further write begin."""
        self._stopped = True

    def release(self) -> None:
        """Give the lease back, if it is ours."""
        with self._lock:
            if self._renewed is not None:
                self.lease.release(self.holder)
                self._renewed = None

    def _acquire(self, now: float) -> None:
        try:
            self.lease.acquire(self.holder, self.store.id, self.ttl, now=self.clock.now(), generation=self.store.generation)
        except Fenced:
            self._renewed = None
            raise
        self._renewed = now
