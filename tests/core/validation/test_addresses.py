"""Addresses, blocks and sockets."""

import pytest

from reconciler.core.validation.addresses import is_cidr, is_ip, is_subnet, unix_flaw
from tests.core.validation.samples import said


@pytest.mark.parametrize("address", ["0.0.0.0", "10.1.2.255", "::", "::1", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1%eth0"])  # noqa: S104
def test_ip_addresses(address: str) -> None:
    """IPv4, and IPv6 with or without a zone."""
    assert is_ip(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.01",
        "0x7f.1",
        "1",
        "10.0.0.1 ",
        "10.0.0.1\n",
        "10.0.0.1%eth0",
        "::1%",
        ":::",
        "1:2",
        "a.b",
    ],
)
def test_no_ip_addresses(address: str) -> None:
    """Short, octal and hexadecimal forms that resolvers might take are no addresses, nor is anything with more around it."""
    assert not is_ip(address)


@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.1.2.3/0", "10.1.2.3/32", "2001:db8::/128"])
def test_blocks(block: str) -> None:
    """Host bits may be set."""
    assert is_cidr(block)
    assert is_subnet(block)


@pytest.mark.parametrize(
    "block", ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/255.0.0.0", "::/129", "fe80::%e/8", "/8"]
)
def test_no_blocks(block: str) -> None:
    """Prefix lengths are plain numbers within the address."""
    assert not is_cidr(block)
    assert not is_subnet(block)


def test_two_slashes_are_no_block() -> None:
    """A block has one slash."""
    assert not is_subnet("10.0.0.0/8/8")


@pytest.mark.parametrize("socket", ["unix:///run/app.sock", "unix://@app"])
def test_sockets(socket: str) -> None:
    """A file by its absolute path, or an abstract name."""
    assert unix_flaw(socket) == ""


@pytest.mark.parametrize("socket", ["unix://", "unix://app.sock", "unix:///run/", "unix://@app/", "unix:///"])
def test_no_sockets(socket: str) -> None:
    """Relative paths and folders are none."""
    assert unix_flaw(socket)


def test_a_server_binds_to_addresses_and_sockets() -> None:
    """A server's bind address is an IP address, a socket file or an abstract socket of any name."""
    server = {"hosts": ["a.example.com"], "port": {"number": 80, "name": "http", "protocol": "HTTP"}}
    socket = {**server, "port": {**server["port"], "number": 0}}  # type: ignore[dict-item]
    assert said("Gateway", {"servers": [{**server, "bind": "::1"}]}) == []
    assert said("Gateway", {"servers": [{**socket, "bind": "unix://@any/thing/"}]}) == []
    assert said("Gateway", {"servers": [{**server, "bind": "localhost"}]}) == ["MR2011 spec.servers[0].bind"]
    assert said("Gateway", {"servers": [{**socket, "bind": "unix://rel"}]}) == ["MR2013 spec.servers[0].bind"]
