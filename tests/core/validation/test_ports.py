"""Port numbers, names and protocols."""

import pytest

from tests.core.validation.samples import HTTP, changed, said


@pytest.mark.case("M-05")
@pytest.mark.parametrize("number", [0, -1, 65536, 2**63, 10**40])
def test_port_numbers_have_a_range(number: int) -> None:
    """1 to 65535, in a ServiceEntry and in an endpoint."""
    assert said("ServiceEntry", changed("ServiceEntry", ports=[{**HTTP, "number": number}])) == ["MR2021 spec.ports[0].number"]
    assert said("WorkloadEntry", changed("WorkloadEntry", ports={"http": number})) == ["MR2021 spec.ports.http"]


def test_a_target_port_of_0_is_refused_when_it_is_written() -> None:
    """Absent is fine; the CRD refuses a 0 that is there."""
    assert said("ServiceEntry", changed("ServiceEntry", ports=[{**HTTP, "targetPort": 8080}])) == []
    assert said("ServiceEntry", changed("ServiceEntry", ports=[{**HTTP, "targetPort": 0}])) == [
        "MR2021 spec.ports[0].targetPort"
    ]


@pytest.mark.parametrize("protocol", ["", "HTTP", "http", "Tcp", "GRPC-Web", "HTTP_PROXY", "mongo", "UDP"])
def test_known_protocols(protocol: str) -> None:
    """In any case; empty lets Istio find out."""
    assert said("ServiceEntry", changed("ServiceEntry", ports=[{**HTTP, "protocol": protocol}])) == []


@pytest.mark.parametrize("protocol", ["SMTP", "HTTP/2", "grpc_web", " tcp"])
def test_unknown_protocols(protocol: str) -> None:
    """Anything else would silently be plain TCP."""
    expected = ["MR2023 spec.ports[0].protocol"]
    assert said("ServiceEntry", changed("ServiceEntry", ports=[{**HTTP, "protocol": protocol}])) == expected


@pytest.mark.parametrize("name", ["", "a_b", "a.b", "-a", "x" * 64])
def test_names_are_labels(name: str) -> None:
    """A port's name is a DNS label."""
    assert said("ServiceEntry", changed("ServiceEntry", ports=[{**HTTP, "name": name}])) == ["MR2022 spec.ports[0].name"]


def test_names_in_endpoints_are_one_character_shorter() -> None:
    """The CRD takes fewer than 63 characters there."""
    assert said("WorkloadEntry", changed("WorkloadEntry", ports={"x" * 62: 80})) == []
    assert said("WorkloadEntry", changed("WorkloadEntry", ports={"x" * 63: 80})) == [f"MR2022 spec.ports.{'x' * 63}"]
