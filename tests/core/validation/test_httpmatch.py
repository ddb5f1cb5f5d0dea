"""Matches of HTTP routes."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said

MATCH = "spec.http[0].match[0]"


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({}, []),
        ({"uri": {"prefix": ""}}, []),
        ({"uri": {"exact": "/a", "prefix": "/"}}, ["MR2062 .uri"]),
        ({"uri": {"regex": "(?=a)"}}, ["MR2065 .uri.regex"]),
        ({"method": {"prefix": ""}}, ["MR2413 .method.prefix"]),
        ({"authority": {"regex": ""}}, ["MR2065 .authority.regex"]),
        ({"queryParams": {"q": {"prefix": ""}}}, ["MR2413 .queryParams.q.prefix"]),
        ({"headers": {"x-team": {}, ":path": {"exact": "/"}}}, []),
        ({"headers": {"x team": {}}}, ['MR2410 .headers["x team"]']),
        ({"headers": {"x-team": None}}, ["MR2061 .headers.x-team"]),
        ({"headers": {"@request.auth.claims.team": {"exact": "a"}}}, ['MR2405 .headers["@request.auth.claims.team"]']),
        ({"withoutHeaders": {"x": {"regex": "*"}}}, []),
        ({"withoutHeaders": {"x": {"regex": "**"}}}, ["MR2065 .withoutHeaders.x.regex"]),
        ({"port": 0}, []),
        ({"port": 65536}, ["MR2021 .port"]),
        ({"sourceLabels": {"a b": "c"}}, ['MR2031 .sourceLabels["a b"]']),
        ({"sourceNamespace": "a_b"}, ["MR2413 .sourceNamespace"]),
        ({"gateways": ["a_b"]}, ["MR2402 .gateways[0]"]),
    ],
)
def test_rules(match: dict[str, Any], expected: list[str]) -> None:
    """Texts in one form each, headers that exist, and where requests come from."""
    spec = {"hosts": ["a.b"], "http": [{"match": [match], **ROUTE}]}
    assert [line.replace(MATCH, "") for line in said("VirtualService", spec)] == expected
