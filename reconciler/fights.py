"""Fights with other writers: counted when a field is put back, ended when somebody has decided.

A decision is a person's word (`--adopt KEY`), a commit that changes what was fought over, or the other writer's giving in: an
object that was left alone because of a fight is found as Git wants it.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.adoption import Adoption
from reconciler.core.causes import flips
from reconciler.core.changes import Cause, ObjectDiff, State
from reconciler.core.report import WriteResult, Written
from reconciler.core.resources import Key
from reconciler.ports import Store


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
        for key in decided & self.store.fights().keys():
            self.store.settle_fight(key)
        self._left_alone = still
        for key in written:
            for path, manager in flipped.get(key, ()):
                self.store.flips(key, path, manager, now)
