"""Small commits for the tests of rules."""

from typing import Any

from reconciler.core.analysis import analyse
from reconciler.core.resources import Document, Key, Manifest
from reconciler.errors import Place


def document(kind: str, name: str, spec: Any = None, namespace: str = "shop", **metadata: Any) -> Document:
    """Return a document."""
    return {
        "apiVersion": "x/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": spec or {},
    }


def service(name: str, namespace: str = "shop", **spec: Any) -> Document:
    """Return a ServiceEntry with one HTTP port."""
    port = {"number": 80, "name": "http", "protocol": "HTTP"}
    return document(
        "ServiceEntry", name, {"hosts": [f"{name}.internal"], "resolution": "STATIC", "ports": [port], **spec}, namespace
    )


def workload(name: str, address: str = "10.0.0.1", *, labels: Any = None, annotations: Any = None, **spec: Any) -> Document:
    """Return a WorkloadEntry."""
    metadata = {"annotations": annotations} if annotations else {}
    return document("WorkloadEntry", name, {"address": address, "labels": labels or {"app": "a"}, **spec}, **metadata)


def problems(*documents: Document) -> list[tuple[str, str, str, str]]:
    """Return code, severity, object and field of each problem of a commit of these documents."""
    manifests = {
        Key.of(one): Manifest(Key.of(one), one, Place("a.yaml", line), "blob") for line, one in enumerate(documents, start=1)
    }
    return [(one.code, str(one.severity), one.object, one.field) for one in analyse(manifests)]
