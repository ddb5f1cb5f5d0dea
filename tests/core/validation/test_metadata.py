"""Annotations that mean something to Istio."""

from typing import Any

import pytest

from tests.core.validation.samples import SPECS, said

DRY_RUN = 'MR2901 metadata.annotations["istio.io/dry-run"]'


@pytest.mark.parametrize(
    ("kind", "change", "value", "expected"),
    [
        ("AuthorizationPolicy", {}, "true", []),
        ("AuthorizationPolicy", {"action": "DENY", "rules": [{}]}, "F", []),
        ("AuthorizationPolicy", {}, "yes", [DRY_RUN]),
        ("AuthorizationPolicy", {"action": "AUDIT"}, "true", [DRY_RUN]),
        ("ServiceEntry", {}, "true", [DRY_RUN]),
    ],
)
def test_trying_out(kind: str, change: dict[str, Any], value: str, expected: list[str]) -> None:
    """Only an AuthorizationPolicy that allows or denies can be tried out."""
    assert said(kind, {**SPECS[kind], **change}, annotations={"istio.io/dry-run": value}) == expected


@pytest.mark.parametrize("name", ["webhook-always-reject", "parents", "parent-namespace"])
def test_annotations_of_istio_itself(name: str) -> None:
    """They would give an object more rights than its author has."""
    annotations = {f"internal.istio.io/{name}": "x"}
    expected = [f'MR2901 metadata.annotations["internal.istio.io/{name}"]']
    assert said("Sidecar", SPECS["Sidecar"], annotations=annotations) == expected
