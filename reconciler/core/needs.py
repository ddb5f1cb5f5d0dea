"""What a document provides to others, and what it uses of others: the facts from which every order follows.

A token names one thing that can be provided and used: a namespace, an account, the record of a VM, a host, a subset. Whoever
begins to use a token comes after whoever begins to provide it; whoever ceases to provide it comes after all who cease to use
it. That is law 3 with its mirror, in one rule. What is picked by labels is not named, so `order` matches it.
"""

from collections.abc import Iterator
from typing import Any

from reconciler.core.istio import DestinationRule, ServiceEntry, VirtualService, WorkloadEntry
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.resources import EMPTY, Document, Key

#: The first part says what kind of thing it is.
Token = tuple[str, ...]

#: Kinds that say who may do what on workloads; they are there before the workloads are.
POLICIES = frozenset({"PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy"})


#: Kinds that others use as a whole, with the first part of their token.
_WHOLE = {
    "ServiceAccount": "account",
    "VirtualMachine": "record",
    "WorkloadGroup": "group",
    "WorkloadEntry": "workload",
    "Gateway": "gateway",
    "VirtualService": "route",
}


def provides(document: Document) -> Iterator[Token]:
    """Yield what others can use of this document."""
    key = Key.of(document)
    match key.kind:
        case "Namespace":
            yield ("namespace", key.name)
        case "ServiceEntry":
            entry = ServiceEntry.of(document)
            yield from (("host", host) for host in entry.hosts)
            yield from (("port", host, str(port.number)) for host in entry.hosts for port in entry.ports)
        case "DestinationRule":
            rule = DestinationRule.of(document)
            yield from (("subset", rule.host, subset.name) for subset in rule.subsets)
        case kind if kind in POLICIES:
            yield policy(key)
        case kind if kind in _WHOLE:
            yield (_WHOLE[kind], key.namespace, key.name)


def policy(key: Key) -> Token:
    """Return the token of a policy, which workloads use by their labels."""
    return ("policy", key.kind, key.namespace, key.name)


def uses(document: Document) -> Iterator[Token]:
    """Yield what this document needs of others by name."""
    key = Key.of(document)
    spec = document.get("spec") or EMPTY
    if key.namespace and key.kind != "VirtualMachine":
        yield ("namespace", key.namespace)
    match key.kind:
        case "WorkloadEntry":
            yield ("record", key.namespace, key.name)
            yield from _account(key.namespace, WorkloadEntry.of(document).endpoint.service_account)
            group = (document["metadata"].get("annotations") or EMPTY).get(GROUP_ANNOTATION)
            yield from [("group", key.namespace, group)] if group else []
        case "WorkloadGroup":
            yield from _account(key.namespace, (spec.get("template") or EMPTY).get("serviceAccount") or "")
        case "ServiceEntry":
            for endpoint in spec.get("endpoints") or ():
                yield from _account(key.namespace, endpoint.get("serviceAccount") or "")
        case "VirtualService":
            yield from _route(VirtualService.of(document), spec)


def _account(namespace: str, name: str) -> Iterator[Token]:
    if name:
        yield ("account", namespace, name)


def _route(route: VirtualService, spec: Any) -> Iterator[Token]:
    targets = [one for each in route.routes for one in (*each.destinations, *each.mirrors)]
    for target in targets:
        yield ("host", target.host)
        if target.port:
            yield ("port", target.host, str(target.port))
        if target.subset:
            yield ("subset", target.host, target.subset)
    for gateway in route.gateways:
        if gateway != "mesh":
            namespace, _, name = gateway.rpartition("/")
            yield ("gateway", namespace or route.key.namespace, name)
    for rule in spec.get("http") or ():
        delegate = rule.get("delegate")
        if delegate:
            yield ("route", delegate.get("namespace") or route.key.namespace, delegate.get("name") or "")


def spelled(token: Token) -> str:
    """Return what a token names, for a sentence."""
    kind, *parts = token
    match kind:
        case "subset":
            return f"subset {parts[1]} of {parts[0]}"
        case "port":
            return f"port {parts[1]} of {parts[0]}"
        case "record":
            return f"VM record {'/'.join(parts)}"
        case "account":
            return f"ServiceAccount {'/'.join(parts)}"
        case "workload":
            return f"WorkloadEntry {'/'.join(parts)}"
        case "group":
            return f"WorkloadGroup {'/'.join(parts)}"
        case "policy":
            return f"{parts[0]} {'/'.join(parts[1:])}"
        case _:
            return f"{kind} {'/'.join(parts)}"
