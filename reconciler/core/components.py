"""Connected components: things that are joined, directly or through others, belong together."""

from collections.abc import Iterable

from reconciler.core.resources import Key


class Components:
    """Disjoint sets of keys, each set known by a number. A key that was never joined is a set of its own."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._parent: list[int] = []

    def number(self, key: Key) -> int:
        """Return the number of the component of a key; it may change with every `join`."""
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._parent)
            self._parent.append(found)
        return self._root(found)

    def join(self, one: Key, others: Iterable[Key]) -> None:
        """Make one component of a key and others."""
        root = self.number(one)
        for other in others:
            self._parent[self.number(other)] = root

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number
