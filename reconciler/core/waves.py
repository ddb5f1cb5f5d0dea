"""From writes and their edges to waves: writes that may land in any order, one wave after the other, every law kept.

Ranks are followed as long as they lead on. A write that would break a law now is put off until others have made it lawful: a
selector moves before the last VM takes its new label. What cannot be placed at all makes the sequence stuck.

Why the order inside a wave does not matter: the writes of a wave are of one rank. A WorkloadEntry feeds a demand with as many
pairs as it itself says, so after any part S of a wave a demand has the pairs of the others, plus what each member of S brings
afterwards, plus what each member outside S brings before. That is at least the pairs before the wave less what each write
takes away by itself, gains not counted; a wave is filled only as long as that stays above zero. Writes to ServiceEntries and
DestinationRules of one service are not put into one wave at all, and what a VirtualService leads to does not depend on other
VirtualServices. So a demand that is fed after this count is fed in every order. Exposure is counted likewise: what each write
adds by itself, what others take off not counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain

from reconciler.core.changes import Action, Change
from reconciler.core.demands import Demand, pairs, pairs_of, touched
from reconciler.core.edges import Write
from reconciler.core.exposure import Bound, Exposure, Load, Move, too_much
from reconciler.core.laws import Witnesses, refusals
from reconciler.core.order import place
from reconciler.core.resources import EMPTY, Key
from reconciler.core.simulation import after
from reconciler.core.world import World

#: Kinds whose writes change endpoints one by one.
_SINGLE = frozenset({"WorkloadEntry", "VirtualMachine"})
#: Kinds whose writes change the endpoints of whole services.
_WHOLE = frozenset({"ServiceEntry", "DestinationRule", "WorkloadGroup"})


@dataclass(frozen=True, slots=True)
class Stuck:
    """A write that has no lawful place: the law that it would break (0: none, it waits for another stuck one), and why."""

    write: Write
    law: int
    message: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Waves in order, the world after them, and what could not be placed."""

    waves: tuple[tuple[Write, ...], ...]
    world: World
    stuck: tuple[Stuck, ...] = ()


def schedule(
    world: World,
    writes: Sequence[Write],
    waits: Mapping[int, set[int]],
    phase: Sequence[int],
    bounds: Mapping[Key, Bound] = EMPTY,
) -> Schedule:
    """Place writes one wave after the other.

    `waits` says which writes come before each, by number (those that are not among `writes` count as done), `phase` whether
    each adds (0) or takes away (1). `bounds` are by ServiceEntry.
    """
    left = {write.number: write for write in sorted(writes, key=lambda one: (_place(one, phase), one.key))}
    waves: list[tuple[Write, ...]] = []
    witnesses, exposure = Witnesses(), Exposure(bounds)
    while left:
        wave = _next_wave(_Wave(world, world, witnesses, exposure), left, waits, phase)
        if not wave.writes:
            return Schedule(tuple(waves), world, _stuck(left, wave))
        waves.append(tuple(wave.writes))
        world = wave.world
        for write in wave.writes:
            del left[write.number]
    return Schedule(tuple(waves), world)


@dataclass(slots=True)
class _Wave:
    """A wave being filled.

    In every order of the writes so far a demand has at least the pairs that `kept` counts, and a bound ServiceEntry that had
    the load in `first` exposes no more than the one in `worst`.
    """

    start: World
    world: World
    witnesses: Witnesses
    exposure: Exposure
    writes: list[Write] = field(default_factory=list)
    kept: dict[Demand, int] = field(default_factory=dict)
    first: dict[Key, Load] = field(default_factory=dict)
    worst: dict[Key, Load] = field(default_factory=dict)
    claimed: set[tuple[str, str]] = field(default_factory=set)
    refused: dict[int, tuple[int, str]] = field(default_factory=dict)

    def offer(self, write: Write) -> None:
        """Take a write in, unless it breaks a law by itself or might break one together with the others."""
        new = after(self.world, write.change)
        seen = touched(self.world, new, write.change)
        moves = self.exposure.moves(self.world, new, write.change)
        reason = next(chain(refusals(self.world, new, write.change, seen, self.witnesses), too_much(moves)), None)
        if reason:
            self.refused[write.number] = reason
            return
        if write.key.kind in _WHOLE and seen.services & self.claimed:
            return
        worst = {one.bound.entry: one.worst(self.worst.get(one.bound.entry)) for one in moves}
        if any(load.share > self._most(one) for one, load in zip(moves, worst.values(), strict=True)):
            return
        lost = {one: count for one in seen.before & seen.after if (count := _lost(self.world, new, one, write.change))}
        for demand in lost:
            if demand not in self.kept:
                self.kept[demand] = sum(1 for _ in pairs(self.start, demand))
        if any(self.kept[demand] <= count for demand, count in lost.items()):
            return
        for demand, count in lost.items():
            self.kept[demand] -= count
        for one in moves:
            self.first.setdefault(one.bound.entry, one.before)
        self.worst |= worst
        self.exposure.take(moves)
        self.claimed |= seen.services
        self.writes.append(write)
        self.world = new

    def _most(self, move: Move) -> Fraction:
        """Return the share that a bound ServiceEntry may expose in this wave: what it exposes already is not made worse."""
        return max(move.bound.most, self.first.get(move.bound.entry, move.before).share)


def _next_wave(wave: _Wave, left: Mapping[int, Write], waits: Mapping[int, set[int]], phase: Sequence[int]) -> _Wave:
    """Return the first wave that can be filled: in the order of places, but nothing goes before all that is new is there."""
    creating = any(write.change.action is Action.CREATE for write in left.values())
    groups: dict[tuple[bool, int, int], list[Write]] = {}
    for number, write in left.items():
        if not (waits.get(number, set()) & left.keys()) and not (creating and write.change.action is Action.DELETE):
            groups.setdefault(_place(write, phase), []).append(write)
    for group in groups.values():
        for write in group:
            wave.offer(write)
        if wave.writes:
            break
    return wave


def _place(write: Write, phase: Sequence[int]) -> tuple[bool, int, int]:
    return (write.exposes, *place(write.key.kind, phase[write.number]))


def _lost(world: World, new: World, demand: Demand, change: Change) -> int:
    """Return how many pairs a write by itself takes from a demand."""
    if change.action is Action.CREATE:
        return 0
    if change.key.kind in _SINGLE:
        member = Key("WorkloadEntry", change.key.namespace, change.key.name)
        before, after = (sum(1 for _ in pairs_of(one, demand, member)) for one in (world, new))
    else:
        before, after = (sum(1 for _ in pairs(one, demand)) for one in (world, new))
    return max(0, before - after)


def _stuck(left: Mapping[int, Write], wave: _Wave) -> tuple[Stuck, ...]:
    """Say of every write that is left why: those with a reason of their own first."""
    own = [Stuck(left[number], law, message) for number, (law, message) in wave.refused.items()]
    others = [Stuck(write, 0, "") for number, write in left.items() if number not in wave.refused]
    return (*own, *others)
