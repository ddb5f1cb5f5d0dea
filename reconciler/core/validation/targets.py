"""Whom a policy is for: a selector of workloads, or references to what it targets."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, objects, present, sequence, shown, text
from reconciler.core.validation.labels import check_match_labels

_TARGETS = frozenset(
    {
        ("core", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    }
)


def check_targets(found: Findings, spec: Mapping[str, Any], path: str) -> None:
    """Check `selector`, `targetRef` and `targetRefs`, of which one can be set."""
    given = present(spec, "selector", "targetRef", "targetRefs")
    if len(given) > 1:
        found.error(Code.ONE_OF, path, f"{' and '.join(given)} exclude each other: keep one of them")
    check_match_labels(found, spec, path)
    if isinstance(reference := spec.get("targetRef"), dict):
        _check_reference(found, reference, f"{path}.targetRef")
    if sequence(spec.get("targetRefs")):
        for where, reference in objects(found, spec, "targetRefs", path):
            _check_reference(found, reference, where)


def _check_reference(found: Findings, reference: Mapping[str, Any], path: str) -> None:
    group, kind = text(reference.get("group")) or "core", text(reference.get("kind"))
    if not text(reference.get("name")):
        found.error(Code.TARGET_REF, f"{path}.name", "the target has no name: add it")
    if text(reference.get("namespace")):
        found.error(Code.TARGET_REF, f"{path}.namespace", "a policy targets its own namespace only: remove namespace")
    if (group, kind) not in _TARGETS:
        message = "cannot be targeted: use a Service, a ServiceEntry, or a Gateway or GatewayClass of Kubernetes"
        found.error(Code.TARGET_REF, path, f"{shown(f'{group}/{kind}')} {message}")
