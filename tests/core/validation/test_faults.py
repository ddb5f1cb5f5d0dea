"""Faults."""

from typing import Any

import pytest

from tests.core.validation.samples import ROUTE, said


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"abort": {"httpStatus": 503, "percentage": {"value": 0.1}}}, []),
        ({"abort": {"grpcStatus": "UNAVAILABLE"}, "delay": {"fixedDelay": "1s"}}, []),
        ({"abort": {}}, []),
        ({}, ["MR2419 "]),
        ({"abort": {"httpStatus": 99}}, ["MR2064 .abort.httpStatus"]),
        ({"abort": {"grpcStatus": "unavailable"}}, ["MR2067 .abort.grpcStatus"]),
        ({"abort": {"http2Error": "x"}}, ["MR2419 .abort.http2Error"]),
        ({"abort": {"httpStatus": 503, "grpcStatus": "OK"}}, ["MR2062 .abort"]),
        ({"delay": {"fixedDelay": "0s"}}, ["MR2052 .delay.fixedDelay"]),
        ({"delay": {"exponentialDelay": "1s"}}, ["MR2419 .delay.exponentialDelay"]),
        ({"delay": {"fixedDelay": "1s", "percentage": {"value": 0.00001}}}, ["MR2064 .delay.percentage.value"]),
    ],
)
def test_rules(fault: dict[str, Any], expected: list[str]) -> None:
    """A delay, an abort or both, for a share that Envoy can count."""
    told = said("VirtualService", {"hosts": ["a.b"], "http": [{**ROUTE, "fault": fault}]})
    assert told == [line.replace(" ", " spec.http[0].fault") for line in expected]
