"""TLS and TCP routes."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said

SHARES = [{"destination": {"host": "a"}, "weight": 30}, {"destination": {"host": "b", "port": {"number": 1}}, "weight": 70}]


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"match": [{"sniHosts": ["a.b"], "port": 443, "destinationSubnets": ["10.0.0.0/8"]}], "route": SHARES}, []),
        (ROUTE, ["MR2413 .match"]),
        ({"match": [{}], **ROUTE}, ["MR2413 .match[0].sniHosts"]),
        ({"match": [None], **ROUTE}, ["MR2061 .match[0]"]),
        ({"match": [{"sniHosts": ["a.b"]}]}, ["MR2406 .route"]),
    ],
)
def test_tls_routes(route: dict[str, Any], expected: list[str]) -> None:
    """They are chosen by SNI host."""
    assert [line.replace("spec.tls[0]", "") for line in said("VirtualService", {"hosts": ["a.b"], "tls": [route]})] == expected


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (ROUTE, []),
        ({"match": [{"port": 80, "sourceLabels": {"a": "b"}}], "route": SHARES}, []),
        ({"match": [{"destinationSubnets": ["10.0.0.0/33"]}], **ROUTE}, ["MR2012 .match[0].destinationSubnets[0]"]),
        ({"match": [{"port": -1}], **ROUTE}, ["MR2021 .match[0].port"]),
        ({}, ["MR2406 .route"]),
        ({"route": [{"destination": {"host": "a"}}, {}]}, ["MR2409 .route[1].destination", "MR2408 .route"]),
    ],
)
def test_tcp_routes(route: dict[str, Any], expected: list[str]) -> None:
    """They are chosen by port and address, and lead somewhere."""
    assert [line.replace("spec.tcp[0]", "") for line in said("VirtualService", {"hosts": ["a.b"], "tcp": [route]})] == expected
