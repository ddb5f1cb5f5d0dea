"""May this process write to the target, and does it still: the lease and the store behind it.

One holder at a time has the target's lease, and only out of the target's own state store: the lease names the store, and how
far that store had come. A store that is another one, or an older copy of itself, may look and plan; `reconciler recover` makes
it the target's own.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock

from reconciler.core.resources import ObservedState
from reconciler.core.wanted import marked_for
from reconciler.errors import Fenced
from reconciler.ports import Clock, Lease, LeaseState, Store

#: Part of the lease's time after which it is renewed.
RENEW_AFTER = 3

#: Seconds between two looks at a lease that somebody else holds.
LOOK_AGAIN = 1.0

#: Times of the lease that a silent holder is watched for before it counts as alive after all.
PATIENCE = 1.5

#: An epoch that no lease has: what follows on a look at somebody else's lease must be looked at again.
_NEVER = -1

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Authority:
    """The right to write to one target. For several threads.

    What is decided on an observation may be carried out only if nobody else wrote since: `look` before observing, `take`
    before writing, `fence` between writes.
    """

    lease: Lease
    store: Store
    clock: Clock
    target: str
    holder: str
    ttl: timedelta
    _held: LeaseState | None = field(default=None, init=False)
    _renewed: tuple[float, datetime] = field(default=(0.0, datetime.min.replace(tzinfo=UTC)), init=False)
    _expected: int | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    @property
    def held(self) -> bool:
        """Whether the lease was ours when we last asked."""
        return self._held is not None

    @property
    def stopped(self) -> bool:
        """Whether no further write may begin, for good."""
        return self._stopped

    def look(self) -> None:
        """Note how the lease stands, before the stores are read; asks nobody while it is ours. Raises Unavailable, Rejected."""
        with self._lock:
            if self._held is not None:
                self._expected = self._held.epoch
                return
            found = self.lease.current()
            if found is None or not found.holder:
                self._expected = (found.epoch if found else 0) + 1
            else:
                self._expected = found.epoch if found.holder == self.holder else _NEVER

    def objection(self, observed: ObservedState) -> str:
        """Return why this store must not write to the target, empty where it may. Asks the lease. Raises Unavailable."""
        state = self.lease.current()
        if state and state.store and state.store != self.store.id:
            used = f", in use by {state.holder}" if state.holder else ""
            return (
                f"the target belongs to another state store ({state.store[:12]}{used}); "
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

    def take(self, pause: Callable[[float], object] | None = None) -> bool:
        """Take the lease, or keep it; returns whether nobody else can have written since `look`.

        With `pause` a holder that makes no move for the lease's whole time is waited for: it is dead. Raises Fenced where
        another one holds it (as soon as it shows that it is alive), also after `stop`; Unavailable.
        """
        began, seen = self.clock.monotonic(), self.lease.current() if pause else None
        while True:
            try:
                with self._lock:
                    return self._renewed_in_time().epoch == self._expected
            except Fenced as error:
                if pause is None or self._stopped:
                    raise
                now, waited = self.lease.current(), self.clock.monotonic() - began
                has_moved = now and seen and (now.holder, now.renewed) != (seen.holder, seen.renewed)
                if has_moved or waited > self.ttl.total_seconds() * PATIENCE:
                    raise
                if waited < LOOK_AGAIN:
                    log.warning("%s; waiting for at most %.0f s, in case it is dead", error, self.ttl.total_seconds())
            pause(LOOK_AGAIN)

    @contextmanager
    def alone(self, observed: ObservedState) -> Iterator[None]:
        """Hold the lease while the body writes what was decided on this observation. Raises Fenced before it, Unavailable."""
        if objection := self.objection(observed):
            raise Fenced(objection)
        try:
            if not self.take():
                raise Fenced("somebody else held the lease since the cluster was read; run this again")
            yield
        finally:
            self.release()

    def fence(self) -> None:
        """Make sure that the lease is still ours, renewing it when due.

        Raises Fenced where it is another one's, or was meanwhile, and after `stop`; Unavailable.
        """
        with self._lock:
            if self._renewed_in_time().epoch != self._expected:
                raise Fenced("somebody else held the lease meanwhile: what was planned may be out of date")

    def renew(self) -> None:
        """Renew the lease if it is ours. Raises Fenced and Unavailable."""
        with self._lock:
            if self._held is not None and not self._stopped:
                self._acquire()

    def seize(self, rebuild: Callable[[], None]) -> None:
        """Make this store the target's own: take the lease, rebuild the store, write its id and generation into the lease.

        Raises Fenced, naming the holder, while another one writes; Unavailable.
        """
        with self._lock:
            self._acquire()
            rebuild()
        self.release()

    def stop(self) -> None:
        """Let no further write begin."""
        self._stopped = True

    def release(self) -> None:
        """Give the lease back, if it is ours; how far the store has come stays in it. Raises Unavailable."""
        with self._lock:
            if self._held is not None:
                with suppress(Fenced):
                    if self._held.generation != self.store.generation:
                        self._acquire()
                    self.lease.release(self.holder)
                self._held = None

    def _renewed_in_time(self) -> LeaseState:
        """Return the lease as it is ours now."""
        if self._stopped:
            raise Fenced("stopping: no new write is started", holder=self.holder)
        return self._acquire() if self._held is None or self._is_due() else self._held

    def _is_due(self) -> bool:
        """By either clock: a virtual machine that was suspended may know of it by its wall clock alone."""
        (monotonic, wall), after = self._renewed, self.ttl / RENEW_AFTER
        return self.clock.now() - wall >= after or self.clock.monotonic() - monotonic >= after.total_seconds()

    def _acquire(self) -> LeaseState:
        asked = self.clock.monotonic(), self.clock.now()
        try:
            self._held = self.lease.acquire(
                self.holder, self.store.id, self.ttl, now=asked[1], generation=self.store.generation
            )
        except Fenced:
            self._held = None
            raise
        self._renewed = asked
        return self._held
