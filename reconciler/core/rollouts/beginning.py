"""Which units have to be rolled out: what Git wants of them is not what was accepted before.

Only a service that is there before and after can be rolled out: to a new one nobody sends requests yet, and one that goes is
held back by guards of its own (core/budget). What was never written by us counts as it will be: an adoption is one step.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from reconciler.core.resources import Document, Key, ObservedState, Revision
from reconciler.core.rollouts.effective import effective
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.records import content_of
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.values import Documents, Way
from reconciler.core.rollouts.ways import way_to
from reconciler.core.units import Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """A unit that is to change: its documents as accepted before and as Git wants them.

    `stays`: its services are there on both sides, so that there is somebody to roll out for.
    """

    unit: Unit
    before: Documents
    after: Documents
    stays: bool = True


def wishes(
    units: Iterable[Unit],
    changing: Collection[Key],
    git: Mapping[Key, Document],
    written: Mapping[Key, Document],
    observed: ObservedState,
    held: Collection[Key] = (),
) -> Iterator[Wish]:
    """Yield the units that are to change.

    `changing` are the keys that differ in the stores: a unit without any of them is as Git wants it. `git` holds the declared
    documents, `written` those last written of the objects of these units. `held` are keys of which a rollout wants something
    else than Git: their units are among the answers whatever became of them.
    """
    for unit in units:
        if unit.base or not any(key in changing for key in unit.keys):
            continue
        after = {key: git.get(key) for key in unit.keys}
        before = {key: _accepted(key, written, after, observed) for key in unit.keys}
        stays = _stays(before, after)
        if (stays and before != after) or any(key in held for key in unit.keys):
            yield Wish(unit, before, after, stays)


def _accepted(key: Key, written: Mapping[Key, Document], after: Documents, observed: ObservedState) -> Document | None:
    if key in written:
        return written[key]
    return after[key] if observed.get(key) else None


def _stays(before: Documents, after: Documents) -> bool:
    """Tell whether the services of a unit are there on both sides."""
    entries = [key for key in after if key.kind == "ServiceEntry"]
    routes = [key for key in after if key.kind in ("VirtualService", "DestinationRule")]
    return all(after[key] is not None for key in entries) and any(before[key] is not None for key in entries or routes)


def rollout_of(
    wish: Wish, policy: RolloutPolicy, mesh: Mesh, revision: Revision, now: datetime, *, before: Rollout | None, attempt: int
) -> Rollout | None:
    """Return the rollout of a unit, not begun yet; None where what changes moves no traffic.

    `before` is the one that it takes over from, if any: it goes on from where traffic is now, and an undo leads to where that
    one started. `attempt` counts those of the same content.
    """
    split = before.way.splits[1] if before else None
    start = effective(before, mesh) if before else wish.before
    way = way_to(start, wish.after, policy, mesh, (split, policy.split))
    if way is None:
        return None
    content = content_of(wish.after, policy.split)
    return Rollout(
        id=f"{wish.unit.name}@{revision.short}.{attempt}",
        unit=wish.unit.name,
        commit=revision.id,
        digest=digest_of_way(content, way),
        content=content,
        attempt=attempt,
        policy=policy,
        origin=before.origin if before and before.outcome is not Outcome.SUCCEEDED else start,
        way=way,
        began=now,
    )


def leads_to(rollout: Rollout, wish: Wish, split: Fraction | None) -> bool:
    """Tell whether a rollout leads to all that Git wants of a unit, which may have lost objects on the way: drained ones.

    One that has ended leads there no more, unless what it was to lead to is refused: that is not tried again.
    """
    if rollout.phase is Phase.IDLE and not rollout.refused:
        return False
    wanted = {key: rollout.way.after.get(key, old) for key, old in wish.before.items()}
    return wanted == dict(wish.after) and rollout.way.splits[1] == split


def digest_of_way(content: str, way: Way) -> str:
    """Return the digest that approvals are bound to: where it comes from, where it goes, by which steps and gates."""
    steps = [[step.leg, str(step.exposure), step.gates, step.approval] for step in way.steps]
    start = [[str(key), document] for key, document in sorted(way.before.items())]
    text = json.dumps([content, steps, start], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
