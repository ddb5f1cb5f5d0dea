"""The state of a target as one value, from the state store and the lease; neither Git nor the stores are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.core.resources import Key, Revision
from reconciler.errors import Unavailable
from reconciler.ports import CycleRecord, Lease, LeaseState, Store
from reconciler.reports import safe, words


@dataclass(frozen=True, slots=True)
class Status:
    """Where a target stands. `lease` is None where it could not be asked, or there is none; `lease_problem` says which."""

    target: str
    store: str
    accepted: Revision | None
    lease: LeaseState | None
    lease_problem: str
    objects: int
    open_writes: int
    fights: Mapping[Key, tuple[str, ...]]
    last: CycleRecord | None

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
        if self.last:
            written = words.counted(self.last.written, "write")
            rows.append(("last run", f"{words.moment(self.last.at)} {self.last.outcome}, {written}"))
            rows += [("waits", safe.clean(text)) for text in _waiting(self.last.report)]
        return rows

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
            "lastRun": self.last.report if self.last else None,
        }

    def _writer(self) -> str:
        if self.lease is None:
            return self.lease_problem
        store = self.lease.store
        own = "" if store in ("", self.store) else f"; the target belongs to another state store ({store[:12]}), see `recover`"
        return (self.lease.holder or "nobody at the moment") + own


def read_status(target: str, store: Store, lease: Lease) -> Status:
    """Read the state of a target. Raises Unavailable where the state store cannot be read."""
    try:
        state, problem = lease.current(), "nobody ever"
    except Unavailable as error:
        state, problem = None, f"not known: {error}"
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
    )


def _waiting(report: Mapping[str, Any]) -> list[str]:
    units = (report.get("plan") or {}).get("units", ())
    return [f"{unit['name']}: {guard['message']}{_ways(guard)}" for unit in units for guard in unit["guards"]]


def _ways(guard: Mapping[str, Any]) -> str:
    ways = [f"until {guard['until']}"] if guard["until"] else []
    ways += [f"or for --allow {guard['override']}" if ways else f"for --allow {guard['override']}"] if guard["override"] else []
    return f" ({' '.join(ways)})" if ways else ""
