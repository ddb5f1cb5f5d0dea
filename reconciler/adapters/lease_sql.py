"""The one-writer lock of a target as a row of a database, for targets without a cluster.

A holder has lost its lease by silence, which is proved in one of two ways, never by comparing wall clocks of two machines:

- this process has watched the row unchanged for as long as the holder may be silent, on its own monotonic clock;
- a clock that all contenders share says so: PostgreSQL's, or for a SQLite file this machine's since it was started (another
  start of the machine: the holder is gone with it). This does not count while this process has seen the row move lately.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from reconciler.adapters.sql.database import Database
from reconciler.adapters.sql.schema import AnyRow
from reconciler.adapters.sql.schema_lease import PART, leases
from reconciler.errors import Fenced
from reconciler.ports import Clock, LeaseState

#: Which start of this machine it is (Linux); elsewhere one name for all starts, since a clock that runs anew shows by itself.
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last change of the row that this process saw: which one, when (monotonic time), and whether it was the first look."""

    beat: tuple[str, float, int]
    at: float
    first: bool


class SqlLease:
    """The lease of one target. Raises InvalidInput for a URL or file that cannot be used."""

    def __init__(self, url: str, target: str, clock: Clock) -> None:
        self._database = Database(url, PART, durable=False)
        self._target, self._clock = target, clock
        self._boot = _boot() if self._database.is_sqlite else "server"
        self._lock = threading.Lock()
        self._seen: _Seen | None = None

    def acquire(self, holder: str, store: str, ttl: timedelta, *, now: datetime, generation: int = 0) -> LeaseState:
        """Take or renew it. Raises Fenced, naming the holder, while another one holds it; Unavailable."""
        said = {"holder": holder, "store": store, "generation": generation, "renewed": now, "seconds": ttl.total_seconds()}

        def work(connection: Connection) -> LeaseState:
            row = self._locked(connection, now)
            beat = self._shared_time(connection)
            if row.holder not in ("", holder) and not self._is_silent(row, beat):
                raise Fenced(f"target {self._target} is being written to by {row.holder}", holder=row.holder)
            epoch = row.epoch if row.holder == holder else row.epoch + 1
            mine = update(leases).where(leases.c.target == self._target)
            connection.execute(mine.values(**said, epoch=epoch, clock=self._boot, beat=beat))
            return LeaseState(holder, store, epoch, generation, now)

        with self._lock:
            return self._database.write(work)

    def release(self, holder: str) -> None:
        """Give it up; not holding it is fine."""
        mine = update(leases).where(leases.c.target == self._target, leases.c.holder == holder)
        self._database.write(lambda connection: connection.execute(mine.values(holder="")))

    def current(self) -> LeaseState | None:
        """Return it as it stands, None where the target never had one."""
        row = self._database.read(self._find)
        return LeaseState(row.holder, row.store, row.epoch, row.generation, row.renewed) if row else None

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _locked(self, connection: Connection, now: datetime) -> AnyRow:
        """Return the row, made where it is missing, and keep other contenders waiting until the transaction ends."""
        new = {"target": self._target, "holder": "", "store": "", "generation": 0, "epoch": 0, "renewed": now}
        insertion = self._database.insert(leases).values(**new, seconds=0.0, clock="", beat=0.0)
        connection.execute(insertion.on_conflict_do_nothing())
        return connection.execute(select(leases).where(leases.c.target == self._target).with_for_update()).one()

    def _find(self, connection: Connection) -> AnyRow | None:
        return connection.execute(select(leases).where(leases.c.target == self._target)).one_or_none()

    def _shared_time(self, connection: Connection) -> float:
        if self._database.is_sqlite:
            return self._clock.monotonic()
        return float(connection.scalar(select(func.extract("epoch", func.clock_timestamp()))) or 0)

    def _is_silent(self, row: AnyRow, shared_now: float) -> bool:
        beat, now = (row.clock, row.beat, row.epoch), self._clock.monotonic()
        if self._seen is None or self._seen.beat != beat:
            self._seen = _Seen(beat, now, first=self._seen is None)
        if now - self._seen.at >= row.seconds:
            return True
        # A row that has moved since the first look belongs to somebody alive, whatever a shared clock that jumped may say.
        return self._seen.first and (row.clock != self._boot or not 0 <= shared_now - row.beat < row.seconds)


def _boot() -> str:
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return "machine"
