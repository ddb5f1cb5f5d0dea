"""Sidecar: listeners."""

from typing import Any

import pytest

from tests.core.validation.samples import said

PORT = {"number": 8080, "name": "http", "protocol": "HTTP"}
ALL = {"hosts": ["*/*"]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}, []),
        ({}, ["MR2063 spec"]),
        ({"workloadSelector": {"labels": {}}, "egress": [ALL]}, ["warning MR2035 spec.workloadSelector"]),
        ({"inboundConnectionPool": {}}, ["MR2301 spec.inboundConnectionPool"]),
        ({"outboundTrafficPolicy": {"mode": "SOME"}}, ["MR2067 spec.outboundTrafficPolicy.mode"]),
        ({"outboundTrafficPolicy": {"egressProxy": {"host": "a.b"}}}, ["MR2515 spec.outboundTrafficPolicy.mode"]),
        ({"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": {"host": "a.b", "port": {"number": 80}}}}, []),
        ({"outboundTrafficPolicy": {"mode": "ALLOW_ANY", "egressProxy": {"host": "a.b"}}}, [
            "MR2515 spec.outboundTrafficPolicy.egressProxy.port",
        ]),
    ],
)  # fmt: skip
def test_rules(spec: dict[str, Any], expected: list[str]) -> None:
    """It sets something, and what it sets is complete."""
    assert said("Sidecar", spec) == expected


@pytest.mark.parametrize(
    ("listener", "expected"),
    [
        ({"port": PORT, "defaultEndpoint": "127.0.0.1:8080"}, []),
        ({"port": PORT, "defaultEndpoint": "[::1]:8080"}, []),
        ({"port": PORT, "defaultEndpoint": ":8080", "bind": "10.0.0.1"}, []),
        ({"port": PORT, "defaultEndpoint": "unix:///run/x"}, []),
        ({}, ["MR2511 .port"]),
        ({"port": {**PORT, "targetPort": 1}}, ["MR2511 .port.targetPort"]),
        ({"port": PORT, "captureMode": "SOME"}, ["MR2067 .captureMode"]),
        ({"port": PORT, "bind": "unix:///x"}, ["MR2503 .bind"]),
        ({"port": PORT, "defaultEndpoint": "10.0.0.1:80"}, ["MR2511 .defaultEndpoint"]),
        ({"port": PORT, "defaultEndpoint": "8080"}, ["MR2511 .defaultEndpoint"]),
        ({"port": PORT, "defaultEndpoint": "::1:80"}, ["MR2511 .defaultEndpoint"]),
        ({"port": PORT, "tls": {"mode": "SIMPLE", "serverCertificate": "c", "privateKey": "k"}}, ["MR2068 .tls"]),
        ({"port": {**PORT, "protocol": "TLS"}, "tls": {"mode": "ISTIO_MUTUAL"}}, ["MR2068 .tls.mode"]),
        ({"port": {**PORT, "protocol": "TCP"}, "connectionPool": {"http": {}}}, ["warning MR2514 .connectionPool.http"]),
    ],
)
def test_ingress(listener: dict[str, Any], expected: list[str]) -> None:
    """A port, an endpoint of the workload itself, and TLS where the port has it."""
    assert [line.replace("spec.ingress[0]", "") for line in said("Sidecar", {"ingress": [listener]})] == expected


def test_ports_have_one_listener() -> None:
    """On either side."""
    assert said("Sidecar", {"ingress": [{"port": PORT}, {"port": PORT}]}) == ["MR2024 spec.ingress[1].port.number"]
    twice = [{"port": PORT, **ALL}, {"port": PORT, **ALL}]
    assert said("Sidecar", {"egress": twice}) == ["MR2024 spec.egress[1].port.number"]


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        ([{"port": PORT, "hosts": ["./*"]}, ALL], []),
        ([ALL, {"port": PORT, **ALL}], ["MR2511 spec.egress[0]"]),
        ([{"port": PORT}], ["MR2511 spec.egress[0].hosts"]),
        ([{"port": {"protocol": "TCP"}, "bind": "unix:///x", **ALL}], []),
        ([{"port": {"protocol": "TCP"}, **ALL}], ["MR2503 spec.egress[0].bind"]),
        ([{"port": PORT, "bind": "unix:///x", **ALL}], ["MR2503 spec.egress[0].bind"]),
        (
            [{"port": {"number": 0}, "bind": "unix:///x", "captureMode": "IPTABLES", **ALL}],
            ["MR2503 spec.egress[0].captureMode"],
        ),
        ([{"port": {"number": 0}, "bind": "unix:///x", **ALL}] * 2, ["MR2511 spec.egress[1].bind"]),
        ([{"hosts": ["./a.b", "shop/a.b"]}], ["warning MR2513 spec.egress[0].hosts[1]"]),
        ([{"hosts": ["*/*", "shop/a.b"]}], ["warning MR2513 spec.egress[0].hosts"]),
    ],
)
def test_egress(listeners: list[Any], expected: list[str]) -> None:
    """One listener for the rest, last; sockets without ports; hosts once."""
    assert said("Sidecar", {"egress": listeners}) == expected
