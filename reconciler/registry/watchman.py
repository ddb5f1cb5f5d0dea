"""What the server does without being asked, at every tick."""

import asyncio
import logging
from datetime import datetime, timedelta

from reconciler.core.fleet.keeping import MOST, Keeping, forgotten
from reconciler.core.fleet.leases import Tick, interrupted
from reconciler.core.fleet.sweep import due, sweep
from reconciler.core.fleet.values import Agent
from reconciler.errors import ReconcilerError
from reconciler.ports import Clock
from reconciler.registry.registrar import Registrar

log = logging.getLogger(__name__)

#: A sweep at every second tick.
SWEEP = 2
#: How often what is over is forgotten, where not all of it could go at once.
FORGET = timedelta(hours=1)


class Watchman:
    """Looks around every `Pace.tick` for a registrar."""

    def __init__(self, registrar: Registrar, clock: Clock, keeping: Keeping) -> None:
        self._registrar, self._clock, self._keeping = registrar, clock, keeping
        self._forgot: datetime | None = None
        self._last = self._tick()
        self._ticks = 0
        self._was_shedding = self._was_recovering = False

    def shed(self) -> None:
        """Note that somebody was turned away."""
        self._was_shedding = True

    async def start(self) -> None:
        """Read everything; every lease begins anew, since nobody could be heard while we were away. Raises Unavailable."""
        await self._registrar.hearing.read()
        await self._registrar.ledger.refresh()
        await self._registrar.publisher.look()
        self._registrar.hearing.begin_anew()
        self._last = self._tick()

    async def stop(self) -> None:
        """Store the signs that are not stored yet, so that the next start knows them."""
        try:
            await self._registrar.hearing.store()
        except ReconcilerError as error:
            log.warning("the last signs of life were not stored: %s", error)

    async def run(self) -> None:
        """Look around until cancelled. A bug is logged with its traceback, and the next look still comes."""
        every = self._registrar.hearing.pace.tick.total_seconds()
        while True:
            await asyncio.sleep(every)
            try:
                await self.look()
            except ReconcilerError as error:
                log.warning("the registry's server cannot look around: %s", error)
                self._registrar.hearing.begin_anew()
            except Exception:
                log.exception("bug in a look of the registry's server; the next one still comes")
                self._registrar.hearing.begin_anew()

    async def look(self) -> None:
        """Store signs of life, read what others wrote, sweep, publish. Raises Unavailable."""
        registrar, now = self._registrar, self._tick()
        if interrupted(self._last, now, registrar.hearing.pace.sweep) or self._was_shedding or self._was_recovering:
            registrar.hearing.begin_anew()
        self._last, self._was_shedding = now, False
        self._ticks += 1
        signs = await registrar.hearing.store()
        await registrar.ledger.refresh()
        await registrar.ledger.remember()
        await registrar.publisher.look()
        self._was_recovering = registrar.ledger.roster.fleet.recovering is not None
        if self._ticks % SWEEP == 0:
            await self._sweep()
        if self._forgot is None or registrar.ledger.now >= self._forgot + FORGET:
            await self._forget()
        await registrar.publisher.publish(registrar.ledger.roster, registrar.silence(), registrar.ledger.now)
        await registrar.publisher.move_on(registrar.ledger.roster, signs)

    async def _sweep(self) -> None:
        registrar = self._registrar
        if due(registrar.ledger.roster, registrar.silence(), registrar.ledger.now):
            await registrar.hearing.read()  # another replica may have heard them
        await registrar.ledger.decided(
            lambda now: sweep(registrar.ledger.roster, registrar.silence(), now), lambda decision: decision
        )

    async def _forget(self) -> None:
        """Forget what is over, as much as goes at once; the rest goes with the next look."""
        ledger, hearing, keeping = self._registrar.ledger, self._registrar.hearing, self._keeping
        decision = await ledger.decided(
            lambda now: forgotten(ledger.roster, self._registrar.silence(), keeping, now), lambda found: found
        )
        hearing.forget(one.id for one in decision.gone if isinstance(one, Agent))
        cut = await ledger.cut(ledger.now - keeping.audit, MOST)
        if len(decision.gone) < MOST and cut < MOST:
            self._forgot = ledger.now

    def _tick(self) -> Tick:
        return Tick(self._clock.now(), self._clock.monotonic())
