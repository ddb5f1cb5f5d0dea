"""Whom a policy is for."""

from typing import Any

import pytest

from tests.core.validation.samples import said

SERVICE = {"kind": "Service", "group": "", "name": "billing"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"targetRef": SERVICE}, []),
        ({"targetRefs": [SERVICE, {"kind": "Gateway", "group": "gateway.networking.k8s.io", "name": "edge"}]}, []),
        ({"targetRef": SERVICE, "selector": {"matchLabels": {"a": "b"}}}, ["MR2062 spec"]),
        ({"targetRef": {"kind": "Service"}}, ["MR2601 spec.targetRef.name"]),
        ({"targetRef": {**SERVICE, "namespace": "other"}}, ["MR2601 spec.targetRef.namespace"]),
        ({"targetRefs": [{"kind": "Gateway", "group": "networking.istio.io", "name": "edge"}]}, ["MR2601 spec.targetRefs[0]"]),
    ],
)
@pytest.mark.parametrize("kind", ["AuthorizationPolicy", "RequestAuthentication", "Telemetry"])
def test_rules(kind: str, spec: dict[str, Any], expected: list[str]) -> None:
    """A selector or references, to kinds that can be targeted, in the same namespace."""
    assert said(kind, spec) == expected
