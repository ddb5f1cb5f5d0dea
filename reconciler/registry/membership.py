"""The records of VMs that joined groups: made by their joins, told how the VM goes, taken away where nobody else uses them."""

from collections.abc import Iterator, Mapping
from operator import is_

from reconciler.core.fleet.membership import join_of
from reconciler.core.fleet.roster import Roster
from reconciler.core.fleet.values import Agent, Workload
from reconciler.core.groups.joins import GROUP, JOINED, Join, has_joined, is_bare
from reconciler.core.records import MachineSpec, asked_document
from reconciler.core.resources import Document, Key, LiveObject

#: A record to put (None: to take away), and the one that is there.
Enrolment = tuple[Document | None, LiveObject | None]
#: What a record of a member comes of.
_Found = tuple[LiveObject | None, Workload, Agent | None]


class Membership:
    """What the records of members are to tell of their joins. One that agrees is not looked at again until something moves."""

    def __init__(self) -> None:
        self._agreeing: dict[Key, _Found] = {}

    def due(self, roster: Roster, records: Mapping[Key, LiveObject]) -> Iterator[Enrolment]:
        """Yield what is to be written. Only of a VM that is there a record is made."""
        before, self._agreeing = self._agreeing, {}
        for key, workload in roster.workloads.items():
            if not workload.group:
                continue
            live = records.get(key)
            found = live, workload, roster.agents.get(workload.agent)
            if (key in before and all(map(is_, found, before[key]))) or not (wanted := _wanted(key, *found)):
                self._agreeing[key] = found
            else:
                yield wanted


def _wanted(key: Key, live: LiveObject | None, workload: Workload, agent: Agent | None) -> Enrolment | None:
    """Return what is to be written of a member, None for nothing: its record agrees, or is Git's."""
    before = Join.of(live)
    join = join_of(workload, agent, before)
    if join is None or (live is not None and not has_joined(live)) or (live is None and join.gone):
        return None
    if live is not None and join.gone and is_bare(live):
        return None, live
    if before is not None and before.document == join.document:
        return None
    spec = {**(live.document["spec"] if live else {}), GROUP: join.group, JOINED: join.document}
    return asked_document(MachineSpec(key, live.labels if live else {}, spec)), live
