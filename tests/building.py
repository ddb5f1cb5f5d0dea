"""Documents, live objects and states for tests, built as Git, the API server and the VM registry would hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.core.kinds import MANAGED
from reconciler.core.ownership import declared, encode, owned
from reconciler.core.resources import DesiredState, Document, FieldOwner, Key, LiveObject, Manifest, ObservedState, Revision
from reconciler.core.wanted import FIELD_MANAGER, declared_document
from reconciler.errors import Place

TARGET = "test"
REVISION = Revision("a" * 40)


def document(kind: str, name: str, namespace: str = "shop", **parts: Any) -> Document:
    """A document of a managed kind; `labels` and `annotations` go to its metadata, all else stands beside it."""
    metadata: Document = {"name": name, **({"namespace": namespace} if namespace else {})}
    metadata |= {part: parts.pop(part) for part in ("labels", "annotations", "ownerReferences", "finalizers") if part in parts}
    return {"apiVersion": MANAGED[kind].api_version, "kind": kind, "metadata": metadata, **parts}


def service_entry(name: str = "billing", *, labels: Mapping[str, str] | None = None, **spec: Any) -> Document:
    """A ServiceEntry for `<name>.internal` with one HTTP port; `spec` is added, None takes a field away."""
    fields = {
        "hosts": [f"{name}.internal"],
        "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
        "location": "MESH_INTERNAL",
        "resolution": "STATIC",
        **spec,
    }
    kept = {field: value for field, value in fields.items() if value is not None}
    metadata: dict[str, Any] = {"labels": dict(labels)} if labels else {}
    return document("ServiceEntry", name, **metadata, spec=kept)


def workload_entry(name: str = "vm1", **spec: Any) -> Document:
    """A WorkloadEntry at 10.0.0.1 with the label app=billing."""
    return document("WorkloadEntry", name, spec={"address": "10.0.0.1", "labels": {"app": "billing"}, **spec})


def machine(name: str = "vm1", **spec: Any) -> Document:
    """A record of the VM registry, as the manifests ask for it."""
    metadata = {"name": name, "namespace": "shop"}
    content = {"address": "10.0.0.1", **spec}
    return {"apiVersion": "mesh-reconciler.io/v1alpha1", "kind": "VirtualMachine", "metadata": metadata, "spec": content}


def desired(*documents: Document, path: str = "mesh.yaml") -> DesiredState:
    """What a commit with these documents says."""
    manifests = {Key.of(one): Manifest(Key.of(one), one, Place(path, line)) for line, one in enumerate(documents, 1)}
    machines = {key: manifest for key, manifest in manifests.items() if key.kind == "VirtualMachine"}
    return DesiredState(REVISION, {key: one for key, one in manifests.items() if key not in machines}, machines)


def wanted(one: Document) -> Document:
    """A document in the form in which it is written."""
    return declared_document(one, TARGET)


def owner(manager: str, of: Document, operation: str = "Update", **attributes: Any) -> FieldOwner:
    """An entry of managedFields that owns all fields of a document."""
    return FieldOwner(manager, operation, encode(declared(of)), of["apiVersion"], **attributes)


def live(one: Document, *owners: FieldOwner, version: str = "7", **attributes: Any) -> LiveObject:
    """An object that the API server holds, owned by nobody but these."""
    return LiveObject(Key.of(one), one, f"uid-{one['metadata']['name']}", version, 1, owners=owners, **attributes)


def written(one: Document, *others: FieldOwner, **attributes: Any) -> LiveObject:
    """An object as it is right after we have written it."""
    content = wanted(one)
    return live(content, owner(FIELD_MANAGER, content, "Apply"), *others, **attributes)


def edited(before: LiveObject, manager: str, *path: str, to: Any) -> LiveObject:
    """An object after a manager's update of one field (None removes it): the field becomes the manager's alone."""
    content = _with(before.document, path, to)
    rest = [replace(one, fields=_fields_without(one, path)) for one in before.owners]
    share = {**_identity(before.document), **_with({}, path, to)}
    theirs = [] if to is None else [owner(manager, share)]
    return replace(before, document=content, owners=(*rest, *theirs), resource_version=f"{before.resource_version}1")


def observed(
    *objects: LiveObject, version: str = "", unread: Iterable[str] = (), unserved: Iterable[str] = ()
) -> ObservedState:
    """What both stores hold."""
    machines = {one.key: one for one in objects if one.key.kind == "VirtualMachine"}
    cluster = {one.key: one for one in objects if one.key not in machines}
    return ObservedState(cluster, machines, version=version, unread=frozenset(unread), unserved=frozenset(unserved))


def _identity(one: Document) -> Document:
    return {"apiVersion": one["apiVersion"], "kind": one["kind"]}


def _with(content: Any, path: tuple[str, ...], value: Any) -> Any:
    name, *below = path
    inner = _with(content.get(name, {}), tuple(below), value) if below else value
    changed = {**content, name: inner}
    return {key: one for key, one in changed.items() if one is not None}


def _fields_without(one: FieldOwner, path: tuple[str, ...]) -> str:
    return encode(field for field in owned(one) if field[: len(path)] != path)
