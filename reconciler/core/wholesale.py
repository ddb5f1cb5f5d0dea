"""Changes that Istio gives to all clients at once: no gradual step exists, so they are one write behind an approval."""

from collections.abc import Collection, Iterator

from reconciler.core.changes import Action
from reconciler.core.edges import Write
from reconciler.core.istio import DestinationRule, Port, ServiceEntry, workloads_of_policy
from reconciler.core.laws import swaps_resolution
from reconciler.core.links import policy_targets
from reconciler.core.plans import Guard, GuardCode, Wholesale
from reconciler.core.resources import Document
from reconciler.core.world import World

#: Kinds that bind all workloads of a namespace (of the mesh, in Istio's root namespace) where they select none.
_SWEEPING = frozenset({"PeerAuthentication", "RequestAuthentication", "AuthorizationPolicy", "Sidecar"})


def wholesale_parts(write: Write, world: World, populated: Collection[str]) -> tuple[str, ...]:
    """Return what a write changes for all clients at once, empty where nothing.

    `world` is the one before the write, `populated` the namespaces in which anything runs. What comes with a new service or
    into an empty namespace reaches nobody yet.
    """
    before, after = write.before, write.after
    if write.change.action is Action.HAND_OVER or _spec(before) == _spec(after):
        return ()
    match write.key.kind:
        case "ServiceEntry" if before and after:
            return tuple(_of_entry(ServiceEntry.of(before), ServiceEntry.of(after)))
        case "DestinationRule":
            return tuple(_of_rule(write, world))
        case kind if kind in _SWEEPING and write.key.namespace in populated:
            swept = any(_sweeps(one) for one in (before, after) if one)
            return (f"the {kind} of a whole namespace",) if swept else ()
        case _:
            return ()


def wholesale_guard(write: Write, parts: tuple[str, ...], setting: Wholesale) -> Guard | None:
    """Return the guard that such a write needs under a setting, None where it may go on."""
    name = f"{write.key.namespace}/{write.key.name}"
    message = f"{write.change.action} of {write.key} changes {' and '.join(parts)} for all clients at once"
    match setting:
        case Wholesale.ALLOW:
            return None
        case Wholesale.APPROVE:
            why = f"{message}, at exposure 100 %: approve it by name"
            return Guard(GuardCode.WHOLESALE, why, f"wholesale:{name}", keys=(write.key,))
        case Wholesale.REFUSE:
            return Guard(GuardCode.WHOLESALE, f"{message}, which is refused here", keys=(write.key,))


def resolution_guard(write: Write) -> Guard | None:
    """Return the guard against a ServiceEntry that goes between STATIC and DNS in place. Nothing overrides it."""
    if write.key.kind != "ServiceEntry" or not (write.before and write.after):
        return None
    if not swaps_resolution(write.before, write.after):
        return None
    old, new = ServiceEntry.of(write.before), ServiceEntry.of(write.after)
    message = (
        f"{write.key} goes from resolution {old.resolution} to {new.resolution} in place, which rebuilds the service in every "
        f"proxy and serves nothing meanwhile. Instead add a second ServiceEntry with another host and resolution "
        f"{new.resolution}, move requests over by the weights of a VirtualService, then remove the first"
    )
    return Guard(GuardCode.RESOLUTION, message, keys=(write.key,))


def _spec(document: Document | None) -> Document:
    return (document or {}).get("spec") or {}


def _of_entry(before: ServiceEntry, after: ServiceEntry) -> Iterator[str]:
    if {_comparable(port) for port in before.ports} != {_comparable(port) for port in after.ports}:
        yield "ports"
    if before.resolution is not after.resolution:
        yield "resolution"
    if before.mesh_internal != after.mesh_internal:
        yield "location"
    if set(before.hosts) - set(after.hosts):
        yield "hosts"


def _comparable(port: Port) -> tuple[str, int, str, int]:
    return port.name, port.number, port.protocol.upper(), port.target


def _of_rule(write: Write, world: World) -> Iterator[str]:
    rules = [DestinationRule.of(one) for one in (write.before, write.after) if one]
    served = any(rule.host.startswith("*") or world.services_of(rule.host, write.key.namespace) for rule in rules)
    policies = [{rule.host: dict(rule.traffic_policy)} for rule in rules if rule.traffic_policy]
    changed = len(policies) == 1 or (len(policies) == 2 and policies[0] != policies[1])
    if served and changed:
        yield "the traffic policy"


def _sweeps(document: Document) -> bool:
    return workloads_of_policy(document) is None and not policy_targets(document)
