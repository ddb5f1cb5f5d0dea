"""PeerAuthentication."""

from typing import Any

import pytest

from tests.core.validation.samples import said

SELECTOR = {"matchLabels": {"app": "billing"}}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"mtls": {"mode": "STRICT"}}, []),
        ({"selector": SELECTOR, "portLevelMtls": {"80": {"mode": "DISABLE"}}}, []),
        ({"selector": SELECTOR, "portLevelMtls": {}}, ["MR2602 spec.portLevelMtls"]),
        ({"portLevelMtls": {"80": {}}}, ["MR2602 spec.portLevelMtls"]),
        ({"selector": SELECTOR, "portLevelMtls": {"http": {}}}, ["MR2602 spec.portLevelMtls.http"]),
        ({"selector": SELECTOR, "portLevelMtls": {"65536": {}}}, ['MR2602 spec.portLevelMtls["65536"]']),
    ],
)
def test_rules(spec: Any, expected: list[str]) -> None:
    """Ports belong to selected workloads."""
    assert said("PeerAuthentication", spec) == expected
