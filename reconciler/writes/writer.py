"""Single writes: the only place from which anything leaves for cluster and registry."""

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import assert_never

from reconciler.core.changes import Action, Change
from reconciler.core.health.conditions import Condition, conditions_of, laid_among
from reconciler.core.ownership import declared, take_over
from reconciler.core.resources import Document, Key, LiveObject, ObservedState, StoreName
from reconciler.core.settling import question
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.errors import Conflict, Rejected
from reconciler.ports import NEW, Cluster, VMRegistry

#: Any write of anybody moves an object's version, istiod's to its status above all; so often a write is sent again for that.
AGAIN = 3


@dataclass(slots=True)
class Writer:
    """Performs single writes and remembers what each key looked like after its last one."""

    cluster: Cluster
    registry: VMRegistry | None
    observed: ObservedState
    latest: dict[Key, LiveObject] = field(default_factory=dict)

    def perform(self, change: Change) -> LiveObject | None:
        """Send one write; returns the object as it is afterwards. Raises Conflict, Rejected or Unavailable as the ports do."""
        # A second write to one object builds on the first one's result, not on the observation.
        last = self.latest.get(change.key)
        if last is not None:
            change = replace(change, uid=last.uid, resource_version=last.resource_version)
        done = self._patiently(change)
        if done is not None:
            self.latest[change.key] = done
        return done

    def _patiently(self, change: Change) -> LiveObject | None:
        """Send a write again when the object's version moved and nothing that was decided on did."""
        for _ in range(AGAIN):
            try:
                return self._send(change)
            except Conflict:
                live = self._as_decided(change)
                if live is None:
                    raise
                change = replace(change, resource_version=live.resource_version)
        return self._send(change)

    def _as_decided(self, change: Change) -> LiveObject | None:
        """Read the object back; return it where only its status or version moved, None where the decision no longer holds.

        A condition was decided on against the one that stood, whatever becomes of others.
        """
        decided = self.latest.get(change.key) or self.observed.get(change.key)
        if change.key.store is not StoreName.CLUSTER or decided is None or not change.resource_version:
            return None
        live = self.cluster.get(change.key)
        if live is None or live.uid != decided.uid or live.resource_version == change.resource_version:
            return None
        if question({}, live, 0) != question({}, decided, 0):
            return None
        if change.action is Action.CONDITION:
            if Condition.of(live.document) != Condition.of(decided.document):
                return None
            self.latest[change.key] = live
        return live

    def _send(self, change: Change) -> LiveObject | None:
        return self._cluster(change) if change.key.store is StoreName.CLUSTER else self._registry(change)

    def _cluster(self, change: Change) -> LiveObject | None:
        match change.action:
            case Action.CREATE:
                return self.cluster.apply(_after(change), resource_version=NEW)
            case Action.UPDATE:
                return self.cluster.apply(_after(change), uid=change.uid, resource_version=change.resource_version)
            case Action.DELETE:
                self.cluster.delete(change.key, uid=change.uid, resource_version=change.resource_version)
                return None
            case Action.HAND_OVER:
                return self._hand_over(change)
            case Action.CONDITION:
                return self._condition(change)
            case _:
                assert_never(change.action)

    def _registry(self, change: Change) -> LiveObject | None:
        if self.registry is None:
            raise Rejected(f"{change.key}: no VM registry is configured")
        if change.action is Action.DELETE:
            self.registry.delete(change.key, uid=change.uid, resource_version=change.resource_version)
            return None
        return self.registry.put(_after(change), uid=change.uid, resource_version=change.resource_version)

    def _condition(self, change: Change) -> LiveObject:
        """Set a condition among those that stand, of which others may be somebody else's."""
        live = self._base(change.key)
        conditions = reduce(laid_among, conditions_of(_after(change)), conditions_of(live.document))
        return self.cluster.set_conditions(change.key, conditions, resource_version=change.resource_version)

    def _base(self, key: Key) -> LiveObject:
        live = self.latest.get(key) or self.observed.get(key)
        if live is None:
            raise Conflict(f"{key} is gone")
        return live

    def _hand_over(self, change: Change) -> LiveObject:
        live = self._base(change.key)
        owners = take_over(live.owners, change.managers, declared(_after(change)), FIELD_MANAGER)
        return self.cluster.set_owners(
            change.key, owners, uid=change.uid or live.uid, resource_version=change.resource_version or live.resource_version
        )


def _after(change: Change) -> Document:
    """Return the document to write; a change without one is a planner's bug."""
    if change.after is None:
        raise TypeError(f"{change.action} of {change.key} has no document")
    return change.after
