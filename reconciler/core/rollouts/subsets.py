"""Strategy `subsets`: documents in which routes give the VMs and the Pods of a service an exact share each.

The DestinationRule for a host defines two subsets more, and in every route that leads to the host the one destination becomes
two. All else of both stays as it is, element by element, since routes and subsets are atomic lists. Where the unit has no rule
or no VirtualService for the host, one is generated, named ``<serviceentry>-rollout``: it carries our mark and an annotation,
and is there only as long as the shares are made by routes.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from math import lcm
from typing import Any

from reconciler.core.hosts import canonical, fqdn
from reconciler.core.istio import DestinationRule, VirtualService
from reconciler.core.kinds import MANAGED
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.platforms import Platforms
from reconciler.core.rollouts.values import Documents
from reconciler.core.wanted import TARGET_LABEL

#: Names of the subsets; nobody else may define them.
VM_SUBSET, POD_SUBSET = "rollout-vm", "rollout-pod"
OURS = frozenset({VM_SUBSET, POD_SUBSET})
#: On what is generated: the ServiceEntry that it is for, as namespace/name.
GENERATED_ANNOTATION = "mesh-reconciler.io/rollout"

PROTOCOLS = ("http", "tls", "tcp")
_HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"})
_TLS = frozenset({"TLS", "HTTPS"})
#: What a destination without a weight beside it weighs, and the most that weights of one route may sum up to.
_WHOLE, _MOST = 100, 1_000_000

_Target = Mapping[str, Any]
_Route = Mapping[str, Any]


def routed(documents: Documents, shares: Mapping[Key, Fraction], by: Platforms) -> dict[Key, Document | None]:
    """Return the documents with routes that give the VMs of each of these ServiceEntries their share (0 to 1), Pods the rest.

    Documents that make other shares already are brought to these. What is not needed any more of what was generated is None.
    """
    found = {key: None if is_generated(one) else one for key, one in documents.items()}
    for key, share in shares.items():
        if entry := documents.get(key):
            for place, host in enumerate(entry["spec"].get("hosts") or ()):
                _define(found, entry, host, generated_name(key, place), by)
                _route(found, entry, host, generated_name(key, place), share)
    return found


def generated_name(entry: Key, place: int = 0) -> str:
    """Return the name of what is generated for a ServiceEntry's host, by its place among the hosts."""
    return f"{entry.name}-rollout" + (f"-{place + 1}" if place else "")


def is_generated(document: Document | None) -> bool:
    """Tell whether it is one that `routed` has made."""
    return document is not None and GENERATED_ANNOTATION in (document["metadata"].get("annotations") or ())


def generated_for(entry: Key, documents: Documents) -> set[str]:
    """Return the kinds of what was generated for a ServiceEntry among these documents."""
    name = f"{entry.namespace}/{entry.name}"
    found = [(key.kind, one["metadata"].get("annotations") or {}) for key, one in documents.items() if one is not None]
    return {kind for kind, annotations in found if annotations.get(GENERATED_ANNOTATION) == name}


def is_routed(documents: Documents) -> bool:
    """Tell whether routes make the shares in these documents."""
    return platforms_in(documents) is not None


def platforms_in(documents: Documents) -> Platforms | None:
    """Return the label by which the subsets in these documents tell VMs from Pods, None where there are no such subsets."""
    for key, one in documents.items():
        if key.kind == "DestinationRule" and one is not None:
            labels = {each["name"]: each.get("labels") or {} for each in one["spec"].get("subsets") or ()}
            vms, pods = labels.get(VM_SUBSET, {}), labels.get(POD_SUBSET, {})
            if len(vms) == 1 and vms.keys() == pods.keys():
                (label,) = vms
                return Platforms(label, vms[label], pods[label])
    return None


def _define(found: dict[Key, Document | None], entry: Document, host: str, name: str, by: Platforms) -> None:
    """Put both subsets into the rule for a host."""
    keys = sorted(key for key, one in found.items() if key.kind == "DestinationRule" and one is not None)
    rules = [key for key in keys if DestinationRule.of(found[key] or {}).host == canonical(host)]
    key = rules[0] if rules else Key("DestinationRule", entry["metadata"]["namespace"], name)
    rule = found.get(key) or _generated(key, entry, {"host": host})
    subsets = [one for one in rule["spec"].get("subsets") or () if one["name"] not in OURS]
    subsets += [{"name": VM_SUBSET, "labels": {by.label: by.vm}}, {"name": POD_SUBSET, "labels": {by.label: by.pod}}]
    found[key] = {**rule, "spec": {**rule["spec"], "subsets": subsets}}


def _route(found: dict[Key, Document | None], entry: Document, host: str, name: str, share: Fraction) -> None:
    """Bring every route to a host to a share, and have sidecars that call it follow one for each of its ports."""
    followed = False
    for key, one in found.items():
        if key.kind == "VirtualService" and one is not None:
            found[key] = _rerouted(one, host, share)
            if is_followed(one, host):
                followed = True
                found[key] = _with_all_ports(found[key] or one, entry, host, share)
    if not followed:
        key = Key("VirtualService", entry["metadata"]["namespace"], name)
        found[key] = _with_all_ports(_generated(key, entry, {"hosts": [host]}), entry, host, share)


def is_followed(document: Document, host: str) -> bool:
    """Tell whether sidecars follow a VirtualService for the requests to a host."""
    route = VirtualService.of(document)
    return "mesh" in route.gateways and canonical(host) in route.hosts


def _generated(key: Key, entry: Document, spec: Document) -> Document:
    metadata = entry["metadata"]
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name == TARGET_LABEL}
    return {
        "apiVersion": MANAGED[key.kind].api_version,
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": labels,
            "annotations": {GENERATED_ANNOTATION: f"{metadata['namespace']}/{metadata['name']}"},
        },
        "spec": {**spec, **({"exportTo": entry["spec"]["exportTo"]} if entry["spec"].get("exportTo") else {})},
    }


def _with_all_ports(document: Document, entry: Document, host: str, share: Fraction) -> Document:
    """Return a VirtualService with routes for the ports of a protocol of which it has none; where it has some, it has said."""
    added: dict[str, list[_Route]] = {}
    for port in entry["spec"].get("ports") or ():
        for protocol in _protocols(port.get("protocol") or ""):
            if not document["spec"].get(protocol):
                match = {"port": port["number"], **({"sniHosts": [host]} if protocol == "tls" else {})}
                target = {"destination": {"host": host, "port": {"number": port["number"]}}}
                route: _Route = {"match": [match], "route": [target]}
                added.setdefault(protocol, []).append(_divided(route, lambda _: True, share))
    return {**document, "spec": {**document["spec"], **added}} if added else document


def _protocols(name: str) -> tuple[str, ...]:
    """Return the lists of a VirtualService that count for a port; of one without a protocol the proxy finds out."""
    if not name:
        return "http", "tcp"
    return ("http",) if name.upper() in _HTTP else ("tls",) if name.upper() in _TLS else ("tcp",)


def _rerouted(document: Document, host: str, share: Fraction) -> Document:
    """Return a VirtualService in which all that leads to the host, to no subset of its own, has the share."""
    namespace, spec = document["metadata"]["namespace"], document["spec"]

    def is_ours(target: _Target) -> bool:
        to = target.get("destination") or {}
        return fqdn(to.get("host") or "", namespace) == canonical(host) and to.get("subset", "") in {"", *OURS}

    lists = {name: [_divided(one, is_ours, share) for one in spec[name]] for name in PROTOCOLS if spec.get(name)}
    return {**document, "spec": {**spec, **lists}} if any(lists[name] != spec[name] for name in lists) else document


def _divided(route: _Route, is_ours: Callable[[_Target], bool], share: Fraction) -> _Route:
    """Return a route in which each of our destinations is two; the others keep their shares, and their weights if they can."""
    targets = list(route.get("route") or ())
    weights = [one.get("weight") or 0 for one in targets]
    weights = weights if any(weights) else [_WHOLE] * len(targets)
    names = [_identity(one) if is_ours(one) else "" for one in targets]
    ours = {name: sum(weight for each, weight in zip(names, weights, strict=True) if each == name) for name in names if name}
    if not ours:
        return route
    times = _times(ours.values(), sum(weights), share)
    return {**route, "route": list(_targets(zip(targets, weights, names, strict=True), ours, times, share))}


def _targets(
    targets: Iterable[tuple[_Target, int, str]], wholes: Mapping[str, int], times: int, share: Fraction
) -> Iterator[_Target]:
    left = {name: weight * times for name, weight in wholes.items()}
    for one, weight, name in targets:
        if not name:
            yield one if times == 1 else {**one, "weight": weight * times}
        elif name in left:
            whole = left.pop(name)
            vms = _part(whole, share)
            for subset, part in ((VM_SUBSET, vms), (POD_SUBSET, whole - vms)):
                yield {**one, "destination": {**one["destination"], "subset": subset}, "weight": part}


def _times(wholes: Iterable[int], total: int, share: Fraction) -> int:
    """Return by how much weights grow so that the parts of all of these are whole numbers, as far as weights may grow."""
    exact = lcm(*((whole * share).denominator for whole in wholes))
    return exact if exact * total <= _MOST else max(1, _MOST // total)


def _part(whole: int, share: Fraction) -> int:
    """Return the part for the VMs; who has a share has a weight."""
    part = round(whole * share)
    return min(max(1, part), whole - 1) if 0 < share < 1 and whole > 1 else part


def _identity(target: _Target) -> str:
    """Return what tells a destination from others beside its weight and its subset."""
    to = {name: value for name, value in (target.get("destination") or {}).items() if name != "subset"}
    beside = {name: value for name, value in target.items() if name not in ("destination", "weight")}
    return json.dumps([to, beside], sort_keys=True)
