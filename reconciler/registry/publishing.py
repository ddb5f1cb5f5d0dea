"""Statuses into the records of the VM registry, where the reconciler reads them.

Level-triggered: what a record says is held against what the fleet says, and written where it differs. So nothing is lost if we
are killed between the two, and a record that Git makes later gets its status too.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType

from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.sweep import Silence
from reconciler.core.fleet.values import Presence, Sign, Workload
from reconciler.core.fleet.views import status_of
from reconciler.core.records import MachineStatus
from reconciler.core.resources import EMPTY, Key, LiveObject
from reconciler.errors import Rejected
from reconciler.ports import RegistryState, VMRegistry

#: Fields of a status that are content; the time of the last sign is none.
_CONTENT = ("health", "address", "reason", "draining", "drain")


class Publisher:
    """What the records say, and what of it is no longer so."""

    def __init__(self, registry: VMRegistry) -> None:
        self._registry = registry
        self._observed = RegistryState(MappingProxyType({}))
        self.localities: Mapping[Key, str] = EMPTY

    @property
    def records(self) -> Mapping[Key, LiveObject]:
        """The records as of the last look."""
        return self._observed.machines

    async def look(self) -> None:
        """Read the records. Raises Unavailable."""
        observed = await asyncio.to_thread(self._registry.observe)
        if observed is not self._observed:
            self._observed = observed
            self.localities = {key: str(live.document["spec"].get("locality", "")) for key, live in observed.machines.items()}

    async def publish(self, roster: Roster, silence: Silence) -> None:
        """Write the statuses that differ. While the fleet recovers none is written. Raises Unavailable."""
        if roster.fleet.recovering:
            return
        wanted = dict(_wanted(roster, silence, self.records))
        if wanted:
            await asyncio.to_thread(self._tell, wanted)

    async def move_on(self, roster: Roster, signs: Mapping[str, Sign]) -> None:
        """Write when VMs were last seen. Raises Unavailable."""
        newest: dict[Key, datetime] = {one.key: sign.at for agent, sign in signs.items() for one in roster.of(agent)}
        await asyncio.to_thread(self._registry.seen, {key: at for key, at in newest.items() if key in self.records})

    def _tell(self, wanted: Mapping[Key, MachineStatus]) -> None:
        for key, status in wanted.items():
            with suppress(Rejected):  # Git has just taken the record away
                self._registry.tell(key, status)


def _wanted(roster: Roster, silence: Silence, records: Mapping[Key, LiveObject]) -> Iterable[tuple[Key, MachineStatus]]:
    for key, live in records.items():
        workload = roster.workloads.get(key)
        if workload is not None and _is_known(workload, silence):
            status = status_of(roster, workload, silence.signs.get(workload.agent))
            said = live.document["status"]
            if any(status.document.get(name) != said.get(name) for name in _CONTENT):
                yield key, status


def _is_known(workload: Workload, silence: Silence) -> bool:
    """Tell whether what we know of a workload is news: of one that is present only what was heard since leases began anew."""
    sign = silence.signs.get(workload.agent)
    return workload.presence is not Presence.PRESENT or (sign is not None and sign.at >= silence.since)
