"""Port numbers, port names and protocols."""

from collections.abc import Container, Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, number, shown, step
from reconciler.core.validation.names import is_label

HTTP = frozenset({"http", "http2", "http_proxy", "grpc", "grpc-web"})
TLS = frozenset({"https", "tls"})
#: Protocols that Istio proxies as plain connections, so that hosts on one port cannot be told apart without an address.
TCP = frozenset({"tcp", "https", "tls", "mongo", "redis", "mysql"})
KNOWN = HTTP | TLS | TCP | {"udp"}

#: The CRD wants fewer than 63 characters for a name in an endpoint's `ports`, one fewer than Istio's webhook.
LONGEST_ENDPOINT_PORT_NAME = 62
LAST = 65535


def check_number(found: Findings, value: object, path: str) -> None:
    """Check a port number; a value of another type is left to the typed manifests."""
    if type(value) is int and not 1 <= value <= LAST:
        found.error(Code.PORT_NUMBER, path, f"{shown(value)} is not a port: use 1 to {LAST}")


def check_required(found: Findings, parent: Mapping[str, Any], path: str, name: str) -> None:
    """Check a port number that has to be there; a missing one is 0."""
    if not 1 <= (value := number(parent.get(name))) <= LAST:
        found.error(Code.PORT_NUMBER, f"{path}.{name}", f"{shown(value)} is not a port: set {name} to 1 to {LAST}")


def check_name(found: Findings, name: str, path: str) -> None:
    """Check the name of a port."""
    if not is_label(name):
        found.error(
            Code.PORT_NAME,
            path,
            f"{shown(name)} is not a port name: use letters, digits and inner dashes, at most 63 characters",
        )


def check_protocol(found: Findings, protocol: str, path: str) -> None:
    """Check a protocol; empty leaves it to Istio to find out."""
    if protocol and protocol.lower() not in KNOWN:
        found.error(
            Code.PORT_PROTOCOL,
            path,
            f"{shown(protocol)} is not a protocol that Istio knows: use one of {', '.join(sorted(KNOWN))}",
        )


def check_endpoint_ports(found: Findings, endpoint: Mapping[str, Any], path: str, known: Container[str] | None = None) -> None:
    """Check the map of an endpoint's ports: names of the ServiceEntry's ports (`known`, where there is one) to numbers."""
    for name, value in mapping(endpoint.get("ports")).items():
        if not is_label(name) or len(name) > LONGEST_ENDPOINT_PORT_NAME:
            advice = f"use letters, digits and inner dashes, at most {LONGEST_ENDPOINT_PORT_NAME} characters"
            found.error(Code.PORT_NAME, step(f"{path}.ports", name), f"{shown(name)} is not a port name here: {advice}")
        if known is not None and name not in known:
            message = f"the ServiceEntry has no port named {shown(name)}: use the name of one of its ports"
            found.error(Code.ENDPOINT_PORT_UNKNOWN, step(f"{path}.ports", name), message)
        if type(value) is int and not 1 <= value <= LAST:
            check_number(found, value, step(f"{path}.ports", name))
