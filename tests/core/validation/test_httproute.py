"""HTTP routes."""

from base64 import b64encode
from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said

ROUTES = "spec.http[0]"
BILLING = {"destination": {"host": "billing"}}


def route(**parts: Any) -> list[str]:
    """Return what is said of a route, paths relative to it."""
    return [line.replace(ROUTES, "") for line in said("VirtualService", {"hosts": ["a.b"], "http": [parts]})]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, ["MR2406 "]),
        ({"redirect": {"uri": "/"}}, []),
        ({"directResponse": {"status": 200}}, []),
        ({"delegate": {"name": "x"}}, []),
        ({"redirect": {"uri": "/"}, **ROUTE}, ["MR2407 "]),
        ({"redirect": {"uri": "/"}, "directResponse": {"status": 200}}, ["MR2407 "]),
        ({"directResponse": {"status": 200}, "rewrite": {"uri": "/"}}, ["MR2407 "]),
        ({"delegate": {"name": "x"}, **ROUTE}, ["MR2407 "]),
        ({**ROUTE, "mirror": {"host": "m"}, "mirrors": [BILLING]}, ["MR2407 "]),
        ({"route": [{**BILLING, "weight": 0}, {**BILLING, "weight": 0}]}, ["MR2408 .route"]),
        ({"route": [{**BILLING, "weight": 0}]}, []),
        ({"route": [{**BILLING, "weight": -1}, {**BILLING, "weight": 5}]}, ["MR2408 .route[0].weight"]),
        ({"route": [{"weight": 5}]}, ["MR2409 .route[0].destination"]),
        ({"route": [{"destination": {"host": "*"}}]}, ["MR2005 .route[0].destination.host"]),
        ({"route": [{"destination": {"host": "a", "subset": "a_b"}}]}, ["MR2302 .route[0].destination.subset"]),
        ({"route": [{"destination": {"host": "a", "port": {}}}]}, ["MR2021 .route[0].destination.port.number"]),
        ({"route": [{**BILLING, "headers": {"request": {"remove": ["host"]}}}]},
         ["MR2410 .route[0].headers.request.remove[0]"]),
        ({**ROUTE, "mirrorPercent": 101}, ["MR2064 .mirrorPercent", "warning MR2066 .mirrorPercent"]),
        ({**ROUTE, "mirrorPercentage": {"value": 100.5}}, ["MR2064 .mirrorPercentage.value"]),
        ({**ROUTE, "mirrors": [{"percentage": {"value": -1}}]}, [
            "MR2409 .mirrors[0].destination", "MR2064 .mirrors[0].percentage.value",
        ]),
        ({**ROUTE, "mirror": {"host": ""}}, ["MR2001 .mirror.host"]),
        ({"directResponse": {"status": 199}}, ["MR2064 .directResponse.status"]),
        ({"directResponse": {"status": 200, "body": {"string": "a", "bytes": "YQ=="}}},
         ["MR2062 .directResponse.body"]),
        ({"directResponse": {"status": 200, "body": {"bytes": "no base64"}}}, ["MR2421 .directResponse.body.bytes"]),
    ],
)  # fmt: skip
def test_rules(parts: dict[str, Any], expected: list[str]) -> None:
    """A route does one thing, completely."""
    assert route(**parts) == expected


def test_a_delegate_does_not_delegate() -> None:
    """Only a VirtualService with hosts can."""
    assert said("VirtualService", {"http": [{"delegate": {"name": "x"}}]}) == [
        "MR2401 spec.http[0].delegate",
        "MR2406 spec.http[0]",
    ]


@pytest.mark.parametrize(
    ("size", "expected"), [(100, []), (101, ["warning MR2421 .directResponse.body"]), (1025, ["MR2421 .directResponse.body"])]
)
def test_answers_have_a_size(size: int, expected: list[str]) -> None:
    """In KiB, as text or as decoded bytes."""
    content = "x" * size * 1024
    assert route(directResponse={"status": 200, "body": {"string": content}}) == expected
    assert route(directResponse={"status": 200, "body": {"bytes": b64encode(content.encode()).decode()}}) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"allowOrigins": [{"exact": "https://a"}, {"regex": ".*"}], "allowMethods": ["GET", "*"], "allowHeaders": ["*"]}, []),
        ({"allowOrigins": [{"prefix": ""}]}, ["MR2420 .allowOrigins[0]"]),
        ({"allowOrigins": [{"regex": "("}]}, ["MR2065 .allowOrigins[0].regex"]),
        ({"allowMethods": ["get"]}, ["MR2420 .allowMethods[0]"]),
        ({"exposeHeaders": ["a b"]}, ["MR2410 .exposeHeaders[0]"]),
    ],
)
def test_cors(policy: dict[str, Any], expected: list[str]) -> None:
    """Origins, methods and headers as browsers send them."""
    assert route(**ROUTE, corsPolicy=policy) == [line.replace(" ", " .corsPolicy") for line in expected]
