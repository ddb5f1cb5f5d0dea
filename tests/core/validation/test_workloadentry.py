"""WorkloadEntry."""

from typing import Any

import pytest

from tests.core.validation.samples import said


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"address": "10.0.0.1"}, []),
        ({"address": "2001:db8::1", "weight": 0}, []),
        ({"address": "vm-1.example.com"}, []),
        ({"address": "vm-1"}, []),
        ({"address": "unix:///run/app.sock"}, []),
        ({"network": "vms"}, ["warning MR2202 spec.address"]),
        ({}, ["MR2201 spec.address"]),
        ({"address": ""}, ["MR2201 spec.address"]),
        ({"address": "vm_1"}, ["MR2011 spec.address"]),
        ({"address": "*.example.com"}, ["MR2011 spec.address"]),
        ({"address": "10.0.0.1:80"}, ["MR2011 spec.address"]),
        ({"address": "10.0.0.0/8"}, ["MR2011 spec.address"]),
        ({"address": "unix://run/app.sock"}, ["MR2013 spec.address"]),
        ({"address": "unix:///run/", "ports": {"http": 80}}, ["MR2013 spec.address", "MR2013 spec.ports"]),
        ({"address": "10.0.0.1", "ports": {"a_b": 80}}, ["MR2022 spec.ports.a_b"]),
        ({"address": "10.0.0.1", "labels": {"app": "a b"}}, ["MR2032 spec.labels.app"]),
    ],
)
def test_rules(spec: Any, expected: list[str]) -> None:
    """An address or a network, ports by name, labels."""
    assert said("WorkloadEntry", spec) == expected
