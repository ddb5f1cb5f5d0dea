"""Checkpoints of rollouts in the cluster: written before the writes of a stage, and what a lost store is rebuilt from."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.comparison import our_paths
from reconciler.core.documents import limited
from reconciler.core.plans import PlanSettings
from reconciler.core.resources import DesiredState, Document, Key, ObservedState, Relation, Revision
from reconciler.core.rollouts.beginning import begun, settled, wish_between
from reconciler.core.rollouts.checkpoint import CHECKPOINT, Checkpoint, checkpoints
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.policies import Policies, RolloutLimits, policy_of
from reconciler.core.rollouts.rollout import Cause, Outcome, Phase, Rollout
from reconciler.core.rollouts.subsets import GENERATED_ANNOTATION
from reconciler.core.units import cut
from reconciler.core.wanted import wanted_now
from reconciler.errors import Conflict, InvalidInput, Rejected, Unavailable
from reconciler.writes.writer import Writer

#: How commits that were accepted one day relate to the newest one.
_PAST = {Relation.SAME, Relation.DESCENDANT}


def keep_checkpoints(rollouts: Iterable[Rollout], writer: Writer, target: str) -> Iterator[str]:
    """Write down where rollouts are, and yield what could not be. Raises Unavailable.

    Whoever wrote to the object meanwhile is seen by the next look, which writes it then.
    """
    for key, text in checkpoints(rollouts, writer.observed.objects, target):
        live = writer.observed.objects[key]
        try:
            writer.latest[key] = writer.cluster.annotate(
                key, CHECKPOINT, text, uid=live.uid, resource_version=live.resource_version
            )
        except Conflict:
            continue
        except Rejected as error:
            yield f"where the rollout of {key} is could not be noted on it: {error}"


@dataclass(frozen=True, slots=True)
class Recovery:
    """Puts rollouts together again from their checkpoints, and from what Git says at the commits that these name."""

    observed: ObservedState
    plan: PlanSettings
    limits: RolloutLimits
    commit: Callable[[Revision], DesiredState]
    relation: Callable[[str, str], Relation]

    def rollouts(
        self, found: Mapping[Key, Checkpoint], stored: Iterable[Rollout], revision: Revision, now: datetime
    ) -> Iterator[Rollout]:
        """Yield the rollouts of these checkpoints, paused where they say, or undone, and the end of those stored without one.

        `stored` are those under way in a store that was put back from a backup. A checkpoint whose commits Git does not have,
        or which lead nowhere any more, yields nothing: its unit begins anew from where traffic is.
        """
        known = {one.id: one for one in stored}
        for entry, checkpoint in found.items():
            before = known.pop(checkpoint.rollout, None) or self._from_git(entry, checkpoint, revision, now)
            if before:
                yield (_undone if checkpoint.undone else _paused)(before, checkpoint, entry, now)
        for one in known.values():
            reason = "it was over when the store was put back"
            ended = replace(one, phase=Phase.IDLE, outcome=Outcome.SUPERSEDED, successor=revision.id, ended=now)
            yield replace(ended, cause=Cause.NONE, reason=reason)

    def _from_git(self, entry: Key, checkpoint: Checkpoint, newest: Revision, now: datetime) -> Rollout | None:
        """Whoever may edit a ServiceEntry may write a checkpoint: it counts for commits that the newest one descends from."""
        revision = Revision(checkpoint.commit)
        try:
            if not {self.relation(one, newest.id) for one in (checkpoint.commit, checkpoint.base)} <= _PAST:
                return None
            after, before = self.commit(revision), self.commit(Revision(checkpoint.base))
        except (InvalidInput, Rejected, Unavailable):
            return None
        git, written = (wanted_now(one, self.plan.target) for one in (after, before))
        # What is live may have lost, or not have yet, the labels by which it is picked: both commits say what belongs together.
        differences = [ObjectDiff(key, State.IN_SYNC) for key in {**git, **written}]
        units = [unit for one in (after, before) for unit in cut(one, self.observed, differences) if entry in unit.keys]
        if not units:
            return None
        keys = dict.fromkeys(key for one in units for key in one.keys)
        standing = self._standing(keys, written) if checkpoint.undone else {}
        written, unit = {**written, **standing}, replace(units[0], keys=tuple(dict.fromkeys((*keys, *standing))))
        mesh = Mesh(self.observed, self.plan.cluster)
        policy, old = (
            policy_of(unit, Policies.of(one.policies, self.plan.root_namespace), self.limits) for one in (after, before)
        )
        wish, held = wish_between(unit, written, git), None
        if old.split is not None and wish.stays and not checkpoint.undone:
            base = wish_between(unit, written, written)
            held = settled(base, old, mesh, Revision(checkpoint.base), now, attempt=1)
        found = begun(wish, policy, mesh, revision, now, before=held, attempt=1)
        if found is None or not found.way.steps:
            return None
        return replace(found, id=checkpoint.rollout, digest=checkpoint.digest, base=checkpoint.base)

    def _standing(self, keys: Collection[Key], written: Mapping[Key, Document]) -> dict[Key, Document]:
        """Return what is live of a unit that was taken back: its weights, and its generated routes, may hold a share."""
        entries = {f"{key.namespace}/{key.name}" for key in keys if key.kind == "ServiceEntry"}
        return {
            key: limited(live.document, our_paths(live))
            for key, live in self.observed.objects.items()
            if (key in keys and key in written) or live.annotations.get(GENERATED_ANNOTATION) in entries
        }


def _undone(rollout: Rollout, _checkpoint: Checkpoint, entry: Key, now: datetime) -> Rollout:
    """Return a rollout that was taken back: its origin is what is wanted, and what it was to lead to stays refused."""
    return replace(
        rollout,
        back=None,
        phase=Phase.IDLE,
        cause=Cause.NONE,
        reason=f"it was undone, by the checkpoint on {entry}",
        entered=now,
        ended=now,
        in_force=None,
        approvals=(),
        replan=False,
        refused=True,
        outcome=Outcome.UNDONE,
        successor="",
    )


def _paused(rollout: Rollout, checkpoint: Checkpoint, entry: Key, now: datetime) -> Rollout:
    """Return a rollout that waits for a person where its checkpoint says; of a lost way back only the start is known."""
    goes_back = checkpoint.back and rollout.back is not None
    way = rollout.back if goes_back and rollout.back else rollout.way
    step = 0 if checkpoint.back and not goes_back else min(checkpoint.step, len(way.steps) - 1)
    return replace(
        rollout,
        back=rollout.back if goes_back else None,
        step=step,
        stage=min(checkpoint.stage, len(way.steps[step].stages) - 1),
        passed=min(rollout.passed, step - 1) if rollout.started else step - 1,
        phase=Phase.PAUSED,
        cause=Cause.RECOVERED,
        returns_to=Phase.UNDOING if goes_back else Phase.APPLYING,
        reason=f"recovered from the checkpoint on {entry}: look at it, then say resume or abort",
        entered=now,
        started=rollout.started or now,
        in_force=None,
        time=rollout.time.anew(),
        approvals=(),
        gate_state={},
        outcome=Outcome.NONE,
        ended=None,
        successor="",
    )
