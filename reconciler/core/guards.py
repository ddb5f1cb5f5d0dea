"""All guards of a plan in one place: which there are, and for which jobs and objects."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from reconciler.core.budget import Deletions, deleted_services, endpoint_guards, plan_guards, prune_guards, service_guards
from reconciler.core.changes import ObjectDiff
from reconciler.core.edges import Write
from reconciler.core.jobs import Bundle, Job
from reconciler.core.keeping import missing_namespaces, used_accounts
from reconciler.core.namespaces import namespace_guards
from reconciler.core.plans import Guard, GuardCode, NoWay, PlanSettings, Wholesale
from reconciler.core.portions import Portion, portions_of_service
from reconciler.core.resources import EMPTY, DesiredState, Key, ObservedState, Relation, Revision
from reconciler.core.rollouts.policies import Policies
from reconciler.core.splits import Service, voiding
from reconciler.core.units import Unit
from reconciler.core.wholesale import resolution_guard, wholesale_guard, wholesale_parts
from reconciler.core.world import World
from reconciler.errors import Severity

#: Guards by the name of the job that they are for.
_Named = Iterator[tuple[str, Guard]]


@dataclass(frozen=True, slots=True)
class Situation:
    """What guards look at beside the jobs.

    `rolling` are the objects of rollouts, whose steps are smaller than any budget; `refused` says of units why what they are
    to become cannot be rolled out.
    """

    desired: DesiredState
    observed: ObservedState
    differences: Sequence[ObjectDiff]
    settings: PlanSettings
    deletions: Deletions
    policies: Policies
    rolling: Collection[Key] = ()
    refused: Mapping[str, NoWay] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class WorldChange:
    """A bundle with the world before its first write, and after all of them."""

    bundle: Bundle
    before: World
    after: World


def history_guards(revision: Revision, relation: Relation) -> Iterator[Guard]:
    """Yield the guard on a branch that has moved to a commit which does not follow on the accepted one."""
    if revision.moving and relation in (Relation.DIVERGED, Relation.UNKNOWN):
        gone = "is not in its history" if relation is Relation.DIVERGED else "is not known any more"
        message = f"the branch was moved: the commit accepted last {gone}; accept {revision.short} by name"
        yield Guard(GuardCode.HISTORY, message, f"history:{revision.short}")


def guard_on_way(unit: str, found: NoWay, desired: DesiredState) -> Guard:
    """Return the guard on a unit that cannot be rolled out."""
    manifest = desired.get(found.key) or desired.policies.get(found.key) if found.key else None
    where = f"{manifest.place}: " if manifest else ""
    message = f"what Git says of {unit} cannot be rolled out: {where}{found.why}"
    return Guard(GuardCode.NO_ROLLOUT, message, retry=found.retry)


def guards_on_plan(writes: Sequence[Write], situation: Situation) -> Iterator[Guard]:
    """Yield the guards that count over all units."""
    services = deleted_services(writes, situation.desired)
    yield from plan_guards(writes, services, situation.desired, situation.observed, situation.settings, situation.deletions)


def guards_on_jobs(writes: Sequence[Write], worlds: Sequence[WorldChange], situation: Situation) -> _Named:
    """Yield all other guards. Each holds the objects that it names, all of the job's where it names none."""
    services = deleted_services(writes, situation.desired)
    populated = _populated(situation)
    job_of = {write.key: job.name for one in worlds for job in one.bundle.jobs for write in job.writes}
    for guard in (
        *_refused_by_server(situation.differences),
        *missing_namespaces(writes, situation.observed),
        *used_accounts(writes, situation.desired, situation.observed),
        *namespace_guards(writes, situation.desired, situation.deletions.listings),
    ):
        yield from _spread(guard, job_of)
    for one in worlds:
        yield from _on_endpoints(one, situation, job_of)
        for job in one.bundle.jobs:
            found = (*_on_unit(job.unit, situation), *_on_writes(job, one.before, populated, situation))
            deletions = situation.deletions
            found += (
                *service_guards(job.writes, services, deletions),
                *prune_guards(job.writes, situation.settings, deletions, situation.rolling),
            )
            yield from ((job.name, guard) for guard in found)


def _populated(situation: Situation) -> frozenset[str]:
    """Return the namespaces in which anything runs; Istio's root namespace stands for the mesh."""
    observed = situation.observed
    found = {pod.namespace for pod in observed.pods}
    found |= {key.namespace for key in observed.objects if key.kind in ("WorkloadEntry", "ServiceEntry")}
    return frozenset(found | {situation.settings.root_namespace} if found else ())


def _refused_by_server(differences: Iterable[ObjectDiff]) -> Iterator[Guard]:
    for one in differences:
        errors = [problem.message for problem in one.problems if problem.severity is Severity.ERROR]
        if one.changes and errors:
            yield Guard(GuardCode.REFUSED_BY_SERVER, f"{one.key} {errors[0]}", keys=(one.key,))


def _on_unit(unit: Unit, situation: Situation) -> Iterator[Guard]:
    if found := situation.refused.get(unit.name):
        yield guard_on_way(unit.name, found, situation.desired)
    if len(unit.policies) > 1:
        named = " and ".join(str(key) for key in unit.policies)
        yield Guard(GuardCode.TWO_POLICIES, f"{named} are for services that roll out together: keep one of them")


def _on_writes(job: Job, world: World, populated: frozenset[str], situation: Situation) -> Iterator[Guard]:
    for write in job.writes:
        against = resolution_guard(write)
        if against:
            yield against
        elif parts := wholesale_parts(write, world, populated):
            guard = wholesale_guard(write, parts, _wholesale_setting(job.unit, situation))
            yield from [guard] if guard else []


def _wholesale_setting(unit: Unit, situation: Situation) -> Wholesale:
    """Return the stricter of what the operator and RolloutPolicies say of the unit: Git cannot allow what was not allowed."""
    said = situation.settings.wholesale
    asked = situation.policies.spec_of(unit).get("wholesale", said)
    return max(said, Wholesale(asked), key=list(Wholesale).index)


def _on_endpoints(change: WorldChange, situation: Situation, job_of: Mapping[Key, str]) -> _Named:
    """Compare the worlds around all writes of a bundle: endpoints lost, predictions voided."""
    bundle, world, final = change.bundle, change.before, change.after
    if not world.backends:
        return
    writes = [write for job in bundle.jobs for write in job.writes]
    for unit in bundle.units:
        if not any(key in situation.rolling for key in unit.keys):
            for guard in endpoint_guards(world, final, unit.services, writes, situation.settings):
                yield from _spread(guard, job_of)
        names = [job.name for job in bundle.jobs if job.unit.name == unit.name]
        for guard in _voided(world, final, unit) if names else ():
            yield from ((name, guard) for name in names)


def _voided(world: World, final: World, unit: Unit) -> Iterator[Guard]:
    """Yield a guard for each service whose split moves while nothing can be predicted about it."""
    moving = {service for service in unit.services if _moves(world, final, service)}
    for (namespace, host), caveat in voiding(final, moving):
        message = f"the split of {host} moves and cannot be predicted: {caveat.text}; {caveat.fix}"
        yield Guard(GuardCode.CAVEAT, message, f"{caveat.code}:{namespace}/{host}")


def _moves(world: World, final: World, service: Service) -> bool:
    """Tell whether requests go elsewhere than before by weights: of all, or of what routes give to a subset."""
    parts = portions_of_service(world, *service)
    parts = parts if parts and parts == portions_of_service(final, *service) else (Portion(Fraction(1)),)
    weights = [(_weights(world, service, part), _weights(final, service, part)) for part in parts]
    return any(before and before != after for before, after in weights)


def _weights(world: World, service: Service, part: Portion) -> dict[str, int]:
    return {
        member.address: member.weight
        for backend in world.backends_of(*service)
        for member in world.picked[backend.key].values()
        if part.holds(member)
    }


def _spread(guard: Guard, job_of: Mapping[Key, str]) -> _Named:
    """Yield a guard for each job that has some of its objects."""
    keys: dict[str, list[Key]] = defaultdict(list)
    for key in guard.keys:
        if key in job_of:
            keys[job_of[key]].append(key)
    yield from ((name, replace(guard, keys=tuple(found))) for name, found in keys.items())
