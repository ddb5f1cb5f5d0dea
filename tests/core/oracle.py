"""The laws again, slowly and from plain documents: what the planner is held against. It shares no code with the simulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.changes import Action, Change
from reconciler.core.resources import Document, Key, Pod, Service

Documents = Mapping[Key, Document]


@dataclass(frozen=True)
class Surroundings:
    """What no write changes."""

    pods: tuple[Pod, ...] = ()
    services: tuple[Service, ...] = ()


def step(documents: Documents, change: Change) -> dict[Key, Document]:
    """Do one write the simple way: what we wrote is all there is, and the status stays."""
    rest = {key: one for key, one in documents.items() if key != change.key}
    if change.action is Action.HAND_OVER:
        return dict(documents)
    if change.after is not None:
        status = (documents.get(change.key) or {}).get("status")
        rest[change.key] = {**change.after, **({"status": status} if status else {})}
    return rest


def _labels(document: Document) -> dict[str, str]:
    return {**document["spec"].get("labels", {}), **document["metadata"].get("labels", {})}


def _matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return bool(selector) and all(labels.get(name) == value for name, value in selector.items())


def _workloads(documents: Documents, around: Surroundings, namespace: str) -> list[tuple[str, dict[str, str]]]:
    found = []
    for key, one in documents.items():
        if key.kind == "WorkloadEntry" and key.namespace == namespace:
            record = documents.get(Key("VirtualMachine", namespace, key.name), {}).get("status", {})
            elsewhere = record.get("address") and record["address"] != one["spec"]["address"]
            if record.get("health") != "unhealthy" and not elsewhere:
                found.append((f"vm {key.name}", _labels(one)))
    found += [(f"pod {one.name}", dict(one.labels)) for one in around.pods if one.namespace == namespace and one.ready]
    return found


def healthy(documents: Documents, around: Surroundings, namespace: str, host: str, subset: Mapping[str, str]) -> set[str]:
    """Names of the healthy endpoints of a service that a subset's labels hold."""
    found: set[str] = set()
    workloads = _workloads(documents, around, namespace)
    for key, one in documents.items():
        if key.kind == "ServiceEntry" and key.namespace == namespace and host in one["spec"]["hosts"]:
            inline = [(f"{key.name}-{i}", each.get("labels", {})) for i, each in enumerate(one["spec"].get("endpoints", []))]
            selector = one["spec"].get("workloadSelector", {}).get("labels", {})
            picked = [each for each in workloads if _matches(selector, each[1])]
            found |= {name for name, labels in (*inline, *picked) if _matches(subset, labels) or not subset}
    for service in around.services:
        if (namespace, host) == (service.namespace, f"{service.name}.{service.namespace}.svc.cluster.local"):
            found |= {name for name, labels in workloads if _matches(service.selector, labels)}
    return found


def served(documents: Documents, around: Surroundings) -> set[tuple[str, str]]:
    """All services."""
    entries = {
        (key.namespace, host) for key, one in documents.items() if key.kind == "ServiceEntry" for host in one["spec"]["hosts"]
    }
    return entries | {(one.namespace, f"{one.name}.{one.namespace}.svc.cluster.local") for one in around.services}


def _subset(documents: Documents, host: str, name: str) -> Mapping[str, str] | None:
    for key, one in sorted(documents.items()):
        if key.kind == "DestinationRule" and one["spec"]["host"] == host:
            for each in one["spec"].get("subsets", []):
                if each["name"] == name:
                    labels: Mapping[str, str] = each.get("labels", {})
                    return labels
    return None


def destinations(documents: Documents) -> set[tuple[Key, str, str]]:
    """Route, host and subset of every destination that gets requests."""
    found = set()
    for key, one in documents.items():
        if key.kind == "VirtualService":
            for each in one["spec"]["http"]:
                for target in each["route"]:
                    if target.get("weight", 0) or len(each["route"]) == 1:
                        to: Any = target["destination"]
                        found.add((key, to["host"], to.get("subset", "")))
    return found


def fed(documents: Documents, around: Surroundings, destination: tuple[Key, str, str]) -> bool:
    """Whether a destination has a healthy endpoint (all services live in one namespace here)."""
    _, host, name = destination
    labels = _subset(documents, host, name) if name else {}
    spaces = {namespace for namespace, known in served(documents, around) if known == host}
    return labels is not None and any(healthy(documents, around, one, host, labels) for one in spaces)


def broken(before: Documents, after: Documents, around: Surroundings) -> list[str]:
    """What one write breaks."""
    found = []
    for namespace, host in served(after, around) & served(before, around):
        if healthy(before, around, namespace, host, {}) and not healthy(after, around, namespace, host, {}):
            found.append(f"{host} is empty")
    old = destinations(before)
    known = {host for _, host in served(before, around)}
    for one in destinations(after):
        route, host, name = one
        if fed(after, around, one) or host not in known:
            continue
        if one in old and fed(before, around, one):
            found.append(f"{route} -> {host} {name} is empty")
        elif one not in old and any(fed(before, around, other) for other in old if other[0] == route):
            found.append(f"{route} now leads to {host} {name}, which is empty")
        elif one not in old and fed(after, around, (route, host, "")):
            found.append(f"{route} now leads to {host} {name}, an empty part")
    used = [one for one in destinations(after) if one[2] and _subset(after, one[1], one[2]) is None]
    news = [one for one in used if one not in old or _subset(before, one[1], one[2]) is not None]
    return [*found, *(f"{route} leads to {host} {name}, which is not defined" for route, host, name in news)]


def out_of_order(changes: Sequence[Change]) -> list[str]:
    """Which pairs of law 3 stand the wrong way round in a sequence of writes."""
    made = {one.key: at for at, one in enumerate(changes) if one.action is Action.CREATE}
    gone = {one.key: at for at, one in enumerate(changes) if one.action is Action.DELETE}
    found = []
    for at, one in enumerate(changes):
        before, after = set(_needed(one.before)), set(_needed(one.after))
        found += [f"{one.key} before {each} is there" for each in after - before if made.get(each, -1) > at]
        found += [
            f"{each} goes before {one.key} is done with it" for each in before - after if gone.get(each, len(changes)) < at
        ]
    found += [f"{key} deleted and made again" for key in gone if key.kind == "ServiceEntry" and key in made]
    return found


def _needed(document: Document | None) -> Iterable[Key]:
    if document is None:
        return
    key = Key.of(document)
    if key.namespace and key.kind != "VirtualMachine":
        yield Key("Namespace", "", key.namespace)
    if key.kind == "WorkloadEntry":
        yield Key("VirtualMachine", key.namespace, key.name)
        if document["spec"].get("serviceAccount"):
            yield Key("ServiceAccount", key.namespace, document["spec"]["serviceAccount"])
