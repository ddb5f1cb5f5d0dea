"""Which units have to be rolled out: what Git wants of them is not what was accepted before.

Only a service that is there before and after can be rolled out: to a new one nobody sends requests yet, and one that goes is
held back by guards of its own (core/budget). What was never written by us counts as it will be: an adoption is one step.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from reconciler.core.groups.marks import is_by_join, with_join_of
from reconciler.core.health.notes import undrained
from reconciler.core.health.opting import opted_like
from reconciler.core.resources import Document, Key, ObservedState, Revision
from reconciler.core.rollouts.balance import Anchor, loads_of
from reconciler.core.rollouts.capacity import carried
from reconciler.core.rollouts.courses import expected_pods, share_now
from reconciler.core.rollouts.effective import balanced, effective, shares_held, upheld
from reconciler.core.rollouts.holdback import holding_back
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.origins import origin_split
from reconciler.core.rollouts.policy import RolloutPolicy, Strategy
from reconciler.core.rollouts.records import content_of
from reconciler.core.rollouts.rollout import Outcome, Phase, Rollout
from reconciler.core.rollouts.subsets import is_generated, is_routed, routed
from reconciler.core.rollouts.values import Documents, Way
from reconciler.core.rollouts.waypoints import Obstructed, platforms_for
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

    @property
    def serves(self) -> bool:
        """Whether there is a service in the end; routes between the services of other units are as good as one."""
        entries = [one for key, one in self.after.items() if key.kind == "ServiceEntry"]
        return any(one is not None for one in entries or self.after.values())


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
        # A VM that has left its group is nothing that a commit takes away.
        keys = [key for key in unit.keys if key in git or not is_by_join(key, written.get(key))]
        after = {key: git.get(key) for key in keys}
        before = {key: _accepted(key, written, after, observed) for key in keys}
        stays = _stays(before, after)
        if (stays and before != after) or any(key in held for key in unit.keys):
            yield Wish(unit, before, after, stays)


def wish_between(unit: Unit, before: Mapping[Key, Document], after: Mapping[Key, Document]) -> Wish:
    """Return what takes a unit from what Git said to what it says, whatever became of that."""
    old, new = ({key: one.get(key) for key in unit.keys} for one in (before, after))
    return Wish(unit, old, new, _stays(old, new))


def _accepted(key: Key, written: Mapping[Key, Document], after: Documents, observed: ObservedState) -> Document | None:
    if key in written:
        return with_join_of(opted_like(undrained(written[key]), after[key]), after[key])
    return after[key] if observed.get(key) else with_join_of(None, after[key])


def _stays(before: Documents, after: Documents) -> bool:
    """Tell whether the services of a unit are there on both sides."""
    entries = [key for key in after if key.kind == "ServiceEntry"]
    routes = [key for key in after if key.kind in ("VirtualService", "DestinationRule")]
    return all(after[key] is not None for key in entries) and any(before[key] is not None for key in entries or routes)


def begun(
    wish: Wish, policy: RolloutPolicy, mesh: Mesh, revision: Revision, now: datetime, *, before: Rollout | None, attempt: int
) -> Rollout | None:
    """Return what begins for a unit: its rollout, or the record of a split that is only held; None where nothing does.

    `before` is the one that it takes over from, if any: it goes on from where traffic is now, and an undo leads to where that
    one started. `attempt` counts those of the same content.
    """
    start = _standing(wish, before, mesh)
    splits = _splits(before, start, policy, mesh)
    way = way_to(start, wish.after, policy, mesh, splits, keeps=True) if wish.stays else None
    if way is not None:
        way = holding_back(way, policy, mesh)
        found = _rollout(wish, policy, revision, now, attempt, way, start)
        if before and before.outcome is not Outcome.SUCCEEDED:
            return replace(found, origin=before.origin, carried=before.carried, held=before.held)
        held = before is not None and before.holds
        return replace(found, carried=carried(start, way.splits[0], mesh), held=held)
    if policy.split is None or (before and before.holds and before.way.splits[1] == policy.split):
        return None
    return settled(wish, policy, mesh, revision, now, attempt=attempt)


def _standing(wish: Wish, before: Rollout | None, mesh: Mesh) -> Documents:
    """Return the documents that stand, with what was generated for a split that is held."""
    if before is None:
        return wish.before
    if not before.holds:
        return effective(before, mesh)
    held = upheld(before, {key: one for key, one in before.way.after.items() if one is not None}, mesh)
    return {**wish.before, **{key: one for key, one in held.items() if is_generated(one)}}


def settled(wish: Wish, policy: RolloutPolicy, mesh: Mesh, revision: Revision, now: datetime, *, attempt: int) -> Rollout:
    """Return the record of a split that counts from now on with nobody's requests going elsewhere for it.

    The service is new, or its weights make the split already. There is nothing to be undone.
    """
    expected = expected_pods(policy, wish.after, wish.after, mesh)
    way = Way((), (), wish.after, wish.after, (policy.split, policy.split), expected=expected)
    entries = shares_held(wish.after, policy.split, mesh) if policy.split is not None else {}
    if policy.strategy is Strategy.SUBSETS and entries:
        try:
            by = platforms_for(wish.after, wish.after, entries, mesh)
        except Obstructed as obstructed:
            way = replace(way, refused=str(obstructed), culprit=obstructed.obstacle.key)
        else:
            generated = dict.fromkeys(routed(wish.after, entries, by).keys() - wish.after.keys())
            way = replace(way, after={**wish.after, **generated}, by=by)
    found = _rollout(wish, policy, revision, now, attempt, way, wish.after)
    over = replace(found, phase=Phase.IDLE, outcome=Outcome.SUCCEEDED, entered=now, ended=now)
    return replace(over, loads=loads_of(wish.after, mesh), reason="this split is held from now on")


def _rollout(
    wish: Wish, policy: RolloutPolicy, revision: Revision, now: datetime, attempt: int, way: Way, origin: Documents
) -> Rollout:
    content = content_of(wish.after, policy.split)
    return Rollout(
        id=f"{wish.unit.name}@{revision.short}.{attempt}",
        unit=wish.unit.name,
        commit=revision.id,
        digest=digest_of_way(content, way),
        content=content,
        attempt=attempt,
        policy=policy,
        origin=origin,
        way=way,
        began=now,
    )


def _splits(
    before: Rollout | None, start: Documents, policy: RolloutPolicy, mesh: Mesh
) -> tuple[Fraction | None, Fraction | None]:
    """Return the VMs' shares at both ends: what is held, else today's share, so that it stays the start while Pods scale.

    Where nothing would be written to hold the wanted one, it is held already, as after a loss of the store.
    """
    wanted, by_weights = policy.split, policy.strategy is Strategy.WEIGHTS
    if before and before.holds:
        return before.way.splits[1], wanted
    if before is None and wanted is not None and by_weights and _is_held(start, wanted, mesh):
        return wanted, wanted
    is_split = wanted is not None or (before is not None and before.way.splits != (None, None))
    return (share_now(start, mesh) if is_split else None), wanted


def _is_held(start: Documents, split: Fraction, mesh: Mesh) -> bool:
    """Tell whether the weights of documents hold a split as near as whole weights can."""
    return not is_routed(start) and share_now(start, mesh) != 1 and balanced(start, split, mesh, Anchor(), 0) == dict(start)


def splits_back(rollout: Rollout, stands: Documents, goal: int, mesh: Mesh) -> tuple[Fraction | None, Fraction | None]:
    """Return the VMs' shares at both ends of a way back: from today's, to what was held at the origin.

    After a step (`goal` of at least 0) and where nothing was held, the documents' weights rule.
    """
    held = rollout.way.splits[0] if goal < 0 and rollout.origin == rollout.way.before else None
    if held is None:
        return None, None
    return (share_now(stands, mesh) if rollout.started else held), origin_split(rollout, mesh)


def otherwise_split(rollouts: Iterable[Rollout], wanted: Mapping[Key, Fraction]) -> set[Key]:
    """Return the ServiceEntries for which Git wants another split than the one that is in force or on its way."""
    standing = {key: one.way.splits[1] for one in rollouts if one.stands for key in one.way.after if key.kind == "ServiceEntry"}
    return {key for key in standing.keys() | wanted.keys() if wanted.get(key) != standing.get(key)}


def leads_to(rollout: Rollout, wish: Wish, split: Fraction | None) -> bool:
    """Tell whether a rollout leads to all that Git wants of a unit, which may have lost objects on the way: drained ones.

    VMs that joined a group since, or left it, are no other way.

    One that has ended leads there no more, unless what it was to lead to is refused, which is not tried again, or it has got
    there and holds its split.
    """
    if rollout.phase is Phase.IDLE and not rollout.refused and not rollout.holds:
        return False
    wanted = {key: with_join_of(rollout.way.after.get(key, old), wish.after[key]) for key, old in wish.before.items()}
    return wanted == dict(wish.after) and rollout.way.splits[1] == split


def digest_of_way(content: str, way: Way) -> str:
    """Return the digest that approvals are bound to: where it comes from, where it goes, by which steps and gates."""
    steps = [[step.leg, str(step.exposure), step.gates, step.approval] for step in way.steps]
    start = [[str(key), document] for key, document in sorted(way.before.items())]
    text = json.dumps([content, steps, start], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
