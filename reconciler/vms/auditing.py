"""The audit log of the registry's server, read from its beginning and held against its own hashes."""

from collections import deque
from dataclasses import dataclass

from reconciler.core.fleet.audit import Extent, Link, Mark, broken_at
from reconciler.ports import FleetDesk


@dataclass(frozen=True, slots=True)
class Audited:
    """What was found: the `last` entries, how many there are, and the first number that does not follow (None: all do)."""

    extent: Extent
    entries: int
    last: tuple[Link, ...]
    broken: int | None


def audited(desk: FleetDesk, last: int) -> Audited:
    """Read the log as far as it is not broken, and keep so many of its last entries. Raises Unavailable, Rejected."""
    kept: deque[Link] = deque(maxlen=last)
    links, extent = desk.audit(0)
    stands, entries, missing = extent.cut, 0, False
    while True:
        new = [link for link in links if link.number > stands.number]
        broken = broken_at(new, stands)
        if broken is None and not new and stands.number < extent.newest.number:
            # Asked for once more: what was written between the two answers is in the second alone.
            broken, missing = (stands.number + 1, True) if missing else (None, True)
        if broken is not None:
            return Audited(extent, entries, tuple(kept), broken)
        kept.extend(new)
        entries += len(new)
        stands = new[-1].mark if new else stands
        if stands == extent.newest:
            return Audited(extent, entries, tuple(kept), None)
        links, extent = desk.audit(stands.number)


def text_of(found: Audited) -> str:
    """Say what was found, in a sentence."""
    cut = f", those up to {found.extent.cut.number:,} are cut off" if found.extent.cut != Mark() else ""
    if found.broken is not None:
        why = "it, or one before it, was changed or removed"
        return f"broken: entry {found.broken:,} does not follow on the one before; {why}{cut}"
    newest = found.extent.newest
    whole = f"{found.entries:,} entries, each follows on the one before{cut}"
    return f"{whole}; the newest is {newest.number:,} with hash {newest.hash}"
