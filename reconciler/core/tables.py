"""An immutable mapping of which a changed copy costs little: what makes the simulated world cheap to step through."""

from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, Self, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: A change copies one bucket and the list of buckets; both stay short when buckets hold about so many entries.
_FULL = 64


class Table(Mapping[K, V], Generic[K, V]):
    """A mapping spread over buckets by hash. Its order means nothing: sort what comes out of it where order shows."""

    __slots__ = ("_buckets", "_size")

    def __init__(self, entries: Mapping[K, V] | None = None, *, spread: tuple[list[dict[K, V]], int] | None = None) -> None:
        """Hold the entries, or take over buckets that hold them already, with how many these are."""
        if spread is None:
            entries = entries or {}
            spread = _spread(entries, 1 + len(entries) // (_FULL // 4)), len(entries)
        self._buckets, self._size = spread

    def __getitem__(self, key: K) -> V:
        return self._buckets[self._at(key)][key]

    def get(self, key: K, default: V | None = None) -> V | None:  # type: ignore[override]
        return self._buckets[self._at(key)].get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._buckets[self._at(key)]

    def __iter__(self) -> Iterator[K]:
        for bucket in self._buckets:
            yield from bucket

    def __len__(self) -> int:
        return self._size

    def _at(self, key: object) -> int:
        return hash(key) % len(self._buckets) if len(self._buckets) > 1 else 0

    def put(self, key: K, value: V | None) -> Self:
        """Return the table with this value under the key, or without the key where the value is None."""
        at = self._at(key)
        bucket = self._buckets[at].copy()
        if value is None:
            bucket.pop(key, None)
        else:
            bucket[key] = value
        size = self._size + len(bucket) - len(self._buckets[at])
        buckets = self._buckets.copy()
        buckets[at] = bucket
        changed = type(self)(spread=(buckets, size))
        return type(self)(dict(changed.items())) if size > _FULL * len(buckets) else changed


def _spread(entries: Mapping[K, V], count: int) -> list[dict[K, V]]:
    if count == 1:
        return [dict(entries)]
    buckets: list[dict[K, V]] = [{} for _ in range(count)]
    for key, value in entries.items():
        buckets[hash(key) % count][key] = value
    return buckets
