"""Routes and matches that are never used."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said


def routes(*matches: list[Any] | None, protocol: str = "http") -> list[str]:
    """Return what is said of routes with these matches, in this order."""
    spec = {"hosts": ["a.b"], protocol: [{**ROUTE, **({} if match is None else {"match": match})} for match in matches]}
    return [line.replace(f"spec.{protocol}", "") for line in said("VirtualService", spec)]


def prefix(value: str, **more: Any) -> dict[str, Any]:
    """Return a match on a prefix of the path."""
    return {"uri": {"prefix": value}, **more}


def test_the_catch_all_comes_last() -> None:
    """What stands behind a route without matches is never used."""
    assert routes([prefix("/a")], None) == []
    assert routes(None, [prefix("/a")]) == ["warning MR2422 [1]"]
    assert routes(None, None, protocol="tcp") == ["warning MR2422 [1]"]


def test_repeated_matches() -> None:
    """A match that an earlier route has, under whatever name, is never used; a route of only such matches neither."""
    assert routes([{"port": 80}], [{"port": 80}, {"port": 81}]) == ["warning MR2423 [1].match[0]"]
    again = ["warning MR2423 [1].match[0]", "warning MR2422 [1]"]
    assert routes([{"name": "x", "uri": {"exact": "/a"}}], [{"name": "y", "uri": {"exact": "/a"}, "port": 0}]) == again
    assert routes([{"port": 80}], [{"port": 80}], protocol="tcp") == again


@pytest.mark.parametrize(
    ("earlier", "later", "covered"),
    [
        (prefix("/a"), prefix("/a/b"), True),
        (prefix("/a/b"), prefix("/a"), False),
        (prefix("/a"), {"uri": {"exact": "/a/b"}}, False),
        (prefix("/a", port=80), prefix("/a/b"), False),
        (prefix("/a"), prefix("/a/b", method={"exact": "GET"}), True),
        (prefix("/a"), prefix("/a/b", method={"exact": "POST"}), False),
        (prefix("/a", authority={"exact": "x"}), prefix("/a/b"), True),
        (prefix("/a"), prefix("/a/b", authority={"exact": "x"}), False),
        (prefix("/a", headers={"h": {"prefix": "xy"}}), prefix("/a/b", headers={"h": {"prefix": "x"}}), True),
        (prefix("/a", headers={"h": {"exact": "x"}}), prefix("/a/b", headers={"i": {"exact": "x"}}), False),
        (prefix("/a", queryParams={"q": {"exact": "x"}}), prefix("/a/b"), False),
    ],
)
def test_shorter_prefixes_cover_longer_ones(earlier: dict[str, Any], later: dict[str, Any], covered: bool) -> None:  # noqa: FBT001
    """Under the same other conditions, as Istio compares them."""
    assert routes([earlier], [later]) == (["warning MR2423 [1].match[0]"] if covered else [])


def test_many_prefixes_take_little_time() -> None:
    """Beyond some hundred nobody reads warnings, so they are no longer compared."""
    assert routes(*([prefix(f"/{number}/")] for number in range(3000))) == []
