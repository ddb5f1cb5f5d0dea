"""Which objects are for a host: by its exact name, and by patterns with a leading ``*`` that cover it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from reconciler.core.hosts import covers
from reconciler.core.resources import Key
from reconciler.core.tables import Table


@dataclass(frozen=True, slots=True)
class HostIndex:
    """Keys by canonical host, immutable; the keys of one host are in order."""

    _keys: Table[str, tuple[Key, ...]] = field(default_factory=Table)
    _patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Key]]) -> Self:
        keys: dict[str, set[Key]] = {}
        for host, key in pairs:
            keys.setdefault(host, set()).add(key)
        table: Table[str, tuple[Key, ...]] = Table({host: tuple(sorted(found)) for host, found in keys.items()})
        return cls(table, _longest_first(host for host in keys if host.startswith("*")))

    def moved(self, key: Key, before: Iterable[str], after: Iterable[str]) -> Self:
        """Return the index with a key no longer under some hosts, and now under others."""
        old, new = set(before), set(after)
        keys = self._keys
        for host in old - new:
            keys = keys.put(host, tuple(one for one in keys.get(host) or () if one != key) or None)
        for host in new - old:
            keys = keys.put(host, tuple(sorted({*(keys.get(host) or ()), key})))
        if any(host.startswith("*") for host in old ^ new):
            return type(self)(keys, _longest_first(host for host in keys if host.startswith("*")))
        return type(self)(keys, self._patterns)

    def exact(self, host: str) -> tuple[Key, ...]:
        """Return the keys under this very name."""
        return self._keys.get(host) or ()

    def covering(self, host: str) -> Iterator[tuple[str, Key]]:
        """Yield (name, key) of everything for the host: its own name first, then patterns, the longest first."""
        yield from ((host, key) for key in self.exact(host))
        for pattern in self._patterns:
            if pattern != host and covers(pattern, host):
                yield from ((pattern, key) for key in self.exact(pattern))

    def covered(self, pattern: str) -> Iterator[tuple[str, Key]]:
        """Yield (name, key) of everything under names that the pattern covers, itself included."""
        if not pattern.startswith("*"):
            yield from ((pattern, key) for key in self.exact(pattern))
            return
        for host, keys in self._keys.items():
            if covers(pattern, host):
                yield from ((host, key) for key in keys)


def _longest_first(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(patterns, key=lambda one: (-len(one), one)))
