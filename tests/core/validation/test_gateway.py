"""Gateway: servers."""

from typing import Any

import pytest

from tests.core.validation.samples import SPECS, said

SERVER = "spec.servers[0]"
PORT = {"number": 80, "name": "http", "protocol": "HTTP"}
TLS = {"number": 443, "name": "https", "protocol": "HTTPS"}
FILES = {"mode": "SIMPLE", "serverCertificate": "c", "privateKey": "k"}


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"hosts": ["*"], "port": PORT}, []),
        ({"hosts": ["*"], "port": PORT, "tls": {"httpsRedirect": True}}, []),
        ({"hosts": ["*"], "port": TLS, "tls": FILES}, []),
        ({"port": PORT}, [f"MR2501 {SERVER}.hosts"]),
        ({"hosts": ["*"]}, [f"MR2501 {SERVER}.port"]),
        ({"hosts": ["*"], "port": {**PORT, "protocol": ""}}, [f"MR2023 {SERVER}.port.protocol"]),
        ({"hosts": ["*"], "port": {**PORT, "targetPort": 1}}, [f"MR2501 {SERVER}.port.targetPort"]),
        ({"hosts": ["*"], "port": {**PORT, "name": ""}}, [f"MR2501 {SERVER}.port.name"]),
        ({"hosts": ["*"], "port": {**PORT, "number": 0}}, [f"MR2021 {SERVER}.port.number"]),
        ({"hosts": ["*"], "port": {"name": "http", "protocol": "HTTP"}}, [f"MR2501 {SERVER}.port.number"]),
        ({"hosts": ["*"], "port": PORT, "bind": "unix:///x"}, [f"MR2503 {SERVER}.port.number"]),
        ({"hosts": ["*"], "port": TLS}, [f"MR2068 {SERVER}.tls"]),
        ({"hosts": ["*"], "port": PORT, "tls": FILES}, [f"MR2068 {SERVER}.tls"]),
        ({"hosts": ["*"], "port": {**PORT, "protocol": "TCP"}, "tls": {"httpsRedirect": True}}, [
            f"MR2068 {SERVER}.tls", f"warning MR2502 {SERVER}.tls.httpsRedirect",
        ]),
    ],
)  # fmt: skip
def test_servers(server: dict[str, Any], expected: list[str]) -> None:
    """A port with a name and a protocol, hosts, and TLS settings where there is TLS."""
    assert said("Gateway", {"servers": [server]}) == expected


def test_a_gateway_has_servers_with_names_of_their_own() -> None:
    """At least one; ports are told apart by name."""
    assert said("Gateway", {}) == ["MR2501 spec.servers"]
    twice = {"servers": [{"hosts": ["*"], "port": PORT}, {"hosts": ["*"], "port": {**PORT, "number": 81}}]}
    assert said("Gateway", twice) == ["MR2024 spec.servers[1].port.name"]


def test_its_name_has_no_dots() -> None:
    """VirtualServices could not refer to it."""
    assert said("Gateway", SPECS["Gateway"], name="a.b") == ["MR2501 metadata.name"]
