"""What a fleet forgets: join tokens that are good for nothing any more, and agents without any right, after a while.

An agent stays on record as long as a backup may be put back in which it still has its rights. A credential of one that is
forgotten must not pass for one that a restored backup lacks: its id says when it joined, and the fleet up to which moment some
who joined are forgotten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from reconciler.core.fleet.audit import Entry
from reconciler.core.fleet.roster import NOTHING, Decision, Roster
from reconciler.core.fleet.sweep import Silence
from reconciler.core.fleet.values import Agent, AgentState, Fleet, Presence, Row, Token, Workload

#: Most rows, and most entries of the audit log, that go at once.
MOST = 1000
_ID = re.compile(r"t([0-9a-f]{1,12})-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what is over stays: tokens and agents (`dead`), and entries of the audit log."""

    dead: timedelta = timedelta(days=90)
    audit: timedelta = timedelta(days=365)


def agent_id(now: datetime, salt: str) -> str:
    """Return the id of an agent that joins now; `salt` are random hexadecimal digits."""
    return f"t{int(now.timestamp()):x}-{salt}"


def joined_at(agent: str) -> datetime | None:
    """Return when the agent of an id joined, None for an id that does not say so."""
    found = _ID.fullmatch(agent)
    return datetime.fromtimestamp(int(found[1], 16), UTC) if found else None


def is_forgotten(fleet: Fleet, agent: str) -> bool:
    """Tell whether an agent that is not on record may be one that was forgotten."""
    joined = joined_at(agent)
    return fleet.forgotten is not None and joined is not None and joined <= fleet.forgotten


def forgotten(roster: Roster, silence: Silence, keeping: Keeping, now: datetime) -> Decision:
    """Return what is forgotten now, the oldest among it first; nothing while the record is not to be trusted."""
    if roster.fleet.recovering:
        return NOTHING
    before = now - keeping.dead
    tokens = sorted((one for one in roster.tokens.values() if one.expires <= before), key=lambda one: one.expires)
    agents = sorted(_dead(roster, silence, before), key=lambda one: one.joined)
    going: list[Row] = [*islice(tokens, MOST), *islice(agents, MOST)]
    if not going:
        return NOTHING
    rows: list[Row] = []
    last = max((one for row in going if isinstance(row, Agent) and (one := joined_at(row.id))), default=None)
    if last is not None and (roster.fleet.forgotten is None or last > roster.fleet.forgotten):
        rows.append(replace(roster.fleet, forgotten=last))
    names = [workload for row in going if isinstance(row, Agent) for workload in roster.of(row.id)]
    counts = ((Token, "tokens"), (Agent, "agents"), (Workload, "names"))
    gone: tuple[Row, ...] = (*going, *names)
    said = ", ".join(f"{sum(isinstance(row, kind) for row in gone)} {what}" for kind, what in counts)
    return Decision(tuple(rows), (Entry(now, "registry", "forgotten", "fleet", said),), gone)


def _dead(roster: Roster, silence: Silence, before: datetime) -> Iterator[Agent]:
    """Yield agents without any right for long, for whose names nobody asks any more: Git knows none of them."""
    for agent in roster.agents.values():
        joined, sign = joined_at(agent.id), silence.signs.get(agent.id)
        if agent.state not in (AgentState.REVOKED, AgentState.FENCED) or joined is None or joined > before:
            continue
        if (sign is None or sign.at <= before) and all(_is_over(one, silence, before) for one in roster.of(agent.id)):
            yield agent


def _is_over(workload: Workload, silence: Silence, before: datetime) -> bool:
    left = workload.departed is not None and workload.departed <= before
    return workload.presence is not Presence.PRESENT and left and workload.key not in silence.localities
