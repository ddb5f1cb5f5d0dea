"""A fleet's state in memory and in its store. It belongs to the event loop's thread; the store is asked from other threads.

What a decision changes is stored under the versions that it was decided on, then applied, then answered. Where somebody else
was faster, the state is read again and decided again.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from reconciler.core.fleet.admission import fallen_back
from reconciler.core.fleet.audit import Entry, Extent, Link
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.roster import Decision, Roster
from reconciler.errors import Conflict
from reconciler.ports import Clock, FleetStore
from reconciler.registry.mark import Mark

T = TypeVar("T")

log = logging.getLogger(__name__)

#: So often a decision is made again because somebody else was faster.
TRIES = 5
#: What operators must hear of, whatever else is logged.
_ALARMS = frozenset({"credential-copied", "recovering", "brake-holds", "lost"})


class Ledger:
    """The roster of one target, and what it comes from. `version` is that up to which everything is known here."""

    def __init__(self, store: FleetStore, clock: Clock, mark: Mark) -> None:
        self._store, self._clock, self._mark = store, clock, mark
        self.roster = Roster()
        self.version, self._newest = 0, mark.read()
        self._news = asyncio.Event()

    @property
    def now(self) -> datetime:
        """The server's time."""
        return self._clock.now()

    async def decided(self, decide: Callable[[datetime], T], decision: Callable[[T], Decision]) -> T:
        """Decide, store what that changes, and return it. Raises what `decide` raises, Refused, Unavailable."""
        for _ in range(TRIES):
            outcome = decide(self.now)
            try:
                await self.save(decision(outcome))
            except Conflict:
                await self.refresh()
            else:
                return outcome
        raise Refused(Refusal.CONFLICT, "others write faster than we decide; try again")

    async def save(self, decision: Decision) -> None:
        """Store a decision and apply it; nothing where it changes nothing. Raises Conflict, Unavailable."""
        if not decision.rows and not decision.audit and not decision.gone:
            return
        stored = await asyncio.to_thread(self._store.save, decision)
        self._newest = max(self._newest, *(row.version for row in stored), 0)
        self.roster.apply(stored)
        self.roster.forget(decision.gone)
        for entry in decision.audit:
            _log(entry)

    async def refresh(self) -> None:
        """Read what was written since the last time. An older copy in the store's place makes the fleet recover."""
        stored = self._newest  # what is stored from here on, while the read is under way, it may rightly not show
        changes = await asyncio.to_thread(self._store.changes, self.version)
        if changes.version < stored:
            await self._begin_anew()
            return
        self.roster.apply(changes.rows)
        if changes.version != self.version:
            self._tell(changes.version)

    async def remember(self) -> None:
        """Keep how far the record is, apart from it. By one task alone."""
        await asyncio.to_thread(self._mark.keep, self.version)

    async def _begin_anew(self) -> None:
        changes = await asyncio.to_thread(self._store.changes, 0)
        self.roster, self._newest = Roster(changes.rows), changes.version
        await self.save(fallen_back(self.roster, self.now))
        self._tell(changes.version)

    def _tell(self, version: int) -> None:
        self.version, self._newest = version, max(self._newest, version)
        self._news.set()
        self._news = asyncio.Event()

    async def wait_for_news(self, version: int, longest: float) -> None:
        """Return once another version is known here, or after so many seconds."""
        try:
            async with asyncio.timeout(longest):
                while self.version == version:
                    await self._news.wait()
        except TimeoutError:
            return

    async def audit(self, after: int, limit: int) -> tuple[Link, ...]:
        """Return links of the audit log that follow the one of a number."""
        return await asyncio.to_thread(self._store.audit, after, limit)

    async def extent(self) -> Extent:
        """Return where the audit log begins and ends."""
        return await asyncio.to_thread(self._store.extent)

    async def cut(self, before: datetime, most: int) -> int:
        """Cut off the oldest links of the audit log; return how many went."""
        return await asyncio.to_thread(self._store.cut, before, most)


def _log(entry: Entry) -> None:
    level = logging.WARNING if entry.action in _ALARMS else logging.INFO
    log.log(level, "%s: %s %s%s", entry.actor, entry.action, entry.subject, f": {entry.detail}" if entry.detail else "")
