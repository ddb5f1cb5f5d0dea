"""The one-writer lock in memory, for demos and tests: one `Leases` is what all processes would share, each has its own view.

A silent holder's time is up once the view itself has seen no move for the time to live, as with the lease in a cluster.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reconciler.errors import Fenced
from reconciler.ports import LeaseState


@dataclass(frozen=True, slots=True)
class _Held:
    state: LeaseState
    ttl: timedelta
    version: int


class Leases:
    """The leases of all targets."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: dict[str, _Held] = {}


class MemoryLease:
    """One process's view of the lease of one target."""

    def __init__(self, leases: Leases, target: str, monotonic: Callable[[], float]) -> None:
        self._leases, self._target, self._monotonic = leases, target, monotonic
        self._seen = (0, 0.0)

    def acquire(self, holder: str, store: str, ttl: timedelta, *, now: datetime, generation: int = 0) -> LeaseState:
        """Take or renew it. Raises Fenced, naming the holder."""
        with self._leases.lock:
            found = self._read()
            before = found.state if found else LeaseState("", "", 0)
            if found and before.holder not in ("", holder):
                left = found.ttl.total_seconds() - (self._monotonic() - self._seen[1])
                if left > 0:
                    raise Fenced(
                        f"{before.holder} writes to this target; its lease runs {left:.0f} s more", holder=before.holder
                    )
            epoch = before.epoch + (before.holder != holder)
            state = LeaseState(holder, store, epoch, generation, renewed=now)
            self._write(_Held(state, ttl, (found.version if found else 0) + 1))
            return state

    def release(self, holder: str) -> None:
        """Give it up; not holding it is fine."""
        with self._leases.lock:
            found = self._read()
            if found is not None and found.state.holder == holder:
                self._write(_Held(replace(found.state, holder=""), found.ttl, found.version + 1))

    def current(self) -> LeaseState | None:
        """Return it as it stands."""
        with self._leases.lock:
            found = self._read()
            return found.state if found else None

    def _read(self) -> _Held | None:
        found = self._leases.held.get(self._target)
        if found is not None:
            self._note(found)
        return found

    def _write(self, held: _Held) -> None:
        self._leases.held[self._target] = held
        self._note(held)

    def _note(self, found: _Held) -> None:
        if self._seen[0] != found.version:
            self._seen = (found.version, self._monotonic())
