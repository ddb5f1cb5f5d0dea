"""What a person reads of a VM that is drained: how far it is, what is wanted beside what Git says, which share it gets."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction

from reconciler.core.health.codes import Code
from reconciler.core.health.drains import Draining, Stage
from reconciler.core.health.notes import undrained
from reconciler.core.health.planning import around
from reconciler.core.istio import WorkloadEntry
from reconciler.core.plans import Split
from reconciler.core.resources import Document, Key, ObservedState
from reconciler.core.shares.values import percent
from reconciler.core.splits import splits
from reconciler.errors import Problem, Severity

#: Requests of a drained VM are counted over so many seconds: proxies are asked every 15 or so.
QUIET = 30
_NONE = "none"


def partings(
    drains: Iterable[Draining], git: Mapping[Key, Document], observed: ObservedState, cluster: str
) -> Iterator[Problem]:
    """Yield what every report says of the VMs that are drained, as long as they are."""
    for one in drains:
        yield Problem(Code.DRAINED, said(one, git, observed, cluster), Severity.INFO, object=str(one.key))


def strained(before: Iterable[Split], after: Iterable[Split]) -> str:
    """Say who gets how many times its requests of before when splits become others: of those who get more, the first most."""
    known = {(split.service, split.port, one.name): one.share for split in before for one in split.endpoints}
    found = [
        (one.share / share, one.name, split.service)
        for split in after
        for one in split.endpoints
        if (share := known.get((split.service, split.port, one.name))) and one.share > share
    ]
    times, name, service = max(found, default=(Fraction(0), "", ""))
    return f"{name} then gets {float(times):.3g} times as many requests to {service} as before" if times else ""


def said(one: Draining, git: Mapping[Key, Document], observed: ObservedState, cluster: str) -> str:
    """Return how far a drain is, as a sentence."""
    live = observed.objects[one.key].document
    fields = "; ".join(_fields(one, git.get(one.key) or undrained(live), live))
    whose = f"drained by {one.drain.by}"
    match one.stage:
        case Stage.LOWERING | Stage.LEAVING:
            then = "its weight goes down first" if one.stage is Stage.LOWERING else f"then it leaves {_by(one)}"
            remains = "".join(
                f"; {percent(share)} of the requests to {service} remain" for service, share in _left(one, observed, cluster)
            )
            return f"{whose} until {_text(one.drain.until)}, {then}: {fields}{remains}"
        case Stage.ENDING:
            return f"out of load balancing, {whose} until {_text(one.drain.until)}, {_requests(one)}: {fields}"
        case Stage.DRAINED:
            return f"out of load balancing, {whose}, {_requests(one)}: {fields}"


def _by(one: Draining) -> str:
    return f"without {', '.join(sorted(one.labels))}" if one.labels else "by its condition"


def _requests(one: Draining) -> str:
    if one.seen.requests is None:
        return "its last requests are not measured here"
    return f"{one.seen.requests:,} requests in the last {QUIET} s" if one.seen.requests else "no requests any more"


def _fields(one: Draining, git: Document, live: Document) -> Iterator[str]:
    """Yield the fields in which Git says something else than is wanted now."""
    wanted = one.laid_on(git)
    sides = [WorkloadEntry.of(document).endpoint for document in (git, wanted, live)]
    yield _field("weight", *(max(1, side.weight) for side in sides))
    for name in sorted(one.labels) if one.unlabelled else ():
        yield _field(f"label {name}", *(side.labels.get(name, _NONE) for side in sides))


def _field(name: str, git: object, wanted: object, live: object) -> str:
    return f"{name}: Git {git}, wanted now {wanted}, live {live}"


def _left(one: Draining, observed: ObservedState, cluster: str) -> list[tuple[str, Fraction]]:
    """Return the share of each service that the VM gets with the weight that is wanted now, the largest first."""
    lowered = one.laid_on(observed.objects[one.key].document) if not one.unlabelled else observed.objects[one.key].document
    world = around(one.key.namespace, observed, cluster, {one.key: lowered})
    backends = [
        world.backends[key] for key in world.backends_by_namespace.get(one.key.namespace) or () if one.key in world.picked[key]
    ]
    services = {(one.key.namespace, host) for backend in backends for host in backend.hosts}
    found = {
        f"{split.service}:{split.port}": sum((each.share for each in split.endpoints if each.name == one.key.name), Fraction(0))
        for split in splits(world, services)
    }
    return sorted(found.items(), key=lambda each: -each[1])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
