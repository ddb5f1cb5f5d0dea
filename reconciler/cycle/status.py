"""The state of a target as one value, from the state store and the lease; neither Git nor the stores are asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.core.gates.words import length
from reconciler.core.groups.judging import Standing
from reconciler.core.health.codes import Code
from reconciler.core.health.states import STATES
from reconciler.core.report import Verdict
from reconciler.core.resources import Key, Revision
from reconciler.core.rollouts.outlook import STILL, Outlook, outlook
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.seen import Command, Hold
from reconciler.core.rollouts.waits import stored
from reconciler.errors import InvalidInput, Unavailable
from reconciler.ports import CycleRecord, Lease, LeaseState, Store
from reconciler.reports import as_json, rollouts, safe, words
from reconciler.reports.splits import recall_splits

#: VMs of groups on lines of their own.
MOST_MEMBERS = 50
_OF_VMS = frozenset(map(str, Code))


@dataclass(frozen=True, slots=True)
class Status:
    """Where a target stands. `lease` is None where it could not be asked, or there is none; `lease_problem` says which.

    `unheard` is what people said that no look has seen yet. `splits` are told in `reports.splits`.
    """

    target: str
    store: str
    accepted: Revision | None
    lease: LeaseState | None
    lease_problem: str
    objects: int
    open_writes: int
    fights: Mapping[Key, tuple[str, ...]]
    last: CycleRecord | None
    holds: tuple[Hold, ...] = ()
    unheard: tuple[Command, ...] = ()
    rollouts: tuple[Outlook, ...] = ()
    splits: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, str]]:
        """Return name and value of everything worth a line."""
        accepted = f"{self.accepted.short} {self.accepted.subject}" if self.accepted else "none yet"
        rows = [
            ("target", self.target),
            ("commit in force", safe.clean(accepted)),
            ("writer", self._writer()),
            ("objects that are ours", str(self.objects)),
            ("writes left open", str(self.open_writes)),
        ]
        rows += [("fight", safe.clean(f"{key}: {'; '.join(fields)}")) for key, fields in sorted(self.fights.items())]
        for hold in self.holds:
            why = f": {hold.reason}" if hold.reason else ""
            rows.append(("held", safe.clean(f"{hold.unit} by {hold.by} until {words.moment(hold.until)}{why}")))
        for one in self.unheard:
            said = f"{one.word} by {one.by} for {one.rollout} at {words.moment(one.at)}"
            rows.append(("said", safe.clean(f"{said}: not carried out yet, by the next look of `serve` or `apply`")))
        if self.last:
            written = words.counted(self.last.written, "write")
            stopped = _stopped(self.last)
            outcome = "stopped for a person" if stopped else self.last.outcome
            rows.append(("last run", f"{words.moment(self.last.at)} {outcome}, {written}"))
            rows += [("because", safe.clean(reason)) for reason in (self.last.report.get("reason"), *stopped) if reason]
            rows += [("waits", safe.clean(text)) for text in _waiting(self.last.report)]
            rows += [("VM", safe.clean(text)) for text in _about_vms(self.last.report)]
            rows += [("from a group", safe.clean(text)) for text in _members(self.last.report.get("members", ()))]
        rows += [("traffic", safe.clean(f"{service}  {split}")) for service, split in self.splits.items()]
        return rows

    def rollout_rows(self) -> list[tuple[str, str]]:
        """Return name and value of each rollout, for forms that draw nothing."""
        return [("rollout", "; waits: ".join((rollouts.state(one), *rollouts.waits(one)))) for one in self.rollouts]

    def document(self) -> dict[str, Any]:
        """Return the status as a JSON object."""
        return {
            "version": "mesh-reconciler.io/status/v1",
            "target": self.target,
            "store": self.store,
            "commit": self.accepted.id if self.accepted else None,
            "holder": self.lease.holder if self.lease else None,
            "leaseProblem": self.lease_problem,
            "objects": self.objects,
            "openWrites": self.open_writes,
            "fights": {str(key): list(fields) for key, fields in self.fights.items()},
            "holds": [
                {"unit": one.unit, "by": one.by, "until": one.until.isoformat(), "reason": one.reason} for one in self.holds
            ],
            "unheard": [
                {"word": one.word.value, "rollout": one.rollout, "by": one.by, "reason": one.reason, "at": one.at.isoformat()}
                for one in self.unheard
            ],
            "rollouts": [as_json.rollout(one) for one in self.rollouts],
            "splits": dict(self.splits),
            "lastRun": self.last.report if self.last else None,
        }

    def _writer(self) -> str:
        if self.lease is None:
            return self.lease_problem
        store = self.lease.store
        own = "" if store in ("", self.store) else f"; the target belongs to another state store ({store[:12]}), see `recover`"
        return (self.lease.holder or "nobody at the moment") + own


def read_status(target: str, store: Store, lease: Lease, now: datetime) -> Status:
    """Read the state of a target at this moment. Raises Unavailable where the state store cannot be read."""
    try:
        state, problem = lease.current(), "nobody ever"
    except Unavailable as error:
        state, problem = None, f"not known: {error}"
    except InvalidInput as error:
        state, problem = None, f"not known: {error.problems[0].message}"
    history = store.history(1)
    return Status(
        target=target,
        store=store.id,
        accepted=store.accepted(),
        lease=state,
        lease_problem="" if state else problem,
        objects=len(store.inventory()),
        open_writes=len(store.unsettled()),
        fights=store.fights(),
        last=history[0] if history else None,
        holds=tuple(one for one in store.rollouts.holds() if one.until > now),
        unheard=store.rollouts.commands(),
        rollouts=tuple(outlook(one, stored(one)) for one in store.rollouts.standing()),
        splits=recall_splits(store),
    )


def _stopped(last: CycleRecord) -> list[str]:
    """Return which rollouts made a run end for a person to decide; none where something else refused it."""
    report = last.report
    guards = any(unit["guards"] for unit in (report.get("plan") or {}).get("units", ()))
    if last.outcome != Verdict.REFUSED or report.get("reason") or guards:
        return []
    still = [one for one in report.get("rollouts", ()) if Phase(one["phase"]) in STILL]
    return [f"{one['unit']} is {one['outcome'] or one['phase']}: {one['reason']}" for one in still]


def _waiting(report: Mapping[str, Any]) -> list[str]:
    units = (report.get("plan") or {}).get("units", ())
    return [f"{unit['name']}: {guard['message']}{_ways(guard)}" for unit in units for guard in unit["guards"]]


def _about_vms(report: Mapping[str, Any]) -> list[str]:
    """Return what holds of VMs: who is out, and where Git, registry and VM disagree, with the name of that state."""
    objects = (one for each in report.get("differences", ()) for one in each["problems"])
    found = [one for one in (*report.get("problems", ()), *objects) if one["code"] in _OF_VMS]
    return [f"{one['object'] + ': ' if one['object'] else ''}{one['message']}{_state(one['code'])}" for one in found]


def _members(members: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the VMs that joined groups, those that are in last, and so many of them."""
    shown = sorted(members, key=lambda one: one["standing"] == Standing.IN)
    for one in shown[:MOST_MEMBERS]:
        why = f": {one['why']}" if one["why"] else ""
        yield f"{one['namespace']}/{one['name']} of group {one['group']}, joined at {one['joined']}, {one['standing']}{why}"
    if len(shown) > MOST_MEMBERS:
        yield f"and {words.counted(len(shown) - MOST_MEMBERS, 'VM')} more"


def _state(code: str) -> str:
    return f" ({STATES[code]})" if code in STATES else ""


def _ways(guard: Mapping[str, Any]) -> str:
    ways = [f"until {guard['until']}"] if guard["until"] else []
    ways += [f"for --allow {guard['override']}"] if guard["override"] else []
    ways += [f"for `reconciler retry {guard['retry']}`"] if guard.get("retry") else []  # reports of before have none
    return f" ({' or '.join(ways)})" if ways else ""


#: Heads of what `past_row` returns.
PAST = ("rollout", "unit", "commit", "began", "took", "state", "because")


def past_row(one: Rollout, now: datetime) -> tuple[str, ...]:
    """Return a rollout as a row: how long it took, or has taken so far, where it is or how it ended, and why."""
    took = length((one.ended or now) - one.began) + ("" if one.ended else " so far")
    attempt = f" (attempt {one.attempt})" if one.attempt > 1 else ""
    state = rollouts.title(outlook(one))
    return (one.id, one.unit, one.commit[:10] + attempt, words.moment(one.began), took, state, one.reason)


def past_document(one: Rollout) -> dict[str, Any]:
    """Return a rollout as a JSON object: as in reports, with its end."""
    ended = one.ended.isoformat().replace("+00:00", "Z") if one.ended else None
    return {**as_json.rollout(outlook(one)), "ended": ended, "successor": one.successor}
