"""The ledger of the registry's server between its reads and its writes, which pass each other."""

import asyncio
import threading
from datetime import timedelta

from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.values import Token
from reconciler.ports import FleetChanges
from reconciler.registry.ledger import Ledger
from tests.contracts.clock import SetClock
from tests.waiting import SOON


class SlowFleet(MemoryFleet):
    """Reads at once, and answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.has_read, self.may_answer = threading.Event(), threading.Event()

    def changes(self, since: int = 0) -> FleetChanges:
        """Return what was there when it was asked."""
        found = super().changes(since)
        self.has_read.set()
        assert self.may_answer.wait(SOON)
        return found


def test_what_is_written_during_a_read_does_not_look_like_a_restored_backup() -> None:
    """The read shows less than is stored by then; the fleet goes on, and the next read shows all of it."""
    fleet, clock = SlowFleet(), SetClock()
    token = Token("t1", "digest", "shop", "vm-1", clock.now(), clock.now() + timedelta(hours=1))

    async def story() -> Ledger:
        ledger = Ledger(fleet, clock)
        reading = asyncio.create_task(ledger.refresh())
        assert await asyncio.to_thread(fleet.has_read.wait, SOON)
        await ledger.save(Decision((token,)))
        fleet.may_answer.set()
        await reading
        assert ledger.roster.fleet.recovering is None
        await ledger.refresh()
        return ledger

    ledger = asyncio.run(story())
    assert (ledger.roster.fleet.recovering, ledger.version) == (None, 1)
    assert [one.id for one in ledger.roster.tokens.values()] == ["t1"]
