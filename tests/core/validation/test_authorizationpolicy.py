"""AuthorizationPolicy: actions and rules."""

from typing import Any

import pytest

from tests.core.validation.samples import said

FROM = {"from": [{"source": {"principals": ["a"]}}]}
TO = {"to": [{"operation": {"methods": ["GET"]}}]}
PORTS = {"to": [{"operation": {"methods": ["GET"], "ports": ["80"]}}]}
HTTP_ONLY = {"from": [{"source": {"requestPrincipals": ["*"]}}]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        ({"rules": [{}]}, []),
        ({"action": "DENY"}, ["MR2603 spec.rules"]),
        ({"action": "CUSTOM", "provider": {"name": "x"}, "rules": [TO]}, []),
        ({"action": "CUSTOM", "provider": {"name": "x"}}, ["MR2603 spec.rules"]),
        ({"action": "CUSTOM", "rules": [TO]}, ["MR2604 spec.provider.name"]),
        ({"provider": {"name": "x"}, "rules": [TO]}, ["MR2604 spec.provider"]),
        ({"rules": [None]}, ["MR2061 spec.rules[0]"]),
        ({"rules": [{"from": []}]}, ["MR2608 spec.rules[0].from"]),
        ({"rules": [{"from": [{}]}]}, ["MR2603 spec.rules[0].from[0].source"]),
        ({"rules": [{"to": [{"operation": {"paths": []}}]}]}, ["MR2603 spec.rules[0].to[0].operation"]),
        ({"action": "CUSTOM", "provider": {"name": "x"}, "rules": [FROM]}, ["MR2603 spec.rules[0].from[0].source.principals"]),
        (
            {
                "action": "CUSTOM",
                "provider": {"name": "x"},
                "rules": [{"when": [{"key": "request.auth.principal", "values": ["a"]}]}],
            },
            ["MR2603 spec.rules[0].when[0].key"],
        ),
    ],
)
def test_rules(spec: dict[str, Any], expected: list[str]) -> None:
    """Rules that can match, and a provider exactly where one is asked."""
    assert said("AuthorizationPolicy", spec) == expected


@pytest.mark.parametrize(
    ("rule", "warned"),
    [
        (TO, True),
        (PORTS, False),
        (HTTP_ONLY, True),
        (FROM, False),
        ({**FROM, **TO}, True),
        ({**HTTP_ONLY, **PORTS}, False),
        ({}, False),
    ],
)
def test_denying_by_http_attributes_denies_all_tcp(rule: dict[str, Any], warned: bool) -> None:  # noqa: FBT001
    """A TCP connection has none of them."""
    expected = ["warning MR2607 spec.rules[0]"] if warned else []
    assert said("AuthorizationPolicy", {"action": "DENY", "rules": [rule]}) == expected
