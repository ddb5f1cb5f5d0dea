"""Units as they are carried out: jobs, in an order in which each finds done what it builds on.

A unit is one job. Where others have to come between what it adds and what it takes away (a route that two units share, the
base on which all stand), it is two: the second one has the unit's name and ``removals``. Jobs that would still wait for each
other become one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from reconciler.core.edges import Edges, Write
from reconciler.core.units import Unit, by_key

_Graph = dict[str, set[str]]

#: What a unit's second job is called after the unit's name.
_REMOVALS = " removals"


@dataclass(frozen=True, slots=True)
class Job:
    """A unit's writes, or half of them, and the names of the jobs that come before."""

    name: str
    unit: Unit
    writes: tuple[Write, ...]
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Jobs, in order, whose units bear on each other: they share one simulated world."""

    units: tuple[Unit, ...]
    jobs: tuple[Job, ...]


def jobs_of(units: Sequence[Unit], writes: Sequence[Write], edges: Edges, phase: Sequence[int]) -> list[Job]:
    """Return the jobs of all units that have writes, in the order in which they are carried out."""
    home = by_key(units)
    unit_of = [home[write.key].name for write in writes]
    crossing = [(edge.first, edge.then) for edge in edges.all if unit_of[edge.first] != unit_of[edge.then]]
    leads, follows = {unit_of[one] for one, _ in crossing}, {unit_of[one] for _, one in crossing}
    touched = {name for write in writes for name in home[write.key].touches}
    jobs: dict[str, list[Write]] = defaultdict(list)
    name_of: dict[int, str] = {}
    for write in writes:
        unit = home[write.key]
        cut = unit.base or unit.name in touched or (unit.name in leads and unit.name in follows)
        name = unit.name + _REMOVALS if cut and phase[write.number] else unit.name
        name_of[write.number] = name
        jobs[name].append(write)
    graph: _Graph = {name: set() for name in jobs}
    for first, then in crossing:
        graph[name_of[then]].add(name_of[first])
    for name in graph:
        graph[name] |= {name.removesuffix(_REMOVALS)} & (graph.keys() - {name})
    made = {name: Job(name, home[found[0].key], tuple(found)) for name, found in jobs.items()}
    _put_between(made, graph, phase)
    return _sorted(made, graph)


def bundles(jobs: Sequence[Job], units: Iterable[Unit]) -> list[Bundle]:
    """Return the jobs in groups of units that bear on each other, in order."""
    unit_of = {unit.name: unit for unit in units}
    job_of = {job.name: job for job in jobs}
    group: dict[str, set[str]] = {name: {name} for name in unit_of}
    for one, other in _ties(jobs, job_of):
        if group[one] is not group[other]:
            merged = group[one] | group[other]
            group.update(dict.fromkeys(merged, merged))
    done: dict[int, list[Job]] = defaultdict(list)
    for job in jobs:
        done[id(group[job.unit.name])].append(job)
    return [Bundle(tuple(unit_of[name] for name in sorted(group[found[0].unit.name])), tuple(found)) for found in done.values()]


def _ties(jobs: Iterable[Job], job_of: Mapping[str, Job]) -> Iterator[tuple[str, str]]:
    for job in jobs:
        yield from ((job.unit.name, name) for name in job.unit.touches)
        for name in job.waits_for:
            other = job_of[name].unit
            if not (other.base or job.unit.base):
                yield job.unit.name, other.name


def _put_between(jobs: Mapping[str, Job], graph: _Graph, phase: Sequence[int]) -> None:
    """Order a rule or route that touches several units among these units' jobs, also where no edge asks for it.

    It comes after what they add and before what they take away, since that is the order in which it is checked.
    """
    by_unit: dict[str, list[Job]] = defaultdict(list)
    for job in jobs.values():
        by_unit[job.unit.name].append(job)
    for between in [job for job in jobs.values() if job.unit.touches]:
        for job in (job for name in between.unit.touches for job in by_unit.get(name, ())):
            if between.name in graph[job.name] or job.name in graph[between.name]:
                continue
            if all(phase[write.number] for write in job.writes):
                graph[job.name].add(between.name)
            else:
                graph[between.name].add(job.name)


def _sorted(jobs: dict[str, Job], graph: _Graph) -> list[Job]:
    """Return the jobs so that each comes after those it waits for, otherwise the base first, its removals last, by name."""
    while True:
        sorter = TopologicalSorter(graph)
        try:
            sorter.prepare()
        except CycleError as circle:
            _merge(jobs, graph, circle.args[1])
            continue
        break
    order: list[Job] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda name: (not jobs[name].unit.base, name))
        order += [replace(jobs[name], waits_for=tuple(sorted(graph[name]))) for name in ready]
        sorter.done(*ready)
    return order


def _merge(jobs: dict[str, Job], graph: _Graph, circle: Sequence[str]) -> None:
    """Make one job of a circle of jobs, under the first name."""
    names = set(circle)
    kept = min(names)
    writes = sorted((write for name in names for write in jobs[name].writes), key=lambda one: one.number)
    unit = jobs[kept].unit
    touches = {jobs[name].unit.name for name in names} | {one for name in names for one in jobs[name].unit.touches}
    services = tuple(sorted({one for name in names for one in jobs[name].unit.services}))
    keys = tuple(key for name in sorted(names) for key in jobs[name].unit.keys)
    merged = replace(unit, keys=tuple(dict.fromkeys(keys)), services=services, touches=tuple(sorted(touches - {unit.name})))
    before = {one for name in names for one in graph[name]} - names
    for name in names:
        del jobs[name], graph[name]
    jobs[kept] = Job(kept, merged, tuple(writes))
    graph[kept] = before
    for name, found in graph.items():
        if found & names and name != kept:
            graph[name] = (found - names) | {kept}
