"""VirtualService: hosts, gateways, delegates."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said

CLAIM = {"match": [{"headers": {"@request.auth.claims.team": {"exact": "shop"}}}], **ROUTE}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"hosts": ["billing", "10.0.0.1", "::1"], "tcp": [ROUTE]}, []),
        ({"hosts": ["a.example.com"]}, ["MR2406 spec"]),
        ({"hosts": ["a..b"], "http": [ROUTE]}, ["MR2001 spec.hosts[0]"]),
        ({"hosts": ["*"], "http": [ROUTE]}, ["MR2404 spec.hosts[0]"]),
        ({"hosts": ["*"], "gateways": ["mesh", "shop/edge"], "http": [ROUTE]}, ["MR2404 spec.hosts[0]"]),
        ({"hosts": ["*"], "gateways": ["shop/edge"], "http": [ROUTE]}, []),
        ({"hosts": ["a.b", "a.b"], "http": [ROUTE]}, ["MR2006 spec.hosts[0]"]),
        ({"hosts": ["*.b", "a.b"], "http": [ROUTE]}, ["MR2006 spec.hosts[1]"]),
        ({"hosts": ["a.b"], "http": [None]}, ["MR2061 spec.http[0]"]),
        ({"hosts": ["a.b"], "exportTo": ["a_b"], "http": [ROUTE]}, ["MR2041 spec.exportTo[0]"]),
        ({"http": [ROUTE]}, []),
        ({"gateways": ["mesh"], "http": [ROUTE]}, ["MR2401 spec.gateways"]),
        ({"tcp": [ROUTE]}, ["MR2401 spec.tcp"]),
        ({"hosts": ["a.b"], "gateways": ["shop/edge"], "http": [CLAIM]}, []),
        ({"hosts": ["a.b"], "gateways": ["shop/edge", "mesh"], "http": [CLAIM]}, [
            'MR2405 spec.http[0].match[0].headers["@request.auth.claims.team"]',
        ]),
    ],
)  # fmt: skip
def test_rules(spec: Any, expected: list[str]) -> None:
    """Hosts that do not overlap, for sidecars or gateways; without hosts it is a delegate."""
    assert said("VirtualService", spec) == expected


def test_many_hosts_take_little_time() -> None:
    """Overlaps are found without comparing every host with every other."""
    spec = {"hosts": [f"*.h{number}.example.com" for number in range(5000)], "http": [ROUTE]}
    assert said("VirtualService", spec) == []
