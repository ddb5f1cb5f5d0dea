"""Telemetry."""

from typing import Any

import pytest

from tests.core.validation.samples import said


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"tracing": [{"randomSamplingPercentage": 100.5}]}, ["MR2064 spec.tracing[0].randomSamplingPercentage"]),
        ({"tracing": [{}, {}]}, ["warning MR2622 spec.tracing"]),
        ({"tracing": [{"providers": [{"name": "a"}, {"name": "b"}]}]}, ["warning MR2622 spec.tracing[0].providers"]),
        ({"tracing": [{"providers": [{}]}]}, ["MR2621 spec.tracing[0].providers[0].name"]),
        ({"tracing": [{"match": {"mode": "BOTH"}}]}, ["MR2067 spec.tracing[0].match.mode"]),
        ({"tracing": [{"customTags": {"": {"literal": {"value": "a"}}}}]}, ['MR2621 spec.tracing[0].customTags[""]']),
        ({"tracing": [{"customTags": {"a": {"header": {}}}}]}, ["MR2621 spec.tracing[0].customTags.a.header.name"]),
        (
            {"tracing": [{"customTags": {"a": {"header": {"name": "a"}, "literal": {"value": "a"}}}}]},
            ["MR2062 spec.tracing[0].customTags.a"],
        ),
        ({"metrics": [{"reportingInterval": "0s"}]}, ["MR2052 spec.metrics[0].reportingInterval"]),
        (
            {"metrics": [{"overrides": [{"match": {"customMetric": ""}}]}]},
            ["MR2621 spec.metrics[0].overrides[0].match.customMetric"],
        ),
        (
            {"metrics": [{"overrides": [{"match": {"metric": "SOME"}}]}]},
            ["MR2067 spec.metrics[0].overrides[0].match.metric"],
        ),
        (
            {"metrics": [{"overrides": [{"tagOverrides": {"a": {}, "b": {"operation": "REMOVE", "value": "x"}}}]}]},
            [
                "MR2621 spec.metrics[0].overrides[0].tagOverrides.a.value",
                "MR2621 spec.metrics[0].overrides[0].tagOverrides.b.value",
            ],
        ),
        ({"accessLogging": [{"filter": {"expression": "response.code >= 400"}}]}, []),
        ({"accessLogging": [{"filter": {}}]}, ["MR2621 spec.accessLogging[0].filter.expression"]),
    ],
)
def test_rules(spec: dict[str, Any], expected: list[str]) -> None:
    """Providers and tags with names, one provider that has an effect."""
    assert said("Telemetry", spec) == expected
