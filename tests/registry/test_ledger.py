"""The ledger of the registry's server between its reads and its writes, which pass each other."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.adapters.memory_fleet import MemoryFleet
from reconciler.core.fleet.operating import end_recovery
from reconciler.core.fleet.roster import Decision
from reconciler.core.fleet.values import Token
from reconciler.ports import FleetChanges
from reconciler.registry.ledger import Ledger
from reconciler.registry.mark import Mark
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


def looked(fleet: MemoryFleet, path: Path) -> Ledger:
    """A server that has started over a record, looked around, and ended."""
    ledger = Ledger(fleet, SetClock(), Mark(path))

    async def story() -> None:
        await ledger.refresh()
        await ledger.remember()

    asyncio.run(story())
    return ledger


@pytest.mark.case("S-04", "V-12")
def test_a_backup_that_was_put_in_place_while_no_server_ran_is_noticed(tmp_path: Path) -> None:
    """However young it is: what was revoked or used since would be good again. Once its recovery has ended it is the record."""
    clock, path = SetClock(), tmp_path / "registry.mark"
    record, backup = MemoryFleet(), MemoryFleet()
    tokens = [Token(f"t{n}", f"digest {n}", "shop", f"vm-{n}", clock.now(), clock.now()) for n in range(5)]
    record.save(Decision(tuple(tokens)))
    backup.save(Decision(tuple(tokens[:4])))
    assert looked(record, path).roster.fleet.recovering is None
    assert looked(record, path).roster.fleet.recovering is None
    for _ in range(2):
        found = looked(backup, path)
        assert found.roster.fleet.recovering == clock.now()
        assert len(found.roster.tokens) == 4
    backup.save(end_recovery(found.roster, "ann", clock.now()))
    assert looked(backup, path).roster.fleet.recovering is None
    assert looked(MemoryFleet(), path).roster.fleet.recovering == clock.now()


def test_a_mark_that_cannot_be_kept_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said, once."""
    missing, unreadable = Mark(tmp_path / "none" / "registry.mark"), tmp_path / "registry.mark"
    missing.keep(1)
    missing.keep(2)
    unreadable.write_text("what")
    assert (missing.read(), Mark(unreadable).read()) == (0, 0)
    assert [record.message.split(" ", 1)[1][:16] for record in caplog.records] == ["cannot be writte", "cannot be read, "]


def test_what_is_written_during_a_read_does_not_look_like_a_restored_backup() -> None:
    """The read shows less than is stored by then; the fleet goes on, and the next read shows all of it."""
    fleet, clock = SlowFleet(), SetClock()
    token = Token("t1", "digest", "shop", "vm-1", clock.now(), clock.now() + timedelta(hours=1))

    async def story() -> Ledger:
        ledger = Ledger(fleet, clock, Mark())
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
