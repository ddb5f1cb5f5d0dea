"""WorkloadEntries -> the records that the VM registry shall hold: one of the same namespace and name for each VM."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_network

from reconciler.core.istio import AddressForm, WorkloadEntry
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.resources import EMPTY, DesiredState, Document, Key, Manifest

#: On a WorkloadEntry: ``none`` exempts it from the registry (a VM without an agent).
REGISTRY_ANNOTATION = f"{OURS}/registry"
#: On a WorkloadEntry: the name of the WorkloadGroup (same namespace) that its VM belongs to.
GROUP_ANNOTATION = f"{OURS}/group"
#: On a WorkloadEntry: ``registry`` and networks (``registry, 10.0.0.0/16``), within which the registry says the VM's address.
ADDRESS_ANNOTATION = f"{OURS}/address"


def is_exempt(document: Document, entry: WorkloadEntry) -> bool:
    """Tell whether no agent can report for an entry, so that the registry keeps no record of it.

    True where an annotation says so, and for names, UNIX sockets and endpoints behind a network's gateway.
    """
    annotations = document["metadata"].get("annotations") or EMPTY
    return annotations.get(REGISTRY_ANNOTATION) == "none" or entry.endpoint.form is not AddressForm.IP


def address_networks(document: Document) -> tuple[str, ...]:
    """Return the networks within which Git leaves the address of a WorkloadEntry to the registry, none where it does not.

    Neither does an annotation whose value means nothing (analysis refuses it).
    """
    text = (document["metadata"].get("annotations") or EMPTY).get(ADDRESS_ANNOTATION)
    if text is None or document["kind"] != "WorkloadEntry":
        return ()
    who, *networks = (one.strip() for one in text.split(","))
    try:
        return tuple(str(ip_network(one)) for one in networks) if who == "registry" else ()
    except ValueError:
        return ()


def machine_of(manifest: Manifest) -> Manifest | None:
    """Return the registry's record for a WorkloadEntry (without fields that are empty), None for one that is exempt."""
    document = manifest.document
    entry = WorkloadEntry.of(document)
    if is_exempt(document, entry):
        return None
    spec = {
        "address": entry.endpoint.address,
        "ports": entry.endpoint.ports,
        "labels": entry.endpoint.labels,
        "network": entry.endpoint.network,
        "locality": entry.endpoint.locality,
        "serviceAccount": entry.endpoint.service_account,
        "group": (document["metadata"].get("annotations") or EMPTY).get(GROUP_ANNOTATION, ""),
    }
    key = Key(VIRTUAL_MACHINE, manifest.key.namespace, manifest.key.name)
    record: Document = {
        "apiVersion": f"{OURS}/v1alpha1",
        "kind": VIRTUAL_MACHINE,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": {name: value for name, value in spec.items() if value},
    }
    return Manifest(key, record, manifest.place, manifest.blob)


def machines_of(manifests: Mapping[Key, Manifest], last: DesiredState | None = None) -> dict[Key, Manifest]:
    """Return the records of all VMs of a commit; those of `last` whose entry and group have not changed are the very same."""
    found = (
        _kept(manifest, manifests, last) or machine_with_probe(manifest, manifests)
        for key, manifest in manifests.items()
        if key.kind == "WorkloadEntry"
    )
    return {machine.key: machine for machine in found if machine}


def _kept(manifest: Manifest, manifests: Mapping[Key, Manifest], last: DesiredState | None) -> Manifest | None:
    if last is None or last.manifests.get(manifest.key) is not manifest:
        return None
    machine = last.machines.get(Key(VIRTUAL_MACHINE, manifest.key.namespace, manifest.key.name))
    group = _group_of(machine) if machine else None
    return machine if group is None or manifests.get(group) is last.manifests.get(group) else None


def machine_with_probe(manifest: Manifest, manifests: Mapping[Key, Manifest]) -> Manifest | None:
    """Return the record of an entry with the probe of its WorkloadGroup, which its agent carries out; None as `machine_of`."""
    machine = machine_of(manifest)
    group = manifests.get(_group_of(machine)) if machine else None
    probe = group.document.get("spec", {}).get("probe") if group else None
    if not machine or not probe:
        return machine
    return replace(machine, document={**machine.document, "spec": {**machine.document["spec"], "probe": probe}})


def _group_of(machine: Manifest) -> Key:
    return Key("WorkloadGroup", machine.key.namespace, machine.document["spec"].get("group", ""))
