"""Values in rules of an AuthorizationPolicy."""

from typing import Any

import pytest

from tests.core.validation.samples import said


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("ipBlocks", "10.0.0.0/8", True),
        ("notRemoteIpBlocks", "10.0.0.0/40", False),
        ("ipBlocks", "a.b", False),
        ("principals", "*", True),
        ("principals", "", False),
        ("serviceAccounts", "billing", True),
        ("serviceAccounts", "shop/billing", True),
        ("serviceAccounts", "shop/*", False),
        ("serviceAccounts", "/billing", False),
        ("serviceAccounts", "a/b/c", False),
        ("notServiceAccounts", "x" * 321, False),
        ("trustDomains", "*.local", True),
        ("trustDomains", "a*b", False),
        ("trustDomains", "*a*", False),
        ("trustDomains", "a/b", False),
    ],
)
def test_sources(name: str, value: str, fine: bool) -> None:  # noqa: FBT001
    """Addresses, identities, domains."""
    expected = [] if fine else [f"MR2605 spec.rules[0].from[0].source.{name}[0]"]
    assert said("AuthorizationPolicy", {"rules": [{"from": [{"source": {name: [value]}}]}]}) == expected


def test_service_accounts_stand_alone_and_are_few() -> None:
    """They say namespace and principal already, and Istio takes 16."""
    source = {"serviceAccounts": ["a"] * 17, "namespaces": ["b"]}
    assert said("AuthorizationPolicy", {"rules": [{"from": [{"source": source}]}]}) == [
        "MR2605 spec.rules[0].from[0].source.serviceAccounts",
        "MR2062 spec.rules[0].from[0].source",
    ]


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("ports", "0", True),
        ("ports", "65536", False),
        ("notPorts", "http", False),
        ("methods", "", False),
        ("paths", "/a*", True),
        ("paths", "/a/{*}/b", True),
        ("paths", "/a/{**}", True),
        ("paths", "/{**}/b/c", True),
        ("paths", "", False),
        ("paths", "/{**}/{*}", False),
        ("paths", "/a{*}", False),
        ("paths", "/{a}", False),
        ("paths", "/{*}/a*", False),
    ],
)
def test_operations(name: str, value: str, fine: bool) -> None:  # noqa: FBT001
    """Ports, and paths with operators as whole segments."""
    expected = [] if fine else [f"MR2605 spec.rules[0].to[0].operation.{name}[0]"]
    assert said("AuthorizationPolicy", {"rules": [{"to": [{"operation": {name: [value]}}]}]}) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"key": "source.ip", "values": ["10.0.0.1"]}, []),
        ({"key": "request.headers[x]", "notValues": ["a"]}, []),
        ({"key": "connection.sni", "values": ["a"]}, []),
        ({"values": ["a"]}, ["MR2606 .key"]),
        ({"key": "source.ip"}, ["MR2606 "]),
        ({"key": "request.headers", "values": ["a"]}, ["MR2606 .key"]),
        ({"key": "request.headers[]", "values": ["a"]}, ["MR2606 .key"]),
        ({"key": "destination.namespace", "values": ["a"]}, ["MR2606 .key"]),
        ({"key": "destination.name", "values": ["a"]}, ["MR2606 .key"]),
        ({"key": "source.ip", "values": ["a"]}, ["MR2605 .values[0]"]),
        ({"key": "destination.port", "notValues": ["http"]}, ["MR2605 .notValues[0]"]),
        ({"key": "source.serviceAccount", "values": ["*"]}, ["MR2605 .values[0]"]),
        ({"key": "source.namespace", "values": [""]}, ["MR2605 .values[0]"]),
    ],
)
def test_conditions(condition: dict[str, Any], expected: list[str]) -> None:
    """Attributes that exist, compared with values of their kind."""
    told = said("AuthorizationPolicy", {"rules": [{"when": [condition]}]})
    assert [line.replace("spec.rules[0].when[0]", "") for line in told] == expected
