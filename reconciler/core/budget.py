"""How much may be deleted, and when: budgets and timers, as guards that say how to go on.

Budgets on services count over the whole plan, before it is cut into units: forty services of four hundred must not pass as
forty small plans. What is not held by a budget still waits for its time (`prune_guards`), and a service also for its name,
unless its traffic is known to have stopped.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.core.changes import Action, Cause
from reconciler.core.edges import Write
from reconciler.core.istio import DestinationRule, ServiceEntry, VirtualService
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.namespaces import Listing
from reconciler.core.plans import Guard, GuardCode, PlanSettings
from reconciler.core.resources import DesiredState, Key, ObservedState, StoreName
from reconciler.core.rollouts.subsets import is_generated
from reconciler.core.simulation import registered_by
from reconciler.core.standing import spelled
from reconciler.core.world import World

#: Fewer objects than this make no share: deleting one of two is no landslide, deleting all of them is.
_LEAST_FOR_SHARE = 10


#: Why something is to be deleted, by the cause of that.
_GONE_FROM_GIT = "gone from Git"
_GONE = {Cause.JOIN: "gone from its group"}


@dataclass(frozen=True, slots=True)
class Deletions:
    """What is known when deletions are planned.

    `first_seen` says since when a key has been due for deletion (now, where it is missing). `recent` are services deleted
    within the budget's window, `prune_now` keys that a person does not want to wait for, written as ``Kind/namespace/name``.
    `quiet` says of a ServiceEntry whether it had no requests for an hour (missing: nobody can see its traffic). `listings`
    tell of a namespace what is inside (missing: nobody has looked).
    """

    now: datetime
    first_seen: Mapping[Key, datetime] = field(default_factory=dict)
    recent: Collection[Key] = ()
    prune_now: Collection[str] = ()
    quiet: Mapping[Key, bool] = field(default_factory=dict)
    listings: Mapping[str, Listing] = field(default_factory=dict)


def deleted_services(writes: Iterable[Write], desired: DesiredState) -> tuple[Key, ...]:
    """Return the ServiceEntries whose deletion takes a host away; one whose hosts another one keeps was only renamed."""
    gone = [one for one in writes if one.key.kind == "ServiceEntry" and one.change.action is Action.DELETE and one.before]
    if not gone:
        return ()
    kept = {
        (key.namespace, host)
        for key, manifest in desired.manifests.items()
        if key.kind == "ServiceEntry"
        for host in ServiceEntry.of(manifest.document).hosts
    }
    return tuple(
        one.key
        for one in gone
        if any((one.key.namespace, host) not in kept for host in ServiceEntry.of(one.before or {}).hosts)
    )


def plan_guards(
    writes: Sequence[Write],
    services: Sequence[Key],
    desired: DesiredState,
    observed: ObservedState,
    settings: PlanSettings,
    deletions: Deletions,
) -> Iterator[Guard]:
    """Yield the guards on the deletions of a whole plan."""
    recent = set(deletions.recent) - set(services)
    if services and len(services) + len(recent) > settings.max_deleted_services:
        past = f", and {len(recent)} were deleted within 24 hours" if recent else ""
        yield Guard(
            GuardCode.DELETION_BUDGET,
            f"{len(services)} services would be deleted{past}; at most {settings.max_deleted_services} may",
            f"delete-services:{len(services)}",
            keys=tuple(services),
        )
    gone = [one.key for one in writes if one.change.action is Action.DELETE]
    cluster = [key for key in gone if key.store is StoreName.CLUSTER]
    total = len(cluster) + sum(key in observed.objects for key in desired.manifests)
    too_many = total >= _LEAST_FOR_SHARE and len(cluster) > settings.max_deleted_share * total
    if cluster and (too_many or len(cluster) == total):
        which = "all" if len(cluster) == total else f"more than {float(settings.max_deleted_share):.0%} of all"
        yield Guard(
            GuardCode.MASS_DELETION,
            f"{len(cluster)} of {total} objects would be deleted, {which}: is a folder missing from the commit?",
            f"delete-objects:{len(cluster)}",
            keys=tuple(gone),
        )


def prune_guards(
    writes: Iterable[Write], settings: PlanSettings, deletions: Deletions, rolling: Collection[Key] = ()
) -> Iterator[Guard]:
    """Yield a guard for each time at which deletions of one unit may go on by themselves.

    What a rollout has generated for itself it also takes away, when its time has come.
    """
    waiting: dict[tuple[datetime, str], list[Key]] = defaultdict(list)
    for write in writes:
        passes = _named(write.key, deletions.prune_now) or (write.key in rolling and is_generated(write.before))
        if write.change.action is Action.DELETE and not passes:
            until = deletions.first_seen.get(write.key, deletions.now) + settings.prune_after
            if until > deletions.now:
                waiting[until, _GONE.get(write.change.cause, _GONE_FROM_GIT)].append(write.key)
    for (until, why), keys in sorted(waiting.items()):
        to_name = [key for key in keys if key.kind != VIRTUAL_MACHINE or key._replace(kind="WorkloadEntry") not in keys]
        named = ", ".join(map(spelled, to_name[:5])) + (f" and {len(to_name) - 5} more" if len(to_name) > 5 else "")
        message = f"{why}, and deleted only after a while: {named} (at once with --prune-now)"
        yield Guard(GuardCode.PRUNE_AFTER, message, until=until, keys=tuple(keys))


def _named(key: Key, names: Collection[str]) -> bool:
    """Tell whether a person named it. A VM's record goes by its WorkloadEntry's name, too."""
    keys = (key, key._replace(kind="WorkloadEntry")) if key.kind == VIRTUAL_MACHINE else (key,)
    return "all" in names or any(spelled(one) in names or str(one) in names for one in keys)


def service_guards(writes: Sequence[Write], services: Collection[Key], deletions: Deletions) -> Iterator[Guard]:
    """Yield a guard for each service of a unit that only a person may let go, with what leads only to it."""
    for write in writes:
        if write.key in services and write.before and deletions.quiet.get(write.key) is not True:
            seen = "had requests within the last hour" if write.key in deletions.quiet else "has traffic that nobody can see"
            hosts = set(ServiceEntry.of(write.before).hosts)
            others = (one.key for one in writes if one.change.action is Action.DELETE and _leads_only_to(one, hosts))
            name = f"delete:{spelled(write.key)}"
            message = f"{write.key} is gone from Git and {seen}: it is deleted only by name"
            yield Guard(GuardCode.DELETE_SERVICE, message, name, keys=(write.key, *others))


def _leads_only_to(write: Write, hosts: set[str]) -> bool:
    if write.before is None:
        return False
    if write.key.kind == "DestinationRule":
        return DestinationRule.of(write.before).host in hosts
    return write.key.kind == "VirtualService" and {one.host for one in VirtualService.of(write.before).destinations} <= hosts


def endpoint_guards(
    before: World, after: World, services: Iterable[tuple[str, str]], writes: Sequence[Write], settings: PlanSettings
) -> Iterator[Guard]:
    """Yield a guard for each service that would lose too many of its endpoints, with the writes that take them.

    An endpoint is lost when neither its name nor its address is there any more; a service that goes as a whole is not counted
    here. Deleting a WorkloadGroup counts as deleting the WorkloadEntries that it owns.
    """
    for namespace, host in sorted(services):
        had, has = _endpoints(before, namespace, host), _endpoints(after, namespace, host)
        addresses = set(has.values())
        lost = {key for key, address in had.items() if key not in has and address not in addresses}
        if lost and after.ports_of(namespace, host) and len(lost) > settings.max_lost_endpoints * len(had):
            keys = _takers(before, namespace, host, lost, writes)
            share = f"at most {settings.max_lost_endpoints} may go at once"
            message = f"{host} would lose {len(lost)} of {len(had)} endpoints; {share}"
            yield Guard(GuardCode.ENDPOINT_BUDGET, message, f"endpoints:{namespace}/{host}", keys=keys)


def _endpoints(world: World, namespace: str, host: str) -> dict[Key, str]:
    return {
        member.key: member.address
        for backend in world.backends_of(namespace, host)
        for member in world.picked[backend.key].values()
    }


def _takers(world: World, namespace: str, host: str, lost: set[Key], writes: Sequence[Write]) -> tuple[Key, ...]:
    """Return the objects whose writes take endpoints away: the workloads themselves or their group, else the ServiceEntry."""
    taking: list[Key] = []
    explained: set[Key] = set()
    for write in writes:
        owned = registered_by(write.key, world.documents) if write.key.kind == "WorkloadGroup" else ()
        found = lost & {write.key, *owned}
        if found and write.change.action in (Action.UPDATE, Action.DELETE):
            taking.append(write.key)
            explained |= found
    if lost - explained:
        backends = {one.key for one in world.backends_of(namespace, host)}
        taking += [write.key for write in writes if write.key in backends]
    return tuple(dict.fromkeys(taking))
