"""DestinationRule: host, subsets, whom it is for."""

from typing import Any

import pytest

from tests.core.validation.samples import changed, said

OLD = {"outlierDetection": {"consecutiveErrors": 5}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"host": "billing"}, []),
        ({"host": "*.example.com"}, []),
        ({"host": ""}, ["MR2001 spec.host"]),
        ({"host": None}, ["MR2001 spec.host"]),
        ({"subsets": [{"name": "all"}]}, []),
        ({"subsets": [{"name": "a_b"}]}, ["MR2302 spec.subsets[0].name"]),
        ({"subsets": [{"labels": {"a": "b"}}]}, ["MR2302 spec.subsets[0].name"]),
        ({"subsets": [{"name": "a"}, {"name": "a"}]}, ["MR2302 spec.subsets[1].name"]),
        ({"subsets": [{"name": "a", "labels": {"a": "b c"}}]}, ["MR2032 spec.subsets[0].labels.a"]),
        ({"subsets": [{"name": "a", "trafficPolicy": {}}]}, ["MR2301 spec.subsets[0].trafficPolicy"]),
        ({"subsets": [None]}, ["MR2061 spec.subsets[0]"]),
    ],
)
def test_rules(change: dict[str, Any], expected: list[str]) -> None:
    """A host, and subsets with names of their own."""
    assert said("DestinationRule", changed("DestinationRule", **change)) == expected


@pytest.mark.parametrize(
    ("export_to", "expected"),
    [
        (None, []),
        (["."], []),
        (["shop"], []),
        (["*"], ["MR2308 spec.exportTo[0]"]),
        ([".", "other"], ["MR2308 spec.exportTo[1]"]),
    ],
)
def test_a_rule_for_some_clients_stays_at_home(export_to: list[str] | None, expected: list[str]) -> None:
    """A workloadSelector picks clients of the rule's own namespace."""
    spec = changed("DestinationRule", workloadSelector={"matchLabels": {"app": "web"}}, exportTo=export_to)
    assert said("DestinationRule", spec) == expected


def test_warnings_are_given_where_istio_gives_them() -> None:
    """Its webhook loses the warnings of subsets and of ports."""
    assert said("DestinationRule", {"host": "a", "trafficPolicy": OLD}) == [
        "warning MR2066 spec.trafficPolicy.outlierDetection.consecutiveErrors"
    ]
    assert said("DestinationRule", {"host": "a", "subsets": [{"name": "a", "trafficPolicy": OLD}]}) == []
    ports = [{"port": {"number": 80}, **OLD}]
    assert said("DestinationRule", {"host": "a", "trafficPolicy": {"portLevelSettings": ports}}) == []
