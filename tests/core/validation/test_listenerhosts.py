"""Hosts of Gateways and Sidecars."""

import pytest

from tests.core.validation.samples import said

PORT = {"number": 80, "name": "http", "protocol": "HTTP"}


@pytest.mark.parametrize("host", ["*", "a.example.com", "*.example.com", "shop/a.example.com", "*/*", "./a.b", "10.0.0.1"])
def test_hosts_of_a_gateway(host: str) -> None:
    """With or without a namespace."""
    assert said("Gateway", {"servers": [{"hosts": [host], "port": PORT}]}) == []


@pytest.mark.parametrize("host", ["", "a", "*a.example.com", "a..b", "/a.b", "shop/", "a_b/a.b", "~/a.b", "::1", "a/b/c.d"])
def test_no_hosts_of_a_gateway(host: str) -> None:
    """Short names and partial wildcards match nothing there."""
    assert said("Gateway", {"servers": [{"hosts": [host], "port": PORT}]}) == ["MR2512 spec.servers[0].hosts[0]"]


@pytest.mark.parametrize("host", ["*/*", "./*", "shop/a.example.com", "shop/*.example.com", "~/*", "~shop/a.b"])
def test_hosts_of_a_sidecar(host: str) -> None:
    """Always with a namespace; a tilde takes out."""
    assert said("Sidecar", {"egress": [{"hosts": [host]}]}) == []


@pytest.mark.parametrize("host", ["a.example.com", "*", "/a.b", "shop/a", "shop/*a.b", "shop/10.0.0.1", "a_b/a.b"])
def test_no_hosts_of_a_sidecar(host: str) -> None:
    """Neither addresses nor names without a namespace."""
    assert said("Sidecar", {"egress": [{"hosts": [host]}]}) == ["MR2512 spec.egress[0].hosts[0]"]
