"""Names of gateways."""

import pytest

from tests.core.validation.samples import ROUTE, said


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mesh", []),
        ("edge", []),
        ("shop/edge", []),
        ("edge.shop.svc.cluster.local", ["warning MR2403 spec.gateways[0]"]),
        ("shop/", ["MR2402 spec.gateways[0]"]),
        ("/edge", ["MR2402 spec.gateways[0]"]),
        ("shop/edge.example", ["MR2402 spec.gateways[0]"]),
        ("a_b", ["MR2402 spec.gateways[0]"]),
    ],
)
def test_names(name: str, expected: list[str]) -> None:
    """A namespace and a name; the old form with dots gets a warning."""
    assert said("VirtualService", {"hosts": ["a.b"], "gateways": [name], "http": [ROUTE]}) == expected


def test_every_name_is_checked() -> None:
    """A wrong name behind a right one matches nothing, so it is refused as well."""
    spec = {"hosts": ["a.b"], "gateways": ["mesh", "a_b/c"], "http": [ROUTE]}
    assert said("VirtualService", spec) == ["MR2402 spec.gateways[1]"]


def test_matches_warn_as_istio_does() -> None:
    """Of the old form in TLS matches only; errors come from all."""
    tls = {"match": [{"sniHosts": ["a.b"], "gateways": ["edge.shop"]}], **ROUTE}
    other = {"match": [{"gateways": ["edge.shop", "x/"]}], **ROUTE}
    spec = {"hosts": ["a.b"], "http": [other], "tls": [tls], "tcp": [other]}
    assert said("VirtualService", spec) == [
        "MR2402 spec.http[0].match[0].gateways[1]",
        "warning MR2403 spec.tls[0].match[0].gateways[0]",
        "MR2402 spec.tcp[0].match[0].gateways[1]",
    ]
