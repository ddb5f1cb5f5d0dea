"""Retries."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        ({"attempts": 3, "retryOn": "5xx,reset,503", "perTryTimeout": "2s"}, []),
        ({"attempts": 0}, []),
        ({"attempts": -1}, ["MR2064 .attempts"]),
        ({"retryOn": "5xx"}, ["MR2418 "]),
        ({"attempts": 0, "perTryTimeout": "2s"}, ["MR2418 "]),
        ({"attempts": 1, "retryOn": "5xx, reset"}, ["MR2418 .retryOn"]),
        ({"attempts": 1, "retryOn": "999"}, ["MR2418 .retryOn"]),
        ({"attempts": 1, "backoff": "0s"}, ["MR2052 .backoff"]),
    ],
)
def test_rules(retries: dict[str, Any], expected: list[str]) -> None:
    """For reasons that Envoy knows, and not configured where switched off."""
    told = said("VirtualService", {"hosts": ["a.b"], "http": [{**ROUTE, "retries": retries}]})
    assert told == [line.replace(" ", " spec.http[0].retries") for line in expected]
