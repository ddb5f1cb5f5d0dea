"""SNI hosts."""

import pytest

from tests.core.validation.samples import ROUTE, said

GENERATED = "outbound_.80_._.billing.shop.svc.cluster.local"


def sni(host: str, *, hosts: tuple[str, ...] = ("*.example.com",), gateways: tuple[str, ...] = ("mesh",)) -> list[str]:
    """Return what is said of a TLS route for an SNI host."""
    spec = {"hosts": list(hosts), "gateways": list(gateways), "tls": [{"match": [{"sniHosts": [host]}], **ROUTE}]}
    return [line.replace("spec.tls[0].match[0].sniHosts[0]", "here") for line in said("VirtualService", spec)]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example.com", []),
        ("*.a.example.com", []),
        ("example.com", ["MR2414 here"]),
        ("*.com", ["MR2414 here"]),
        ("a..example.com", ["MR2001 here"]),
        ("10.0.0.1", ["warning MR2415 here"]),
    ],
)
def test_sni_hosts_are_hosts_of_the_service(host: str, expected: list[str]) -> None:
    """Within the VirtualService's own hosts; addresses are hardly ever sent."""
    assert sni(host) == expected


def test_generated_names_are_for_gateways() -> None:
    """Between networks Istio sends names of its own."""
    assert sni(GENERATED, hosts=(GENERATED,), gateways=("shop/edge",)) == []
    assert sni("outbound_.x_._.a", hosts=("*",), gateways=("shop/edge",)) == ["MR2001 here"]
    assert sni(GENERATED, hosts=("*.local",)) == ["MR2001 here"]
