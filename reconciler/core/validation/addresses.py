"""IP addresses, CIDR blocks and UNIX sockets, as Go's netip package and Istio read them."""

import re
from ipaddress import AddressValueError, IPv6Address

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown

UNIX = "unix://"

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}").fullmatch
_BITS = re.compile(r"0|[1-9][0-9]{0,2}").fullmatch


def is_ip(address: str) -> bool:
    """Tell whether this is an IPv4 address without leading zeros, or an IPv6 address, perhaps with a zone."""
    if _IPV4(address):
        return True
    plain, percent, zone = address.partition("%")
    return ":" in plain and bool(zone or not percent) and _is_ipv6(plain)


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return True


def is_cidr(block: str) -> bool:
    """Tell whether this is an address without a zone, a slash and a prefix length; host bits may be set."""
    address, _, bits = block.rpartition("/")
    if not _BITS(bits) or "%" in address or not is_ip(address):
        return False
    return int(bits) <= (128 if ":" in address else 32)


def is_subnet(address: str) -> bool:
    """Tell whether this is an IP address or a CIDR block."""
    return is_cidr(address) if address.count("/") == 1 else is_ip(address)


def check_subnet(found: Findings, address: str, path: str) -> None:
    """Check an IP address or CIDR block."""
    if not is_subnet(address):
        found.error(Code.CIDR_SYNTAX, path, f"{shown(address)} is neither an IP address nor a CIDR block: correct it")


def check_bind(found: Findings, address: str, path: str) -> None:
    """Check what a listener binds to, where that is given: an IP address, or a socket (abstract names are free text here)."""
    if address.startswith(f"{UNIX}@"):
        return
    if address.startswith(UNIX):
        check_unix(found, address, path)
    elif address and not is_ip(address):
        found.error(Code.ADDRESS_SYNTAX, path, f"{shown(address)} is not an IP address: correct it")


def unix_flaw(address: str) -> str:
    """Return what is wrong with an address that begins with ``unix://``, empty where nothing is.

    A file needs an absolute path; a name after ``@`` is an abstract socket. The CRD refuses a slash at the end of either.
    """
    if not address.startswith(("unix:///", "unix://@")):
        return "the path is not absolute"
    return "it names a folder" if address.endswith("/") else ""


def check_unix(found: Findings, address: str, path: str) -> None:
    """Check an address that begins with ``unix://``, as the CRDs and the webhook do together."""
    if flaw := unix_flaw(address):
        found.error(
            Code.UNIX_SOCKET, path, f"{shown(address)} is not a socket ({flaw}): use `unix:///path/to/socket` or `unix://@name`"
        )
