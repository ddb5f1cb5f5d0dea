"""The sweep: whose lease is over, and which of them a brake holds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.brakes import BrakeRules, Braking, Member, brake, scopes_of
from reconciler.core.fleet.damping import damped
from reconciler.core.fleet.leases import LAG, Pace, deadline
from reconciler.core.fleet.roster import NOTHING, Decision, Roster
from reconciler.core.fleet.values import Agent, AgentState, Presence, Row, Sign, Workload
from reconciler.core.resources import Key

_SILENT = "no sign of life within its lease"


@dataclass(frozen=True, slots=True)
class Silence:
    """What is known of who is silent: the last sign of each agent, since when leases count.

    `localities` are those of the workloads that Git knows. One that it does not (any more) may go without a brake: a planned
    scale-down takes it out of Git first, and it is in no mesh.
    """

    signs: Mapping[str, Sign]
    since: datetime
    localities: Mapping[Key, str]
    pace: Pace
    rules: BrakeRules

    def deadline(self, agent: str, now: datetime) -> datetime:
        """Return when an agent's lease ends."""
        return deadline(self.signs.get(agent), self.since, now, self.pace)

    def is_silent(self, agent: Agent, now: datetime) -> bool:
        """Tell whether an agent's lease is over."""
        return self.deadline(agent.id, now) <= now

    def is_planned(self, workload: Workload) -> bool:
        """Tell whether a workload may go without a brake."""
        return workload.draining or workload.key not in self.localities

    def scopes(self, workload: Workload) -> tuple[str, ...]:
        """Return the scopes that a workload counts in."""
        return scopes_of(workload.namespace, self.localities.get(workload.key, ""))


def due(roster: Roster, silence: Silence, now: datetime) -> list[Member]:
    """Return the workloads whose agents are silent past their leases.

    Those of a locked agent are not among them: it is silent because we do not listen, and its last health stays.
    """
    found, late = list[Member](), LAG * silence.pace.tick
    for agent in roster.agents.values():
        if agent.state is AgentState.ACTIVE and (ends := silence.deadline(agent.id, now)) + late <= now:
            present = (one for one in roster.of(agent.id) if one.presence is Presence.PRESENT)
            found += [Member(one.key, silence.scopes(one), ends) for one in present]
    return found


def braking(roster: Roster, silence: Silence, asking: Iterable[Member], now: datetime) -> Braking:
    """Hold those that would go against the brakes. Who was meant to go counts nowhere."""
    size: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for one in roster.workloads.values():
        if one.key not in silence.localities:
            continue
        departed = one.departed is not None and not one.planned and now - one.departed < silence.rules.window
        if one.presence is Presence.PRESENT or departed:
            size.update(silence.scopes(one))
        if departed:
            gone.update(silence.scopes(one))
    return brake(tuple(asking), size, gone, roster.fleet.tripped, silence.rules)


def sweep(roster: Roster, silence: Silence, now: datetime) -> Decision:
    """Return who is lost now. While the fleet recovers nobody is."""
    if roster.fleet.recovering:
        return NOTHING
    asking = due(roster, silence, now)
    if not asking and not roster.fleet.tripped:
        return NOTHING
    planned = {one.key for one in asking if silence.is_planned(roster.workloads[one.key])}
    outcome = braking(roster, silence, [one for one in asking if one.key not in planned], now)
    going = [roster.workloads[key] for key in sorted(outcome.lost | planned)]
    rows: list[Row] = [replace(lost(one, now), planned=one.key in planned) for one in going]
    audit = [Entry(now, "registry", "lost", str(row.key), row.reason) for row in rows if isinstance(row, Workload)]
    tripped, told = _tripped(roster, outcome, now)
    if tripped != roster.fleet.tripped:
        rows.append(replace(roster.fleet, tripped=tripped))
    return Decision(tuple(rows), (*audit, *told))


def lost(workload: Workload, now: datetime, reason: str = _SILENT) -> Workload:
    """Return a workload as lost; that is a fall from health too, which damping counts."""
    return replace(
        workload,
        presence=Presence.LOST,
        departed=now,
        reason=reason,
        damping=damped(workload.damping, now, fell=True),
    )


def _tripped(roster: Roster, outcome: Braking, now: datetime) -> tuple[Mapping[str, str], list[Entry]]:
    """Return which brakes hold since when, and one entry for each that begins or ends: one event is told once."""
    before = roster.fleet.tripped
    held = Counter(scope for scopes in outcome.held.values() for scope in scopes)
    after = {scope: before.get(scope, now.isoformat()) for scope in sorted(outcome.tripped)}
    told = [Entry(now, "registry", "brake-holds", scope, f"{held[scope]} held") for scope in after if scope not in before]
    told += [
        Entry(now, "registry", "brake-ended", scope, "nobody is due there any more") for scope in before if scope not in after
    ]
    return after, told
