"""Fights with other writers: counted when a field is put back, ended when somebody has decided.

A decision is a person's word (`--adopt KEY`), a commit that changes what was fought over, or the other writer's giving in: an
object that was left alone because of a fight is found as Git wants it. A fight over a VM's condition stands under a kind of its
own: the fields of the entry are written all the same.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.adoption import Adoption
from reconciler.core.causes import flips
from reconciler.core.changes import Action, Cause, ObjectDiff, State
from reconciler.core.health.vitals import Vital
from reconciler.core.report import WriteResult, Written
from reconciler.core.resources import Key
from reconciler.ports import Store

#: The kind of what is fought over where it is a WorkloadEntry's condition: ``Condition/shop/billing-1``.
CONDITION = "Condition"


def condition_of(entry: Key) -> Key:
    """Return the key under which a fight over the condition of a WorkloadEntry stands."""
    return Key(CONDITION, entry.namespace, entry.name)


@dataclass(slots=True)
class Fights:
    """Keeps the score of one target."""

    store: Store
    _left_alone: set[Key] = field(default_factory=set, init=False)

    def note(
        self, differences: Collection[ObjectDiff], results: Collection[WriteResult], adoption: Adoption, now: datetime
    ) -> None:
        """Take in what a cycle found and what it wrote. Raises Unavailable."""
        written = {one.key: one.cause for one in results if one.written is Written.DONE}
        flipped = {one.key: flips(one) for one in differences}
        still = {one.key for one in differences if one.state is State.FIGHT}
        decided = {key for key, cause in written.items() if key in adoption.keys or cause is not Cause.DRIFT}
        decided |= {key for key in self._left_alone - still if not flipped.get(key)}
        decided |= {key for key in adoption.keys if key.kind == CONDITION}
        for key in decided & self.store.fights().keys():
            self.store.settle_fight(key)
        self._left_alone = still
        for key in written:
            for path, manager in flipped.get(key, ()):
                self.store.flips(key, path, manager, now)

    def over_conditions(self, adoption: Adoption) -> frozenset[Key]:
        """Return the keys of `condition_of` that are fought over, but for those that a person has just named."""
        return frozenset(key for key in self.store.fights() if key.kind == CONDITION) - adoption.keys

    def note_conditions(self, fleet: Iterable[Vital], results: Collection[WriteResult], now: datetime) -> None:
        """Count the conditions of others that we have written over. Raises Unavailable."""
        written = {one.key for one in results if one.action is Action.CONDITION and one.written is Written.DONE}
        for vital in fleet:
            if vital.key in written and vital.overruled:
                self.store.flips(condition_of(vital.key), "status.conditions[Healthy]", vital.overruled, now)
