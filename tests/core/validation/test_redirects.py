"""Redirects and rewrites."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said


def route(**parts: Any) -> list[str]:
    """Return what is said of a route."""
    return [line.replace("spec.http[0]", "") for line in said("VirtualService", {"hosts": ["a.b"], "http": [parts]})]


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        ({"uri": "/new", "redirectCode": 308, "scheme": "https", "port": 443}, []),
        ({"derivePort": "FROM_REQUEST_PORT"}, []),
        ({}, ["MR2416 "]),
        ({"uri": "/a", "prefixRewrite": "/b"}, ["MR2416 "]),
        ({"port": 80, "derivePort": "FROM_REQUEST_PORT"}, ["MR2062 "]),
        ({"authority": "a", "port": 65536}, ["MR2021 .port"]),
        ({"uri": "/a", "redirectCode": 200}, ["MR2416 .redirectCode"]),
        ({"scheme": "ftp"}, ["MR2416 .scheme"]),
    ],
)
def test_redirects(redirect: dict[str, Any], expected: list[str]) -> None:
    """To somewhere else, with a code that says so."""
    assert route(redirect=redirect) == [line.replace(" ", " .redirect") for line in expected]


def test_a_prefix_is_rewritten_where_a_prefix_was_matched() -> None:
    """Every match on the URI has to be by prefix."""
    redirect = {"prefixRewrite": "/new"}
    assert route(redirect=redirect, match=[{"uri": {"prefix": "/old"}}, {"method": {"exact": "GET"}}]) == []
    assert route(redirect=redirect, match=[{"uri": {"exact": "/old"}}]) == ["MR2416 .redirect.prefixRewrite"]


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [
        ({"uri": "/", "authority": "a"}, []),
        ({"uriRegexRewrite": {"match": "/(.*)", "rewrite": r"/x/\1"}}, []),
        ({}, ["MR2417 "]),
        ({"uri": "/", "uriRegexRewrite": {"match": "a", "rewrite": "b"}}, ["MR2417 "]),
        ({"uriRegexRewrite": {"match": "a"}}, ["MR2417 .uriRegexRewrite"]),
        ({"uriRegexRewrite": {"match": "(", "rewrite": "b"}}, ["MR2065 .uriRegexRewrite.match"]),
    ],
)
def test_rewrites(rewrite: dict[str, Any], expected: list[str]) -> None:
    """Of one thing, in one way."""
    assert route(**ROUTE, rewrite=rewrite) == [line.replace(" ", " .rewrite") for line in expected]
