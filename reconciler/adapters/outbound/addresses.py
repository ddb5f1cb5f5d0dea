"""Where we may go: origins that the operator lists, and the addresses behind their names."""

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Self
from urllib.parse import urlsplit

from reconciler.errors import InvalidInput, SetupCode, Unavailable

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
#: As `socket.getaddrinfo`.
Resolver = Callable[..., Iterable[tuple[Any, ...]]]

_PORTS = {"http": 80, "https": 443}
#: Metadata services of clouds that are not link-local: AWS (IPv6), Alibaba, Oracle, Azure.
_METADATA = frozenset(ip_address(one) for one in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"))
#: IPv6 addresses that stand for an IPv4 one (RFC 6052).
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host (lower case) and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Return a URL's origin. Raises InvalidInput for what is no plain http or https URL."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InvalidInput(f"the URL cannot be read: {error}", code=SetupCode.ADDRESS) from error
        if not url.isascii() or any(one.isspace() or not one.isprintable() for one in url):
            raise InvalidInput("the URL must hold visible ASCII characters only", code=SetupCode.ADDRESS)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise InvalidInput("the URL must begin with http:// or https:// and a host", code=SetupCode.ADDRESS)
        if "@" in parts.netloc or parts.fragment:
            raise InvalidInput("the URL must hold no user, password or fragment", code=SetupCode.ADDRESS)
        return cls(parts.scheme, parts.hostname.rstrip("."), _PORTS[parts.scheme] if port is None else port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator lets us call: origins, and networks that are closed otherwise (loopback, link-local, metadata)."""

    origins: frozenset[Origin]
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, urls: Iterable[str], networks: Iterable[str] = ()) -> Self:
        """Return what settings allow: URLs, of which only the origin counts, and networks such as ``127.0.0.0/8``.

        Raises InvalidInput.
        """
        try:
            opened = tuple(ip_network(one) for one in networks)
        except ValueError as error:
            raise InvalidInput(f"this is no network: {error}", code=SetupCode.ADDRESS) from error
        return cls(frozenset(Origin.of(one) for one in urls), opened)

    def closed(self, address: Address) -> bool:
        """Tell whether an address is one of those that have to be opened by name and are not."""
        return _is_special(address) and not any(address in one for one in self.networks)


@dataclass(frozen=True, slots=True)
class Route:
    """A URL that may be called, and the very address to connect to."""

    origin: Origin
    address: str
    target: str


def route(url: str, allowed: Allowed, resolver: Resolver = socket.getaddrinfo) -> Route:
    """Resolve a URL once. Raises InvalidInput where it is not allowed, Unavailable where its name has no address.

    A host that the operator listed as an address is meant as it stands. A name with one closed address among others is refused
    as a whole: which of them is connected to must not be left to chance.
    """
    origin = Origin.of(url)
    if origin not in allowed.origins:
        raise InvalidInput(f"{origin} is not among the addresses that the operator allows", code=SetupCode.ADDRESS)
    addresses = _resolved(origin, resolver)
    if not _is_address(origin.host) and any(allowed.closed(one) for one in addresses):
        raise InvalidInput(f"{origin} leads to a closed network (loopback, link-local, metadata)", code=SetupCode.ADDRESS)
    parts = urlsplit(url)
    return Route(origin, str(addresses[0]), (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def is_reached(address: Address, networks: Iterable[Network]) -> bool:
    """Tell whether an address lies in one of the networks that the operator named.

    A special one (loopback, link-local, metadata) must be meant: a network that holds others, too, does not open it.
    """
    return any(address in one and (not _is_special(address) or _is_narrow(one)) for one in networks)


def _is_narrow(network: Network) -> bool:
    return network.is_loopback or network.is_link_local or network.num_addresses == 1


def _resolved(origin: Origin, resolver: Resolver) -> list[Address]:
    try:
        found = resolver(origin.host, origin.port, type=socket.SOCK_STREAM)
        addresses = [ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    except (OSError, UnicodeError, ValueError) as error:
        raise Unavailable(f"{origin.host} has no address: {error}") from error
    if not addresses:
        raise Unavailable(f"{origin.host} has no address")
    return addresses


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_special(address: Address) -> bool:
    inner = _embedded(address)
    if inner is not None and _is_special(inner):
        return True
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_reserved and inner is None)
        or address in _METADATA
    )


def _embedded(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for."""
    if not isinstance(address, IPv6Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
