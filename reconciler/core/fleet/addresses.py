"""Where a request came from, and which of the addresses that an agent reports is believed.

An address is an attacker's wish until somebody has checked it (istio#45329): it is held against the networks that the token
allows, and against the source of the request or a call back.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from reconciler.core.fleet.refusals import Refusal, Refused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Addresses that one report may carry.
MOST = 16


@lru_cache(maxsize=16_384)
def address_of(text: str) -> Address | None:
    """Return a text as an address, an IPv4 one that is dressed as IPv6 undressed; None for what is none or has a zone."""
    if "%" in text:
        return None
    with suppress(ValueError):
        found = ip_address(text)
        return (found.ipv4_mapped if isinstance(found, IPv6Address) else None) or found
    return None


@lru_cache(maxsize=1024)
def network_of(text: str) -> Network:
    """Return a text as a network. Raises Refused."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise Refused(Refusal.INVALID, "a network must be written as 10.0.0.0/8") from error


def is_inside(address: Address, networks: Iterable[str]) -> bool:
    """Tell whether an address is in one of the networks."""
    return any(address in network_of(one) for one in networks)


def source_of(peer: str, forwarded: str, proxies: Sequence[str]) -> str:
    """Return who sent a request: the peer, or behind proxies of ours the last hop in X-Forwarded-For that is none of them.

    What stands further left in that header anybody can have written.
    """
    hops = [*(hop.strip() for hop in forwarded.split(",") if hop.strip()), peer] if proxies else [peer]
    for hop in reversed(hops):
        address = address_of(hop)
        if address is None:
            return peer
        if not is_inside(address, proxies):
            return str(address)
    return hops[0]


def wanted_addresses(reported: Sequence[str], networks: Sequence[str]) -> tuple[str, ...]:
    """Return which reported addresses may be used at all, in their canonical form and in the order given. Raises Refused.

    Loopback and link-local addresses mean another machine to everybody who reads them: a token must allow them by name.
    """
    found = [address_of(one) for one in reported[:MOST]]
    allowed = [one for one in found if one is not None and (is_inside(one, networks) if networks else _is_usable(one))]
    if not allowed:
        raise not_allowed("none of the reported addresses is one that this VM may have")
    return tuple(dict.fromkeys(str(one) for one in allowed))


def verified(wanted: Sequence[str], proved: Collection[str]) -> str:
    """Return the first wanted address that was proved. Raises Refused."""
    for one in wanted:
        if one in proved:
            return one
    raise not_allowed("the request does not come from an address that the VM reports")


def not_allowed(reason: str) -> Refused:
    """Return the refusal of an address."""
    return Refused(Refusal.ADDRESS_NOT_ALLOWED, reason)


def _is_usable(address: Address) -> bool:
    return not (address.is_unspecified or address.is_multicast or address.is_link_local or address.is_loopback)
