"""WorkloadGroups that VMs may join, and VMs that join them as the registry's server writes that down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.core.groups.joins import GROUP, JOINED, Gone, Join
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key
from tests.building import document
from tests.worlds import World


def auto_group(
    name: str = "web", networks: str | None = "10.0.0.0/24", template: Document | None = None, **more: str | None
) -> Document:
    """A WorkloadGroup whose VMs are endpoints of billing; `more` are annotations of ours, None takes one away."""
    said = {"autoRegister": networks, "retireAfter": "1h", **more}
    spec = {
        "metadata": {"labels": {"app": "billing"}},
        "template": {"serviceAccount": "web", "ports": {"http": 8080}, **(template or {})},
        "probe": {"tcpSocket": {"port": 8080}},
    }
    annotations = {f"{OURS}/{key}": text for key, text in said.items() if text is not None}
    return document("WorkloadGroup", name, annotations=annotations, spec=spec)


def key_of(address: str, group: str = "web") -> Key:
    """The record of a member."""
    return Key(VIRTUAL_MACHINE, "shop", f"{group}-{address.replace('.', '-')}")


def join(world: World, address: str, *, health: str = "healthy", **said: Any) -> Key:
    """A VM joins, and says how it is; returns the key of its record. `said` are fields of `Join`."""
    found = Join("web", world.clock.now(), 1, address, "web")
    key = said.pop("key", None) or key_of(address)
    _write(world, key, replace(found, **said))
    world.registry.report(key, {"health": health, "address": said.get("address", address)})
    return key


def go(world: World, key: Key, how: Gone, ago: timedelta = timedelta(0)) -> None:
    """A member goes."""
    record = world.registry.get(key)
    found = Join.of(record)
    assert record
    assert found
    _write(world, key, replace(found, gone=how, since=world.clock.now() - ago))
    world.registry.report(key, {"health": "unhealthy", "address": found.address})


def _write(world: World, key: Key, joined: Join) -> None:
    live = world.registry.get(key)
    metadata = {"name": key.name, "namespace": key.namespace, **({"labels": dict(live.labels)} if live and live.labels else {})}
    spec = {**(live.document["spec"] if live else {}), GROUP: joined.group, JOINED: joined.document}
    wanted = {"apiVersion": f"{OURS}/v1alpha1", "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": spec}
    world.registry.put(wanted, uid=live.uid if live else "", resource_version=live.resource_version if live else "")
