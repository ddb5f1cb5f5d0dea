"""Signs of life: whom we have heard, and since when silence counts. It belongs to the event loop's thread."""

import asyncio
from collections.abc import Iterable, Mapping

from reconciler.core.fleet.brakes import BrakeRules
from reconciler.core.fleet.leases import Pace
from reconciler.core.fleet.refusals import Refusal, Refused
from reconciler.core.fleet.sweep import Silence
from reconciler.core.fleet.values import Sign
from reconciler.core.resources import Key
from reconciler.ports import Clock, FleetStore


class Hearing:
    """The last sign of each agent, ours at once, those that other replicas heard once they have stored them."""

    def __init__(self, store: FleetStore, clock: Clock, pace: Pace, brakes: BrakeRules) -> None:
        self._store, self._clock = store, clock
        self.pace, self.brakes = pace, brakes
        self._signs: dict[str, Sign] = {}
        self._unsaved: dict[str, Sign] = {}
        self._since = self._saved = clock.now()

    def begin_anew(self) -> None:
        """Let every lease begin now: what we could not hear is held against nobody."""
        self._since = self._clock.now()

    def check(self) -> None:
        """Raises Refused where signs can no longer be stored, so that agents go to another replica."""
        if not self.can_store:
            raise Refused(Refusal.UNAVAILABLE, "signs of life cannot be stored", retry_after=self.pace.heartbeat)

    def hear(self, agent: str, agents: int) -> None:
        """Note a sign of an agent."""
        lease = self.pace.lease_for(self.pace.next_in(agents))
        self._signs[agent] = self._unsaved[agent] = Sign(self._clock.now(), lease)

    @property
    def can_store(self) -> bool:
        """Whether what is heard is stored in time: with a beat every third of a lease, nobody is lost by another replica."""
        return not self._unsaved or self._clock.now() - self._saved <= self.pace.lease / 3

    def silence(self, localities: Mapping[Key, str]) -> Silence:
        """Return what is known of who is silent."""
        return Silence(self._signs, self._since, localities, self.pace, self.brakes)

    def forget(self, agents: Iterable[str]) -> None:
        """Forget signs of agents that are not on record any more."""
        for agent in agents:
            self._signs.pop(agent, None)
            self._unsaved.pop(agent, None)

    async def store(self) -> Mapping[str, Sign]:
        """Store the signs that are not stored yet, and return them. Raises Unavailable, and keeps them then."""
        unsaved, self._unsaved = self._unsaved, {}
        try:
            await asyncio.to_thread(self._store.sign, unsaved)
        except BaseException:
            self._unsaved = {**unsaved, **self._unsaved}
            raise
        self._saved = self._clock.now()
        return unsaved

    async def read(self) -> None:
        """Read what other replicas have heard. Raises Unavailable."""
        for agent, sign in (await asyncio.to_thread(self._store.signs)).items():
            known = self._signs.get(agent)
            if known is None or sign.at > known.at:
                self._signs[agent] = sign
