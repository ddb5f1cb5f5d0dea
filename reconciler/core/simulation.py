"""What one write makes of the world: `after(world, change)`, at a cost that follows the change and not the world."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.backends import Backend, Member
from reconciler.core.changes import Action, Change
from reconciler.core.istio import DestinationRule, ServiceEntry, VirtualService, WorkloadEntry
from reconciler.core.outcome import outcome
from reconciler.core.resources import Document, Key
from reconciler.core.tables import Table
from reconciler.core.world import Members, World, destinations, picked_by, record_of


def after(world: World, change: Change) -> World:
    """Return the world after one write. Where no endpoint changes, `picked` is the very same table as before."""
    if change.action is Action.HAND_OVER:
        return world
    key = change.key
    document = outcome(world.documents.get(key), change)
    documents = world.documents.put(key, document)
    match key.kind:
        case "WorkloadEntry":
            return _with_member(world, documents, key)
        case "VirtualMachine":
            return _with_member(world, documents, Key("WorkloadEntry", key.namespace, key.name))
    world = replace(world, documents=documents)
    match key.kind:
        case "WorkloadGroup" if document is None:
            return _without_registered(world, key)
        case "ServiceEntry":
            entry = Backend.of_entry(ServiceEntry.of(document), world.cluster) if document else None
            return _with_backend(world, key, entry)
        case "DestinationRule":
            return _with_rule(world, key, DestinationRule.of(document) if document else None)
        case "VirtualService":
            return _with_route(world, key, VirtualService.of(document) if document else None)
        case _:
            return world


def registered_by(group: Key, documents: Mapping[Key, Document]) -> list[Key]:
    """Return the WorkloadEntries that a WorkloadGroup owns, in order: they go when it goes."""
    return sorted(
        key
        for key, document in documents.items()
        if key.kind == "WorkloadEntry" and key.namespace == group.namespace and _is_owned(document, group.name)
    )


def _is_owned(document: Document, group: str) -> bool:
    owners = document["metadata"].get("ownerReferences") or ()
    return any(owner.get("kind") == "WorkloadGroup" and owner.get("name") == group for owner in owners)


def _with_member(world: World, documents: Table[Key, Document], key: Key) -> World:
    """Read a WorkloadEntry and its record again, and let every backend of its namespace take it or leave it."""
    document = documents.get(key)
    record = documents.get(record_of(key))
    member = Member.of_workload(WorkloadEntry.of(document), record, world.cluster) if document else None
    residents = world.members.get(key.namespace) or Members()
    old = residents.get(key)
    if member == old:
        return replace(world, documents=documents)
    picked = world.picked
    for backend in world.backends_by_namespace.get(key.namespace) or ():
        taken = member if member and world.backends[backend].picks(member) else None
        if taken or (old and key in picked[backend]):
            picked = picked.put(backend, picked[backend].put(key, taken))
    members = world.members.put(key.namespace, residents.put(key, member))
    return replace(world, documents=documents, members=members, picked=picked)


def _without_registered(world: World, group: Key) -> World:
    """Take away what goes with a WorkloadGroup: the garbage collector deletes the WorkloadEntries that it owns."""
    for key in registered_by(group, world.documents):
        world = _with_member(world, world.documents.put(key, None), key)
    return world


def _with_backend(world: World, key: Key, backend: Backend | None) -> World:
    old = world.backends.get(key)
    neighbours = {*(world.backends_by_namespace.get(key.namespace) or ())} - {key} | ({key} if backend else set())
    residents = world.members.get(key.namespace) or Members()
    return replace(
        world,
        backends=world.backends.put(key, backend),
        picked=world.picked.put(key, picked_by(backend, residents.values()) if backend else None),
        backends_by_host=world.backends_by_host.moved(key, old.hosts if old else (), backend.hosts if backend else ()),
        backends_by_namespace=world.backends_by_namespace.put(key.namespace, tuple(sorted(neighbours)) or None),
    )


def _with_rule(world: World, key: Key, rule: DestinationRule | None) -> World:
    old = world.rules.get(key)
    index = world.rules_by_host.moved(key, (old.host,) if old else (), (rule.host,) if rule else ())
    return replace(world, rules=world.rules.put(key, rule), rules_by_host=index)


def _with_route(world: World, key: Key, route: VirtualService | None) -> World:
    old = world.routes.get(key)
    index = world.routes_by_host.moved(key, destinations(old) if old else (), destinations(route) if route else ())
    return replace(world, routes=world.routes.put(key, route), routes_by_host=index)
