"""Statuses and joins into the records of the VM registry, where the reconciler reads them.

Level-triggered: what a record says is held against what the fleet says, and written where it differs. So nothing is lost if we
are killed between the two, and a record that Git makes later gets its status too. Records are Git's, but for those of VMs that
join as members of a group: their join makes one, and the reconciler puts what the group says beside it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from operator import is_
from types import MappingProxyType

from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.sweep import Silence
from reconciler.core.fleet.values import Agent, Presence, Sign, Workload
from reconciler.core.fleet.views import held_by, status_of
from reconciler.core.groups.joins import has_joined
from reconciler.core.records import MachineStatus
from reconciler.core.resources import EMPTY, Key, LiveObject
from reconciler.errors import Rejected
from reconciler.ports import RegistryState, ServedRegistry
from reconciler.registry.membership import Enrolment, Membership

#: Fields of a status that are content; the time of the last sign is none.
_CONTENT = ("health", "address", "reason", "draining", "drain", "held")

#: A record, the rows that its status comes of, and whether a brake holds it.
_Found = tuple[LiveObject, Workload, Agent | None, bool]


class Publisher:
    """What the records say, and what of it is no longer so."""

    def __init__(self, registry: ServedRegistry) -> None:
        self._registry = registry
        self._observed = RegistryState(MappingProxyType({}))
        self._agreeing: dict[Key, _Found] = {}
        self._membership = Membership()
        self.localities: Mapping[Key, str] = EMPTY
        self.named_by_git: AbstractSet[Key] = frozenset()

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
            self.named_by_git = {key for key, live in observed.machines.items() if not has_joined(live)}
            self._agreeing = {key: found for key, found in self._agreeing.items() if key in observed.machines}

    async def publish(self, roster: Roster, silence: Silence, now: datetime) -> None:
        """Write the joins and statuses that differ. While the fleet recovers none is written but that. Raises Unavailable."""
        recovering = roster.fleet.recovering is not None
        if (True, recovering) != (self._observed.served, self._observed.recovering):
            await asyncio.to_thread(self._registry.serve, recovering=recovering)
        if recovering:
            return
        if members := tuple(self._membership.due(roster, self.records)):
            await asyncio.to_thread(self._enrol, members)
        wanted = dict(self._wanted(roster, silence, now))
        if wanted:
            await asyncio.to_thread(self._registry.tell, wanted)

    async def move_on(self, roster: Roster, signs: Mapping[str, Sign]) -> None:
        """Write when VMs were last seen. Raises Unavailable."""
        newest: dict[Key, datetime] = {one.key: sign.at for agent, sign in signs.items() for one in roster.of(agent)}
        await asyncio.to_thread(self._registry.seen, {key: at for key, at in newest.items() if key in self.records})

    def _enrol(self, members: Iterable[Enrolment]) -> None:
        for document, live in members:
            uid, version = (live.uid, live.resource_version) if live else ("", "")
            with suppress(Rejected):  # the reconciler has just written it, or taken it away: the next look sees that
                if document is not None:
                    self._registry.put(document, uid=uid, resource_version=version)
                elif live is not None:
                    self._registry.delete(live.key, uid=uid, resource_version=version)

    def _wanted(self, roster: Roster, silence: Silence, now: datetime) -> Iterable[tuple[Key, MachineStatus]]:
        """Yield what records do not say yet. One that agreed is looked at again once anything of it is another value."""
        for key, live in self.records.items():
            workload = roster.workloads.get(key)
            if workload is None:
                continue
            held = bool(held_by(roster, workload, silence, now))
            found = live, workload, roster.agents.get(workload.agent), held
            if key in self._agreeing and all(map(is_, found, self._agreeing[key])):
                continue
            status = status_of(roster, workload, silence.signs.get(workload.agent), held=held)
            wanted, said = status.document, live.document["status"]
            if all(wanted.get(name) == said.get(name) for name in _CONTENT):
                self._agreeing[key] = found
            elif held or _is_known(workload, silence):
                yield key, status


def _is_known(workload: Workload, silence: Silence) -> bool:
    """Tell whether what we know of a workload is news: of one that is present only what was heard since leases began anew.

    Of one that nobody speaks for we know what a person has said.
    """
    sign = silence.signs.get(workload.agent)
    return not workload.agent or workload.presence is not Presence.PRESENT or (sign is not None and sign.at >= silence.since)
