"""What gates are told of a rollout: which endpoints a step is about, and whose requests are which arm's."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from reconciler.core.backends import Member, Platform
from reconciler.core.gates.answers import Arm
from reconciler.core.gates.scene import Gain, Scene, Target
from reconciler.core.resources import Key
from reconciler.core.rollouts.arms import sides, why_not_apart, workloads
from reconciler.core.rollouts.destinations import hosts_moved, hosts_of, led_to
from reconciler.core.rollouts.effective import effective
from reconciler.core.rollouts.mesh import PODS, Mesh, Shares
from reconciler.core.rollouts.rollout import Phase, Rollout
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import Documents

_NONE = Fraction(0)


def scene_of(rollout: Rollout, mesh: Mesh, now: datetime, author: str = "") -> Scene:
    """Return the scene of a rollout's current step."""
    documents = effective(rollout, mesh)
    entries = [one for key, one in sorted(documents.items()) if key.kind == "ServiceEntry" and one is not None]
    if not entries:
        return _of_routes(rollout, documents, mesh, now, author)
    hosts = tuple(host for one in entries for host in one["spec"].get("hosts") or ())
    namespace = entries[0]["metadata"]["namespace"]
    receiving, giving = sides(rollout.on, rollout.step, mesh)
    canary, stable = (workloads(side, entries, documents, mesh) for side in (receiving, giving))
    apart = bool(canary) and bool(stable) and not canary & stable
    return replace(
        _place(rollout, now, author),
        targets=tuple(_targets(receiving, documents, mesh)),
        doubted=mesh.observed.recovering,
        whole=Arm(hosts, namespace),
        canary=Arm(hosts, namespace, tuple(sorted(canary))) if canary and (apart or not stable) else None,
        stable=Arm(hosts, namespace, tuple(sorted(stable))) if apart else None,
        why_no_arms="" if apart else why_not_apart(canary, stable),
        gains=tuple(_gains(rollout, documents, mesh)),
    )


def _place(rollout: Rollout, now: datetime, author: str) -> Scene:
    """Return a scene with where a rollout is, and nothing of who gets requests."""
    return Scene(
        now=now,
        in_force=rollout.in_force,
        version=rollout.population,
        approvals=rollout.approvals,
        digest=rollout.digest,
        author=author,
        rollout=rollout.id,
        unit=rollout.unit,
        commit=rollout.commit,
        step=rollout.step,
        steps=len(rollout.on.steps),
        exposure=rollout.current.exposure,
        watched=rollout.phase is Phase.WATCHING,
    )


def _of_routes(rollout: Rollout, documents: Documents, mesh: Mesh, now: datetime, author: str) -> Scene:
    """Return the scene of routes between the services of other units: hosts are its arms, and their endpoints its targets."""
    gaining, losing = hosts_moved(rollout.on.before, rollout.on.after)
    given = losing if rollout.current.exposure < 1 else losing & hosts_of(rollout.on.after)
    targets = tuple(_targets(set(), led_to(documents, gaining, mesh), mesh))
    return replace(
        _place(rollout, now, author),
        targets=targets,
        doubted=mesh.observed.recovering,
        unknown="" if targets else "no endpoint is known of where the routes lead",
        whole=Arm(tuple(sorted(hosts_of(documents)))),
        canary=Arm(tuple(sorted(gaining))) if gaining else None,
        stable=Arm(tuple(sorted(given))) if gaining and given else None,
        why_no_arms="" if gaining and given else why_not_apart(gaining, set()),
    )


def _gains(rollout: Rollout, documents: Documents, mesh: Mesh) -> Iterator[Gain]:
    """Yield what the current step is to give of each service to those whose share grows on its leg."""
    for course in course_of(rollout.on, rollout.step, mesh):
        key, now = Key.of(course.opening.before), course.at(rollout.current.exposure)
        entry = documents.get(key)
        growing = {one for one, share in course.wanted.items() if share > course.start.get(one, _NONE)}
        if not growing or entry is None:
            continue
        hosts = tuple(entry["spec"].get("hosts") or ())
        theirs, others = (workloads(side, [entry], documents, mesh) for side in (growing, now.keys() - growing))
        apart = bool(theirs) and not theirs & others
        yield Gain(
            service=f"{key.namespace}/{key.name}",
            planned=sum((now[one] for one in growing), _NONE),
            gains=Arm(hosts, key.namespace, tuple(sorted(theirs))) if apart else None,
            every=Arm(hosts, key.namespace) if apart else None,
            why="" if apart else why_not_apart(theirs, others),
            machines=_machines(now),
            to_machines=_machines(course.wanted) > _machines(course.start),
        )


def _machines(shares: Shares) -> Fraction:
    return sum((share for key, share in shares.items() if key != PODS), _NONE)


def _targets(receiving: set[Key], documents: Documents, mesh: Mesh) -> Iterable[Target]:
    """Yield the endpoints that receive requests; those of the whole unit where nobody's share changes."""
    world = mesh.world(documents)
    members: dict[Key, Member] = {}
    for key, one in documents.items():
        if key.kind == "ServiceEntry" and one is not None:
            members |= {member.key: member for member in (world.picked.get(key) or {}).values()}
    machines = {key for key in receiving if key != PODS}
    if not receiving:
        machines = {key for key, one in members.items() if one.platform is Platform.VM}
    for key in sorted(machines):
        member = members.get(key)
        yield Target(key, member.healthy if member else None, present=member is not None)
    if PODS in receiving or not receiving:
        entries = [one for key, one in documents.items() if key.kind == "ServiceEntry" and one is not None]
        pods = {pod.name: pod for one in entries for pod in mesh.pods_of(one)}
        yield from (Target(Key("Pod", pod.namespace, pod.name), pod.ready) for _, pod in sorted(pods.items()))
