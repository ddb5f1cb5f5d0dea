"""Why the shares of a service cannot be made by subsets and routes: what is in the way, where, and what to do about it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.hosts import canonical, covers
from reconciler.core.istio import DestinationRule, ServiceEntry, VirtualService, selects
from reconciler.core.resources import Document, Key, LiveObject, ObservedState
from reconciler.core.rollouts.platforms import Labelled
from reconciler.core.rollouts.subsets import OURS, generated_name, is_generated
from reconciler.core.rollouts.values import Documents
from reconciler.core.wanted import marked_for
from reconciler.errors import ProblemCode


class Code(ProblemCode):
    """What is in the way, by code; as the codes of `analysis`, they never change."""

    NO_LABEL = "MR3311", "no label tells the VMs of a service from its Pods"
    OWN_SUBSET = "MR3312", "a route leads to a subset of its own, which is not divided further"
    TWO_ROUTES = "MR3313", "another VirtualService routes the host"
    SHARED = "MR3314", "a VirtualService leads to services of other units as well"
    PATTERN = "MR3315", "the host is a pattern, to which no route can lead"
    OTHER_RULE = "MR3316", "a DestinationRule of another namespace, or for some clients only, is for the host"
    SERVICE = "MR3317", "a Kubernetes Service sends requests to the same VMs"
    NAME_TAKEN = "MR3318", "the name of what would be generated is taken"
    APART = "MR3319", "old and new selector have no label in common"
    OTHER_SERVICE = "MR3320", "hosts or ports change while routes that were generated for them divide the requests"


_ELSE = "or choose strategy: weights"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing in the way: the object that it is about, the field (empty: all of it), what is wrong and what to do."""

    code: Code
    key: Key
    field: str
    message: str

    def __str__(self) -> str:
        return f"{' '.join(part for part in (str(self.key), self.field) if part)}: {self.message} [{self.code}]"


def obstacles(
    entry: Document, documents: Documents, machines: Iterable[Labelled], observed: ObservedState | None = None
) -> Iterator[Obstacle]:
    """Yield what is in the way for a ServiceEntry among the documents of its unit, and among all that is live where given."""
    key = Key.of(entry)
    for place, host in enumerate(entry["spec"].get("hosts") or ()):
        if host.startswith("*"):
            yield Obstacle(Code.PATTERN, key, f"spec.hosts[{place}]", f"no route can lead to {host}: name the hosts, {_ELSE}")
        yield from _in_unit(canonical(host), documents, key.namespace)
        if observed is not None:
            yield from _around(canonical(host), generated_name(key, place), key, documents, observed)
    if observed is not None:
        yield from _services(entry, machines, observed)


def of_change(old: Document, new: Document, generated: Collection[str]) -> Iterator[Obstacle]:
    """Yield what must not change of a ServiceEntry with what was generated for it (kinds): one of them would go ahead."""
    gone = sorted(set(old["spec"].get("hosts") or ()) - set(new["spec"].get("hosts") or ()))
    ports = _ports(old) ^ _ports(new)
    why = "while generated routes divide the requests: take its split out of the RolloutPolicy first, then change this alone"
    if gone and generated:
        yield Obstacle(Code.OTHER_SERVICE, Key.of(new), "spec.hosts", f"{gone[0]} goes {why}")
    if ports and "VirtualService" in generated:
        number, protocol = min(ports)
        yield Obstacle(Code.OTHER_SERVICE, Key.of(new), "spec.ports", f"port {number} ({protocol}) comes or goes {why}")


def _ports(entry: Document) -> set[tuple[int, str]]:
    return {(one["number"], (one.get("protocol") or "").upper()) for one in entry["spec"].get("ports") or ()}


def _in_unit(host: str, documents: Documents, namespace: str) -> Iterator[Obstacle]:
    found = [one for _, one in sorted(documents.items()) if one is not None and not is_generated(one)]
    rules = [DestinationRule.of(one) for one in found if one["kind"] == "DestinationRule"]
    routes = [VirtualService.of(one) for one in found if one["kind"] == "VirtualService"]
    has_own = any(_is_plain(one, host, namespace) for one in rules)
    for rule in rules:
        yield from _other_rule(rule, host, namespace, has_own=has_own)
    for route in routes:
        yield from _own_subsets(route, host)
    followed = [one for one in routes if "mesh" in one.gateways and host in one.hosts]
    for one in followed[1:] if followed else routes:
        if _routes(one, host):
            yield _second(one, host, f"{followed[0].key} does" if followed else "by a pattern")


def _own_subsets(service: VirtualService, host: str) -> Iterator[Obstacle]:
    for route in service.routes:
        for place, one in enumerate(route.destinations):
            if one.host == host and one.subset not in {"", *OURS}:
                field = f"{route.path}.route[{place}].destination.subset"
                text = f"leads to subset {one.subset}, which the split cannot divide: lead to {host} without a subset, {_ELSE}"
                yield Obstacle(Code.OWN_SUBSET, service.key, field, text)


def _is_plain(rule: DestinationRule, host: str, namespace: str) -> bool:
    """Tell whether a rule is one to which the subsets can be added."""
    return rule.host == host and rule.key.namespace == namespace and rule.clients is None


def _other_rule(rule: DestinationRule, host: str, namespace: str, *, has_own: bool) -> Iterator[Obstacle]:
    """Of rules for a pattern Istio takes nothing where there is one for the very host."""
    if not covers(rule.host, host) or _is_plain(rule, host, namespace):
        return
    if rule.clients is not None:
        text = f"its clients would not know the subsets of {host}: take its workloadSelector away, {_ELSE}"
        yield Obstacle(Code.OTHER_RULE, rule.key, "spec.workloadSelector", text)
    elif rule.host == host:
        text = f"clients of {rule.key.namespace} would not know the subsets of {host}: move it to {namespace}, {_ELSE}"
        yield Obstacle(Code.OTHER_RULE, rule.key, "spec.host", text)
    elif not has_own:
        text = f"a rule for {host} alone would take its place: write one into {namespace} with the same policy, {_ELSE}"
        yield Obstacle(Code.OTHER_RULE, rule.key, "spec.host", text)


def _second(route: VirtualService, host: str, other: str) -> Obstacle:
    text = f"routes {host} too ({other}), and sidecars follow only one: join them, {_ELSE}"
    return Obstacle(Code.TWO_ROUTES, route.key, "spec.hosts", text)


def _around(host: str, name: str, entry: Key, documents: Documents, observed: ObservedState) -> Iterator[Obstacle]:
    """Yield what is live and not of the unit. Of two rules in one namespace Istio adds up the subsets."""
    rules = [DestinationRule.of(one) for key, one in documents.items() if key.kind == "DestinationRule" and one is not None]
    has_own = any(_is_plain(one, host, entry.namespace) for one in rules)
    for key in sorted(_rivals(observed.objects, documents)):
        live = observed.objects[key]
        ours = is_generated(live.document) and marked_for(live.labels)
        if (key.namespace, key.name) == (entry.namespace, name) and not ours:
            yield Obstacle(Code.NAME_TAKEN, key, "", f"is not ours, and the rollout needs the name: rename it, {_ELSE}")
        elif ours:
            continue
        elif key.kind == "DestinationRule":
            yield from _other_rule(DestinationRule.of(live.document), host, entry.namespace, has_own=has_own)
        else:
            yield from _other_route(live, host)


def _rivals(objects: Iterable[Key], documents: Documents) -> Iterator[Key]:
    yield from (key for key in objects if key.kind in ("VirtualService", "DestinationRule") and documents.get(key) is None)


def _other_route(live: LiveObject, host: str) -> Iterator[Obstacle]:
    route = VirtualService.of(live.document)
    leads = any(one.host == host for one in route.destinations)
    if marked_for(live.labels) and leads:
        text = f"leads to {host} and to services of other units, which change apart from it: part it, {_ELSE}"
        yield Obstacle(Code.SHARED, live.key, "", text)
    elif leads or _routes(route, host):
        yield _second(route, host, "it is not in Git")


def _routes(route: VirtualService, host: str) -> bool:
    return "mesh" in route.gateways and any(covers(one, host) for one in route.hosts)


def _services(entry: Document, machines: Iterable[Labelled], observed: ObservedState) -> Iterator[Obstacle]:
    """Yield Kubernetes Services that select the VMs: requests to these go by weights, whatever routes to the host say."""
    one, labels_of = ServiceEntry.of(entry), [labels for _, labels in machines]
    for service in observed.services:
        host = f"{service.name}.{service.namespace}.svc"
        chosen = service.namespace == one.key.namespace and any(selects(service.selector, one) for one in labels_of)
        if chosen and not any(name.startswith(host) for name in one.hosts):
            text = f"the Service {service.name} sends requests to its VMs by their weights: take them out of it, {_ELSE}"
            yield Obstacle(Code.SERVICE, one.key, "", text)
