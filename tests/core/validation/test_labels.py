"""Labels, selectors and exportTo."""

from typing import Any

import pytest

from reconciler.core.validation.labels import is_label_key
from tests.core.validation.samples import SPECS, changed, said


@pytest.mark.parametrize("key", ["a", "A.b_c-1", "example.com/a", "a/b", "x" * 63, "a." * 126 + "a/b"])
def test_label_keys(key: str) -> None:
    """A name, perhaps behind a DNS prefix."""
    assert is_label_key(key)


@pytest.mark.parametrize(
    "key", ["", "-a", "a-", "a b", "/a", "a/", "a/b/c", "a_b/c", ".a/b", "x" * 64, "a." * 127 + "a/b", "a\n"]
)
def test_no_label_keys(key: str) -> None:
    """Other characters, empty parts and too long ones."""
    assert not is_label_key(key)


@pytest.mark.case("M-14")
def test_label_values_have_limited_characters() -> None:
    """Values of workload labels are checked by their characters; empty ones are fine."""
    labels = {"empty": "", "fine": "v1.2_x-y", "spaced": "a b", "edge": "-a", "odd/key/x": "v"}
    assert said("WorkloadEntry", changed("WorkloadEntry", labels=labels)) == [
        "MR2032 spec.labels.spaced",
        "MR2032 spec.labels.edge",
        'MR2031 spec.labels["odd/key/x"]',
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"app": "x"}, []),
        ({"": "x"}, ['MR2034 spec.workloadSelector.labels[""]']),
        ({"a*": "x"}, ['MR2033 spec.workloadSelector.labels["a*"]']),
        ({"app": "x*"}, ["MR2033 spec.workloadSelector.labels.app"]),
        ({"app": "x" * 64}, ["MR2032 spec.workloadSelector.labels.app"]),
    ],
)
def test_selectors(labels: dict[str, str], expected: list[str]) -> None:
    """A selector compares whole labels."""
    assert said("ServiceEntry", changed("ServiceEntry", workloadSelector={"labels": labels})) == expected


@pytest.mark.parametrize(
    "kind", ["PeerAuthentication", "ProxyConfig", "Telemetry", "AuthorizationPolicy", "RequestAuthentication"]
)
def test_a_policy_for_a_whole_namespace_says_so_by_having_no_selector(kind: str) -> None:
    """A selector without labels is taken, with a warning."""
    spec = {name: value for name, value in SPECS[kind].items() if name != "portLevelMtls"}
    assert said(kind, {**spec, "selector": {"matchLabels": {}}}) == ["warning MR2035 spec.selector"]
    assert said(kind, {**spec, "selector": {"matchLabels": {"*": ""}}}) == ['MR2033 spec.selector.matchLabels["*"]']


@pytest.mark.parametrize(
    ("export_to", "expected"),
    [
        ([], []),
        ([".", "other"], []),
        (["*"], []),
        (["~"], []),
        (["a", "a"], ["MR2042 spec.exportTo[1]"]),
        ([".", "shop"], ["MR2042 spec.exportTo[1]"]),
        (["*", "other"], ["MR2043 spec.exportTo"]),
        (["~", "other"], ["MR2043 spec.exportTo"]),
        (["a_b"], ["MR2041 spec.exportTo[0]"]),
    ],
)
def test_export_to_of_a_service_entry(export_to: list[str], expected: list[str]) -> None:
    """Namespaces are named once; everybody and nobody stand alone."""
    assert said("ServiceEntry", changed("ServiceEntry", exportTo=export_to)) == expected


@pytest.mark.parametrize("kind", ["DestinationRule", "VirtualService"])
def test_only_a_service_entry_can_be_for_nobody(kind: str) -> None:
    """``~`` means nothing for rules and routes."""
    spec: dict[str, Any] = SPECS[kind]
    assert said(kind, {**spec, "exportTo": ["~"]}) == ["MR2041 spec.exportTo[0]"]
