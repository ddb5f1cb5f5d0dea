"""Jobs laid out on the simulated world: waves for what may go, and why the rest has no lawful place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from reconciler.core.edges import Edges, Write
from reconciler.core.exposure import Bound
from reconciler.core.guards import WorldChange
from reconciler.core.jobs import Bundle, Job
from reconciler.core.plans import Guard, GuardCode
from reconciler.core.resources import EMPTY, Key
from reconciler.core.simulation import after
from reconciler.core.waves import Schedule, Stuck, schedule
from reconciler.core.world import World

_ADVICE = {
    0: "do this in two commits, the second one after the first is through",
    1: "let other endpoints become healthy first, or do it in two commits",
    2: "see what else changes its endpoints, or take the rollout back with `reconciler abort`",
    3: "add what is missing to the commit, or take away what still uses it",
    4: "change it in a way that leaves the service in place",
}


@dataclass(frozen=True, slots=True)
class Laid:
    """One job: the waves that may go, the worlds around them, what is held, and a guard where it is unlawful."""

    job: Job
    waves: tuple[tuple[Write, ...], ...]
    before: World
    after: World
    held: tuple[Write, ...]
    guards: tuple[Guard, ...] = ()


def lay_out_all(
    bundles: Iterable[tuple[Bundle, World]], edges: Edges, phase: Sequence[int], bounds: Mapping[Key, Bound] = EMPTY
) -> Iterator[tuple[WorldChange, list[Laid]]]:
    """Yield each bundle laid out with nothing held, and the worlds around all of its writes, lawful or not.

    `bounds` are by ServiceEntry.
    """
    for bundle, world in bundles:
        laid = list(lay_out(bundle, world, set(), edges, phase, bounds))
        final = laid[-1].after
        if any(one.held for one in laid):
            final = reduce(after, (write.change for job in bundle.jobs for write in job.writes), world)
        yield WorldChange(bundle, world, final), laid


def lay_out(
    bundle: Bundle, world: World, held: set[int], edges: Edges, phase: Sequence[int], bounds: Mapping[Key, Bound] = EMPTY
) -> Iterator[Laid]:
    """Yield the jobs of a bundle in order, each on the world that the ones before it leave.

    `held` numbers the writes that guards hold. What is free goes if that is lawful without them; otherwise the whole job is
    held, and with it whatever needs it. `held` grows by these.
    """
    own = {key: bounds[key] for unit in bundle.units for key in unit.keys if key in bounds}
    for job in bundle.jobs:
        free = [write for write in job.writes if write.number not in held]
        found = schedule(world, free, edges.waits, phase, own)
        guards: tuple[Guard, ...] = ()
        if found.stuck:
            # A part may be unlawful only because the rest is held: then its guards are reason enough.
            whole = found if len(free) == len(job.writes) else schedule(world, job.writes, edges.waits, phase, own)
            guards = (_unlawful(whole, len(job.writes)),) if whole.stuck else ()
            held |= edges.held_with(write.number for write in job.writes)
            found = Schedule((), world)
        waiting = tuple(write for write in job.writes if write.number in held)
        yield Laid(job, found.waves, world, found.world, waiting, guards)
        world = found.world


def circle_guards(jobs: Iterable[Job], writes: Sequence[Write], edges: Edges) -> Iterator[tuple[str, Guard]]:
    """Yield a guard, by job, for writes that wait for each other whichever way they are placed."""
    stuck = edges.in_circles(len(writes))
    for job in jobs if stuck else ():
        keys = tuple(dict.fromkeys(write.key for write in job.writes if write.number in stuck))
        if keys:
            message = f"{', '.join(map(str, keys[:5]))} would have to come before and after what else changes: {_ADVICE[0]}"
            yield job.name, Guard(GuardCode.UNLAWFUL, message, keys=keys)


def _unlawful(found: Schedule, count: int) -> Guard:
    """Say which write is the first that has no lawful place, and what it would do."""
    first: Stuck = found.stuck[0]
    number = sum(map(len, found.waves)) + 1
    what = f"write {number} of {count} ({first.write.change.action} {first.write.key})"
    why = first.message or "has no place after the others"
    return Guard(GuardCode.UNLAWFUL, f"{what} {why}: {_ADVICE[first.law]}")
