"""Headers that are matched and changed."""

from typing import Any

import pytest

from reconciler.core.validation.headers import is_claim
from tests.core.validation.samples import ROUTE, said

REQUEST, RESPONSE = "spec.http[0].headers.request", "spec.http[0].headers.response"


@pytest.mark.parametrize("name", ["@request.auth.claims.sub", "@request.auth.claims[sub]", "@Request.Auth.Claims.a.b"])
def test_claims(name: str) -> None:
    """Behind a dot or in brackets."""
    assert is_claim(name)


@pytest.mark.parametrize(
    "name", ["@request.auth.claims", "@request.auth.claims.", "@request.auth.claims[]", "@request.auth.claimsx"]
)
def test_no_claims(name: str) -> None:
    """Not without a name."""
    assert not is_claim(name)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ({"request": {"set": {"x": "y", ":authority": "a"}, "add": {"z": "%REQ(:path)%"}, "remove": ["q"]}}, []),
        ({"request": {"set": {"": "y"}}}, [f'MR2410 {REQUEST}.set[""]']),
        ({"request": {"set": {":path": "y"}}}, [f'MR2410 {REQUEST}.set[":path"]']),
        ({"request": {"remove": [":authority"]}}, [f"MR2410 {REQUEST}.remove[0]"]),
        ({"response": {"set": {"Host": "y"}}}, [f"MR2410 {RESPONSE}.set.Host"]),
        ({"response": {"add": {"x": "100%"}}}, [f"MR2411 {RESPONSE}.add.x"]),
        ({"response": {"add": {"x": "a\nb"}}}, [f"MR2411 {RESPONSE}.add.x"]),
    ],
)
def test_operations(operations: dict[str, Any], expected: list[str]) -> None:
    """The authority can be set in requests only, other headers of HTTP/2 itself never."""
    assert said("VirtualService", {"hosts": ["a.b"], "http": [{**ROUTE, "headers": operations}]}) == expected


def test_the_authority_is_rewritten_once() -> None:
    """By rewrite, or by a header under either name."""
    both = {**ROUTE, "rewrite": {"authority": "a"}, "headers": {"request": {"set": {"Host": "b"}}}}
    assert said("VirtualService", {"hosts": ["a.b"], "http": [both]}) == [f"MR2412 {REQUEST}.set.Host"]
    twice = {**ROUTE, "headers": {"request": {"set": {":authority": "a"}, "add": {"host": "b"}}}}
    assert said("VirtualService", {"hosts": ["a.b"], "http": [twice]}) == [f"MR2412 {REQUEST}.add.host"]
