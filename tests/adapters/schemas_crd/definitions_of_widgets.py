"""A made-up kind whose CRD uses what Istio's CRDs use, and some of what they may use tomorrow."""

from typing import Any

from reconciler.core.resources import Document

GROUP = "test.istio.io"


def crd(spec_schema: Document, kind: str = "Widget", **more: Any) -> Document:
    """Return a CRD with one version, v1, whose `spec` has this schema."""
    schema = {"type": "object", "properties": {"spec": spec_schema}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": f"{kind.lower()}s"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "versions": [version], **more},
    }


def widget(spec: Any, version: str = "v1") -> Document:
    """Return a Widget."""
    metadata = {"name": "w", "namespace": "shop"}
    return {"apiVersion": f"{GROUP}/{version}", "kind": "Widget", "metadata": metadata, "spec": spec}
