"""From differences to a plan: what goes now, in which order, what waits for what, and what traffic will do.

Writes get their edges, units become jobs, every job is laid out on the simulated mesh so that each single write keeps the laws,
and whatever a guard holds stays out with all that needs it. One unit's trouble is that unit's alone. Nothing here is random
and nothing reads the clock: equal input makes equal plans.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import partial

from reconciler.core.budget import Deletions
from reconciler.core.changes import ObjectDiff
from reconciler.core.digest import digest
from reconciler.core.edges import Edges
from reconciler.core.exposure import Bound
from reconciler.core.guards import Situation, WorldChange, guard_on_way, guards_on_jobs, guards_on_plan, history_guards
from reconciler.core.jobs import Bundle, Job, bundles, jobs_of
from reconciler.core.layout import Laid, circle_guards, lay_out, lay_out_all
from reconciler.core.modes import unit_mode
from reconciler.core.namespaces import Listing, counting, override_of
from reconciler.core.order import reasons
from reconciler.core.plans import WHOLE, Guard, GuardCode, Mode, NoWay, Plan, PlanSettings, Step, UnitPlan
from reconciler.core.resources import EMPTY, DesiredState, Key, ObservedState, Relation
from reconciler.core.rollouts.policies import Policies
from reconciler.core.splits import splits
from reconciler.core.surroundings import Surroundings
from reconciler.core.units import Cutter
from reconciler.core.world import World
from reconciler.core.writes import in_order
from reconciler.errors import Problem, ProblemCode, Severity

__all__ = ["Mode", "Plan", "PlanSettings", "make_plan"]


class Code(ProblemCode):
    """What a plan remarks on beside its guards."""

    OBSERVED = "MR7001", "a unit is only observed: nothing of it is written"
    DOUBTED = "MR7002", "what waits behind guards would be unlawful if it went now"


#: One step takes each unit all the way.
_EXPOSURE = Fraction(1)
_DEFAULTS = PlanSettings()


def make_plan(  # noqa: PLR0913 - what a plan depends on is named, not bundled
    desired: DesiredState,
    observed: ObservedState,
    differences: Sequence[ObjectDiff],
    *,
    now: datetime,
    settings: PlanSettings = _DEFAULTS,
    first_seen: Mapping[Key, datetime] = EMPTY,
    deleted_services: Collection[Key] = (),
    prune_now: Collection[str] = (),
    quiet: Mapping[Key, bool] = EMPTY,
    listings: Mapping[str, Listing] = EMPTY,
    relation: Relation = Relation.DESCENDANT,
    overrides: Collection[str] = (),
    rolling: Mapping[Key, str] = EMPTY,
    gains: Mapping[Key, bool] = EMPTY,
    refused: Mapping[str, NoWay] = EMPTY,
    bounds: Mapping[Key, Bound] = EMPTY,
    cutter: Cutter | None = None,
) -> Plan:
    """Return the plan of one commit for one target.

    `first_seen`, `deleted_services` (of the last 24 hours), `prune_now`, `quiet` and `listings` are told in
    `budget.Deletions`. `relation` is how the commit relates to the one accepted last. `overrides` are the names given for this
    plan's digest, which does not depend on them. `rolling` holds the objects of rollouts, each with its rollout's digest,
    `gains` is told in `writes_of`, `refused` in `guards.Situation`, `bounds` are what their ServiceEntries may expose now.
    `cutter` is what else cuts the same into units.
    """
    changes = [change for one in differences for change in one.changes]
    writes, edges = in_order(changes, observed, settings.root_namespace, gains)
    phase = edges.phases(writes)
    units = (cutter or Cutter()).cut(desired, observed, differences) if writes else ()
    jobs = jobs_of(units, writes, edges, phase)
    around = Surroundings(observed, settings.cluster)
    worlds = ((one, around.world_of(one.units, _coming(one))) for one in bundles(jobs, units))
    free = list(lay_out_all(worlds, edges, phase, bounds))
    deletions = Deletions(now, first_seen, deleted_services, prune_now, quiet, listings)
    policies = Policies.of(desired.policies, settings.root_namespace)
    situation = Situation(desired, observed, differences, settings, deletions, policies, rolling, refused)
    whole = [*history_guards(desired.revision, relation), *guards_on_plan(writes, situation)]
    named = [*guards_on_jobs(writes, [one for one, _ in free], situation), *circle_guards(jobs, writes, edges)]
    asks = [_asked(guard) for guard in (*whole, *(one for _, one in named)) if guard.code != GuardCode.CAVEAT]
    overrides = counting(overrides, writes, listings)
    standing = [guard for guard in whole if guard.override not in overrides]
    guards: dict[str, list[Guard]] = {job.name: [] for job in jobs}
    for name, guard in named:
        guards[name] += [guard] if guard.override not in overrides else []
    held = edges.held_with(_held(jobs, guards, standing))
    again = partial(lay_out, edges=edges, phase=phase, bounds=bounds)
    laid = {one.job.name: one for change, found in free for one in _held_back(change, found, held, again)}
    modes = _modes(jobs, situation, edges)
    doubts = {one.job.name: one.guards for _, found in free for one in found}
    planned = [_unit_plan(laid[job.name], guards[job.name], modes[job.name], doubts[job.name]) for job in jobs]
    first = [UnitPlan(WHOLE, settings.mode, (), guards=tuple(standing))] if standing else []
    still = sorted(refused.keys() - {job.unit.name for job in jobs})
    first += [UnitPlan(name, settings.mode, (), guards=(guard_on_way(name, refused[name], desired),)) for name in still]
    return Plan(
        target=settings.target,
        revision=desired.revision,
        units=(*first, *_in_line(planned)),
        digest=digest(settings.target, desired.revision, jobs, asks, rolling),
        why=reasons(writes, edges),
    )


def _asked(guard: Guard) -> str:
    """Return what a guard adds to the digest: what is found inside a Namespace makes no other plan of its deletion."""
    return override_of(guard.keys[0]) if guard.code == GuardCode.DELETE_NAMESPACE else guard.override


def _coming(bundle: Bundle) -> Iterable[dict[str, object]]:
    return (write.after for job in bundle.jobs for write in job.writes if write.after)


def _held(jobs: Iterable[Job], guards: Mapping[str, Iterable[Guard]], standing: Iterable[Guard]) -> set[int]:
    """Return the numbers of the writes that guards hold: of the objects that a guard names, else of all."""
    everything = any(not guard.keys for guard in standing)
    keys = {key for guard in standing for key in guard.keys}
    held: set[int] = set()
    for job in jobs:
        own = {key for guard in guards[job.name] for key in guard.keys} | keys
        all_of_it = everything or any(not guard.keys for guard in guards[job.name])
        held |= {write.number for write in job.writes if all_of_it or write.key in own}
    return held


def _held_back(
    change: WorldChange, laid: list[Laid], held: set[int], again: Callable[[Bundle, World, set[int]], Iterable[Laid]]
) -> Iterable[Laid]:
    """Return the jobs of a bundle laid out without what is held, which is as before where nothing of theirs is."""
    if any(write.number in held for job in change.bundle.jobs for write in job.writes):
        return again(change.bundle, change.before, held)
    held |= {write.number for one in laid for write in one.held}
    return laid


def _modes(jobs: Sequence[Job], situation: Situation, edges: Edges) -> dict[str, tuple[Mode, tuple[str, ...]]]:
    """Return each job's mode and why it is only observed. What needs an observed job's writes can only be observed itself."""
    wanted = {key: manifest.document for key, manifest in situation.desired.manifests.items()}
    states = {one.key: one.state for one in situation.differences}
    job_of = {write.number: job.name for job in jobs for write in job.writes}
    needs: dict[str, set[str]] = {job.name: set() for job in jobs}
    for edge in edges.all:
        if edge.strong and job_of[edge.first] != job_of[edge.then]:
            needs[job_of[edge.then]].add(job_of[edge.first])
    modes: dict[str, tuple[Mode, tuple[str, ...]]] = {}
    for job in jobs:
        own = unit_mode(situation.settings.mode, job.unit.keys, wanted, situation.observed, {} if job.unit.base else states)
        observed = [name for name in sorted(needs[job.name]) if modes[name][0] is Mode.OBSERVE]
        why = own.reasons or tuple(f"{name}, which comes first, is only observed" for name in observed)
        modes[job.name] = (Mode.OBSERVE if why else Mode.ENFORCE, why)
    return modes


def _in_line(planned: Sequence[UnitPlan]) -> Iterator[UnitPlan]:
    """Yield the units so that whoever waits for one that writes nothing waits for what that one waits for.

    The order in which units were simulated holds across those that stand still.
    """
    waits: dict[str, set[str]] = {}
    for one in planned:
        found = set(one.waits_for).union(*(waits[name] for name in one.waits_for))
        waits[one.name] = set() if one.steps and one.mode is Mode.ENFORCE else found
        yield replace(one, waits_for=tuple(sorted(found)))


def _unit_plan(laid: Laid, guards: Iterable[Guard], mode: tuple[Mode, tuple[str, ...]], doubts: Iterable[Guard]) -> UnitPlan:
    """`doubts` say why the job would be unlawful if nothing of it were held."""
    job = laid.job
    problems = [Problem(Code.OBSERVED, f"{job.name} is only observed: {why}", Severity.INFO) for why in mode[1]]
    if not laid.guards:
        text = "what is held would be refused as things stand"
        problems += [Problem(Code.DOUBTED, f"{job.name}: {text}: {one.message}", Severity.WARNING) for one in doubts]
    waves = tuple(tuple(write.change for write in wave) for wave in laid.waves)
    return UnitPlan(
        name=job.name,
        mode=mode[0],
        steps=(Step(waves, _EXPOSURE),) if waves else (),
        held=tuple(write.change for write in laid.held),
        guards=(*guards, *laid.guards),
        before=splits(laid.before, job.unit.services),
        after=splits(laid.after, job.unit.services),
        problems=tuple(problems),
        waits_for=job.waits_for,
    )
