"""Host names as Istio compares and completes them."""

from functools import lru_cache
from ipaddress import ip_address

CLUSTER_DOMAIN = "cluster.local"


def canonical(host: str) -> str:
    """Return the form in which hosts are compared: lower case, no trailing dot."""
    return host.lower().rstrip(".")


def fqdn(host: str, namespace: str) -> str:
    """Return the full name of a host in a VirtualService or DestinationRule, as istiod completes it.

    A name without a dot is a Kubernetes Service of the object's own namespace; ``*`` and IP addresses stay as they are.
    """
    name = canonical(host)
    if not name or name == "*" or "." in name or ":" in name:
        return name
    return f"{name}.{namespace}.svc.{CLUSTER_DOMAIN}"


def covers(pattern: str, host: str) -> bool:
    """Tell whether a host, or a pattern with a leading ``*``, covers another one (both canonical).

    ``*.example.com`` covers ``a.example.com`` and ``*.b.example.com``, not ``example.com``.
    """
    if not pattern.startswith("*"):
        return pattern == host
    return host.removeprefix("*").endswith(pattern[1:]) if host != pattern else True


@lru_cache(maxsize=32_768)  # each address of a commit is asked for several times
def is_ip(text: str) -> bool:
    """Tell whether the text is an IPv4 or IPv6 address (without a zone)."""
    try:
        return not getattr(ip_address(text), "scope_id", None)
    except ValueError:
        return False
