"""Writes on their way through planning, and the edges that say which comes before which."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.core.changes import Action, Change
from reconciler.core.resources import Document, Key


@dataclass(frozen=True, slots=True)
class Write:
    """One change on its way through planning: its number, and the whole object before and after it (None: not there).

    `exposes`: by its weight alone it leads a rollout's requests further on. It goes after what holds them back: between the
    two, more of them would go there than before or after both.
    """

    number: int
    change: Change
    before: Document | None
    after: Document | None
    exposes: bool = False

    @property
    def key(self) -> Key:
        return self.change.key


@dataclass(frozen=True, slots=True)
class Edge:
    """Write `first` comes before write `then`, by number. A strong one also means: not without it."""

    first: int
    then: int
    reason: str
    removal: bool = False
    strong: bool = True


class Edges:
    """All edges between some writes, and the questions that are asked of them.

    `waits` has, for each write that waits, the numbers of those that come before it.
    """

    def __init__(self, edges: Iterable[Edge]) -> None:
        self.all = tuple(edges)
        self.waits: dict[int, set[int]] = defaultdict(set)
        self._then: dict[int, list[Edge]] = defaultdict(list)
        for edge in self.all:
            self.waits[edge.then].add(edge.first)
            self._then[edge.first].append(edge)

    def held_with(self, numbers: Iterable[int]) -> set[int]:
        """Return these writes and all that must not go without one of them."""
        held = set(numbers)
        pending = list(held)
        while pending:
            more = {edge.then for edge in self._then.get(pending.pop(), ()) if edge.strong} - held
            held |= more
            pending += more
        return held

    def in_circles(self, count: int) -> set[int]:
        """Return those of so many writes that wait for each other, and those that wait for these."""
        waits = {number: len(self.waits[number]) for number in range(count) if number in self.waits}
        free = [number for number in range(count) if number not in waits]
        while free:
            for then in {edge.then for edge in self._then.get(free.pop(), ())}:
                waits[then] -= 1
                if not waits[then]:
                    del waits[then]
                    free.append(then)
        return set(waits)

    def phases(self, writes: Sequence[Write]) -> list[int]:
        """Return for each write 0 where it adds or changes, 1 where it takes away or has to wait for one that does."""
        phase = [int(write.change.action is Action.DELETE) for write in writes]
        for edge in self.all:
            if edge.removal:
                phase[edge.then] = 1
        pending = [number for number, one in enumerate(phase) if one]
        while pending:
            for edge in self._then.get(pending.pop(), ()):
                if not phase[edge.then]:
                    phase[edge.then] = 1
                    pending.append(edge.then)
        return phase
