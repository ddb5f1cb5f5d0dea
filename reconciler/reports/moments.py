"""A service at one moment of the past, as rows and as JSON."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from reconciler.core.resources import Signature
from reconciler.core.rollouts.records import SIDES, Evidence
from reconciler.history.remembering import Moment
from reconciler.reports import words
from reconciler.reports.safe import clean

#: Heads of what `writes` returns.
WRITES = ("when", "object", "write", "weights", "because")
_NOT_KEPT = "not kept"
_PREDICTED = "as predicted by the run that wrote it last"
_READY = "by the endpoints that were ready"


def rows(found: Moment) -> list[tuple[str, str]]:
    """Return name and value of everything but the writes."""
    begun = found.begun
    pairs = [
        ("service", found.service),
        ("at", words.moment(found.at)),
        ("rollout", found.rollout.id if found.rollout else "none so far: what is written is written at once"),
        ("commit", _commit(found)),
        ("author", _author(begun)),
        ("signer", _signer(begun)),
        *(("approved", _approval(one)) for one in found.approvals),
        *_place(found),
        *_shares(found),
    ]
    return [(name, clean(value)) for name, value in pairs]


def writes(found: Moment) -> list[tuple[str, ...]]:
    """Return one row a write, with the weights that it gave and its cause."""
    return [
        (words.moment(one.at), one.name, f"{one.data['action']} {one.data['outcome']}", _weights(one), one.says)
        for one in found.writes
    ]


def document(found: Moment) -> dict[str, Any]:
    """Return all of it as JSON."""
    begun, moved, rollout = found.begun, found.moved, found.rollout
    commit = begun.name if begun else rollout.commit if rollout else None
    return {
        "version": "mesh-reconciler.io/moment/v1",
        "service": found.service,
        "at": _iso(found.at),
        "rollout": rollout.id if rollout else None,
        "commit": {"id": commit, "subject": begun.says, **begun.data} if begun else {"id": commit},
        "approvals": [
            {"at": _iso(one.at), **{name: one.data[name] for name in ("by", "role", "reason", "digest")}}
            for one in found.approvals
        ],
        "phase": moved.data["target"] if moved else "waiting" if rollout else None,
        "reason": moved.says if moved else "",
        "step": _step(found) + 1 if rollout else None,
        "measured": {"at": _iso(found.measured.at), "says": found.measured.says} if found.measured else None,
        "shares": {"at": _iso(found.shares.at), "vm": found.shares.data} if found.shares else None,
        "writes": [{"at": _iso(one.at), "object": one.name, "because": one.says, **one.data} for one in found.writes],
    }


def _commit(found: Moment) -> str:
    if found.begun:
        return f"{found.begun.name[:10]} {found.begun.says}"
    return found.rollout.commit[:10] if found.rollout else _NOT_KEPT


def _place(found: Moment) -> Iterable[tuple[str, str]]:
    """Yield where its rollout was."""
    if found.rollout:
        moved = found.moved
        yield "phase", f"{moved.data['target']}, since {words.moment(moved.at)}: {moved.says}" if moved else "waiting"
        yield "step", f"{_step(found) + 1} of {len(found.rollout.way.steps)}"


def _step(found: Moment) -> int:
    return found.moved.step if found.moved else 0


def _author(begun: Evidence | None) -> str:
    if begun is None:
        return _NOT_KEPT
    return f"{begun.data['author'] or 'not said'}{', ' if begun.data['time'] else ''}{begun.data['time']}"


def _signer(begun: Evidence | None) -> str:
    if begun is None:
        return _NOT_KEPT
    verdict, signer = Signature(begun.data["signature"]), begun.data["signer"]
    return f"{signer} ({verdict})" if signer else str(verdict)


def _approval(one: Evidence) -> str:
    role = f" ({one.data['role']})" if one.data["role"] else ""
    return f"by {one.data['by']}{role} at {words.moment(one.at)}: {one.data['reason']}"


def _shares(found: Moment) -> Iterable[tuple[str, str]]:
    """Yield the shares of all services that VMs and Pods divided."""
    seen = found.shares
    for service, sides in seen.data.items() if seen else ():
        for side in SIDES:
            yield side, f"{service}: {_pair(sides, side)}"
    if seen:
        yield "seen", f"{words.moment(seen.at)}, {_READY if found.rollout else _PREDICTED}"
    elif found.rollout is None:
        yield "shares", _NOT_KEPT
    if found.rollout:
        measured = found.measured
        yield "measured", f"{measured.says} (at {words.moment(measured.at)})" if measured else "no share of requests"


def _pair(sides: Mapping[str, float | None], side: str) -> str:
    if side not in sides:
        return _NOT_KEPT
    machines = sides[side]
    if machines is None:
        return "not yet in force at the proxies" if side == "observed" else "no endpoint"
    return f"vm {machines * 100:.1f} %, pod {(1 - machines) * 100:.1f} %"


def _weights(one: Evidence) -> str:
    return ", ".join(f"{end} {weight}" for end, weight in one.data["weights"].items()) or "-"


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
