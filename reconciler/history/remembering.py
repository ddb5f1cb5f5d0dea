"""A service at one moment of the past: who wanted what, and where requests went.

The evidence of its rollouts tells that; of a service that none had begun for by then, what is kept of runs and writes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.core.rollouts.armed import SHARE
from reconciler.core.rollouts.records import Evidence, EvidenceKind
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.seen import Word
from reconciler.errors import InvalidInput, SetupCode
from reconciler.history.recorded import recorded
from reconciler.history.replaying import all_evidence
from reconciler.ports import RolloutStore, Store
from reconciler.writes.journalled import Writes

#: Rollouts that are read at once.
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Moment:
    """What was in force of a service at a moment, all of it known by then.

    `rollout` is None for a service without one so far. `begun` tells of the commit; it is None where that was not kept. `moved`
    is the last transition, `shares` the last shares that were seen, or planned where no rollout looked at them, `measured`
    the last share of requests, `approvals` those that had an effect, `writes` all writes so far, oldest first.
    """

    service: str
    at: datetime
    rollout: Rollout | None
    begun: Evidence | None
    moved: Evidence | None
    shares: Evidence | None
    measured: Evidence | None
    approvals: tuple[Evidence, ...]
    writes: tuple[Evidence, ...]


def moment(store: Store, service: str, at: datetime) -> Moment:
    """Return a service (``namespace/name`` of a ServiceEntry, or a unit) at a moment.

    Raises InvalidInput for an unknown one, Unavailable.
    """
    kept = store.rollouts
    rollout = next((one for one in _past(kept) if one.began <= at and service in _names(one)), None)
    if rollout is None:
        return _without_rollout(store, service, at)
    found = [one for one in (*all_evidence(kept, rollout.id), *Writes.kept_up(store, rollout)) if one.at <= at]
    said = _of(found, EvidenceKind.WORD)
    return Moment(
        service=service,
        at=at,
        rollout=rollout,
        begun=_last(found, EvidenceKind.BEGIN),
        moved=_last(found, EvidenceKind.MOVE),
        shares=_last(found, EvidenceKind.SHARES),
        measured=_last((one for one in found if one.name == SHARE), EvidenceKind.VERDICT),
        approvals=tuple(one for one in said if one.name == Word.APPROVE and one.data["done"]),
        writes=tuple(_of(found, EvidenceKind.WRITE)),
    )


def _without_rollout(store: Store, service: str, at: datetime) -> Moment:
    found = recorded(store, service, at)
    if found is None:
        raise InvalidInput(
            f"nothing is kept of {service[:80]!r} by {at:%Y-%m-%d %H:%M:%S} UTC: no rollout, no write, and it is not among the "
            "objects that are ours; `reconciler history` lists the runs that are kept"
        )
    return Moment(service, at, None, found.begun, None, found.shares, None, found.allowed, found.writes)


def moment_of(text: str) -> datetime:
    """Return the moment that a person wrote (ISO 8601; UTC where no offset stands). Raises InvalidInput."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text[:80]!r} is no moment: write 2026-03-01T12:30:00Z", code=SetupCode.OPTION) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _past(kept: RolloutStore) -> Iterator[Rollout]:
    """Yield all rollouts, newest first."""
    before = ""
    while found := kept.history(_PAGE, before=before):
        yield from found
        before = found[-1].id


def _names(rollout: Rollout) -> set[str]:
    entries = {f"{key.namespace}/{key.name}" for key in rollout.way.after if key.kind == "ServiceEntry"}
    return {rollout.unit} | entries


def _of(found: Iterable[Evidence], kind: EvidenceKind) -> list[Evidence]:
    return [one for one in found if one.kind is kind]


def _last(found: Iterable[Evidence], kind: EvidenceKind) -> Evidence | None:
    return next(reversed(_of(found, kind)), None)
