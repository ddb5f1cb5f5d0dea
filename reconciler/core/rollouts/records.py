"""What is kept of rollouts beside themselves: what happened to them and why, and what must not be tried again."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

from reconciler.core.groups.marks import is_by_join
from reconciler.core.resources import Document, Revision
from reconciler.core.rollouts.actions import Action, Answered, Begun, Forgive, Moved, Refuse
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.values import Documents

#: What is kept of the VMs' share of a service (`values.ShareFigures`).
SIDES = ("planned", "written", "observed")


class EvidenceKind(StrEnum):
    """What a piece of evidence is about.

    BEGIN: the commit behind a rollout, with who wrote and who signed it. MOVE: a transition. WORD: a person's command, and its
    effect. QUERY: what was asked outside, and what came back. VERDICT: what a gate made of it. WRITE: a document that was
    written, and what caused it. SHARES: the shares as planned, written and observed, whenever one of them has changed.
    """

    BEGIN = "begin"
    MOVE = "move"
    WORD = "word"
    QUERY = "query"
    VERDICT = "verdict"
    WRITE = "write"
    SHARES = "shares"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that happened to a rollout, at one of its steps.

    `name` is the event, the word, the gate or the object that it is about, `says` a sentence for people, `data` JSON values
    with everything else. `id` is given by the store, growing.
    """

    at: datetime
    kind: EvidenceKind
    step: int
    name: str
    says: str = ""
    data: Document = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Content of a unit that has failed. Whatever commit brings it back, it is not tried again by itself."""

    unit: str
    content: str
    commit: str
    rollout: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A rollout as it is to be stored, with everything that must be stored with it or not at all.

    `handled` are the ids of commands that had, or will never have, their effect. A `refusal` is kept, `forgiven` takes it back.
    """

    rollout: Rollout
    evidence: tuple[Evidence, ...] = ()
    handled: tuple[str, ...] = ()
    refusal: Refusal | None = None
    forgiven: bool = False


def change_of(rollout: Rollout, actions: Iterable[Action], now: datetime, seen: Iterable[Evidence] = ()) -> Change:
    """Return what to store after `advance`: `seen` is the evidence that the look itself has brought."""
    actions = tuple(actions)
    refused = next((one for one in reversed(actions) if isinstance(one, Refuse | Forgive)), None)
    return Change(
        rollout,
        evidence=(*seen, *_evidence(rollout, actions, now)),
        handled=tuple(one.command.id for one in actions if isinstance(one, Answered)),
        refusal=refusal_of(rollout, refused.reason, now) if isinstance(refused, Refuse) else None,
        forgiven=isinstance(refused, Forgive),
    )


def content_of(after: Documents, split: Fraction | None) -> str:
    """Return a digest of what a unit is to become, the same whatever commit says it: the objects, and the wanted split.

    VMs that joined a group do not count: what Git says of them is the group.
    """
    objects = sorted((str(key), document) for key, document in after.items() if not is_by_join(key, document))
    text = json.dumps([objects, None if split is None else str(split)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _evidence(rollout: Rollout, actions: Iterable[Action], now: datetime) -> Iterator[Evidence]:
    for action in actions:
        match action:
            case Begun(revision=commit):
                yield Evidence(now, EvidenceKind.BEGIN, rollout.step, commit.id, commit.subject, _commit(commit))
            case Moved():
                phases = {"source": action.source.value, "target": action.target.value}
                yield Evidence(now, EvidenceKind.MOVE, action.step, str(action.happening), action.reason, phases)
            case Answered(command=said):
                data: dict[str, Any] = {"id": said.id, "by": said.by, "role": said.role, "done": action.done}
                data |= {"at": said.at.isoformat(), "digest": said.digest, "reason": said.reason}
                yield Evidence(now, EvidenceKind.WORD, rollout.step, str(said.word), action.why, data)


def _commit(commit: Revision) -> Document:
    """Return who answers for a commit: all that Git said of it then, since the commit itself may be gone one day."""
    authored = commit.time.isoformat() if commit.time else ""
    return {"author": commit.author, "time": authored, "signature": commit.signature.value, "signer": commit.signer}


def shares_told(rollout: Rollout, stored: Rollout | None) -> Iterator[Evidence]:
    """Yield the shares of a rollout where they are others than when it was stored last."""
    found, known = (one.figures.shares if one and one.figures else () for one in (rollout, stored))
    if found != known and rollout.figures:
        data = {one.service: {name: _number(getattr(one, name)) for name in SIDES} for one in found}
        yield Evidence(rollout.figures.at, EvidenceKind.SHARES, rollout.step, "", "", data)


def _number(share: Fraction | None) -> float | None:
    return None if share is None else round(float(share), 6)


def refusal_of(rollout: Rollout, reason: str, now: datetime) -> Refusal:
    """Return what keeps the content of a rollout from being tried again."""
    return Refusal(rollout.unit, rollout.content, rollout.commit, rollout.id, reason, now)
