"""Whose requests are the canary's and whose the stable arm's, and whether Istio's metrics tell these apart.

In these metrics a request is counted under the workload that it reached: for a VM the name of its WorkloadEntry, unless a label
says another one, for a Pod that of its Deployment. Arms are told apart where no workload is on both sides.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from reconciler.core.gates.reading import by_workload
from reconciler.core.istio import WORKLOAD_NAME, WorkloadEntry
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.capacity import service_name
from reconciler.core.rollouts.mesh import PODS, Mesh
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.strength import course_of
from reconciler.core.rollouts.values import ArmFigures, Documents, LegKind, Way
from reconciler.core.scaling import run_by

_NONE = Fraction(0)
_OWN_LABELS = "let the gates pick them by labels (canary and stable of a comparing gate)"


def sides(way: Way, number: int, mesh: Mesh) -> tuple[set[Key], set[Key]]:
    """Return who receives requests in the step of this index, and who serves as before."""
    step = way.steps[number]
    leg = way.legs[step.leg]
    if leg.kind in (LegKind.IDENTITY, LegKind.ENDPOINTS):
        machines = {key for key in leg.after if key.kind == "WorkloadEntry"}
        return machines & step.switched, machines - step.switched
    receiving: set[Key] = set()
    giving: set[Key] = set()
    for course in course_of(way, number, mesh):
        for key in {*course.start, *course.wanted}:
            start, wanted = course.start.get(key, _NONE), course.wanted.get(key, _NONE)
            if wanted > start:
                receiving.add(key)
            elif wanted < start and not (step.exposure == 1 and not wanted):
                giving.add(key)
    return receiving, giving


def workloads(side: Iterable[Key], entries: Iterable[Document], documents: Documents, mesh: Mesh) -> set[str]:
    """Return the names under which requests to one side of ServiceEntries are counted; inline endpoints have none."""
    keys = set(side)
    found = {_named(key, documents.get(key)) for key in keys if key.kind == "WorkloadEntry"}
    if PODS in keys:
        found |= {run_by(pod).partition("/")[2] for one in entries for pod in mesh.pods_of(one)}
    return found - {""}


def why_not_apart(canary: set[str], stable: set[str]) -> str:
    """Say why arms of these workloads, or hosts, are none that can be compared."""
    if canary & stable:
        return f"old and new endpoints are the same workloads to the metrics: {_listed(canary & stable)}"
    return "no stable arm: nothing serves as before" if canary else "no canary: the step changes no endpoint's share"


def arm_figures(rollout: Rollout, mesh: Mesh) -> tuple[ArmFigures, ...]:
    """Return for each service what its gates will tell apart: of several steps, the first at which they cannot.

    Empty where no gate looks at one side by workload, and where no step that such a gate follows has two sides.
    """
    way, found = rollout.on, dict[str, ArmFigures]()
    asking = {name for name, gate in rollout.policy.gates.items() if by_workload(gate)}
    for number, step in enumerate(way.steps if asking and not rollout.goes_back else ()):
        watched = rollout.policy.watch and number == way.watched
        if watched or asking.intersection(step.gates):
            for one in _at(way, number, mesh):
                if one.service not in found or (one.why and not found[one.service].why):
                    found[one.service] = one
    return tuple(found.values())


def _at(way: Way, number: int, mesh: Mesh) -> Iterator[ArmFigures]:
    """Yield each service of a unit with the arms of a step: gates compare those of the whole unit."""
    receiving, giving = sides(way, number, mesh)
    if not receiving or not giving:
        return
    documents = {**way.before, **{key: one for key, one in way.after.items() if one is not None}}
    entries = {key: one for key, one in documents.items() if key.kind == "ServiceEntry" and one is not None}
    earlier = [one for key in entries if (one := way.before.get(key)) is not None]
    canary, stable = (_coming(side, [*entries.values(), *earlier], documents, mesh) for side in (receiving, giving))
    why = ""
    if canary & stable:
        why = _cure(receiving, giving, canary & stable)
    elif not (canary and stable):
        why = _nameless(giving if canary else receiving)
    for key in sorted(entries):
        yield ArmFigures(service_name(key), tuple(sorted(canary)), tuple(sorted(stable)), why)


def _coming(side: set[Key], entries: Iterable[Document], documents: Documents, mesh: Mesh) -> set[str]:
    """Return the workloads of a side, with those of Pods that are only to come."""
    asked = list(entries)
    to_come = [key.name for one in asked for key, _ in mesh.labels_of_pods(one) if key.kind != "Pod"] if PODS in side else []
    return workloads(side, asked, documents, mesh).union(to_come)


def _cure(receiving: set[Key], giving: set[Key], shared: set[str]) -> str:
    both = f"both sides are the workload {_listed(shared)} to the metrics"
    if receiving & giving:
        return f"{both}, which gains in one service and gives in another: change these services one after the other"
    if PODS in receiving | giving:
        return f"{both}: give the WorkloadEntry the label {WORKLOAD_NAME} with a name that no Deployment has, or {_OWN_LABELS}"
    return f"{both}: give the WorkloadEntries of one side the label {WORKLOAD_NAME} with a name of their own, or {_OWN_LABELS}"


def _nameless(side: set[Key]) -> str:
    if PODS in side:
        return "nobody knows the workload of its Pods: none runs yet, and no Deployment that would start some is seen"
    return "metrics name inline endpoints after their ServiceEntry, at best by their place in it: write them as WorkloadEntries"


def _named(key: Key, document: Document | None) -> str:
    return WorkloadEntry.of(document).workload if document else key.name


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:3])
