"""What the resolution of a ServiceEntry allows its hosts, addresses, ports and endpoints to be."""

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.core.validation import ports
from reconciler.core.validation.addresses import UNIX
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, objects, sequence, shown, strings, text
from reconciler.core.validation.labels import check_labels
from reconciler.core.validation.names import fqdn_flaw
from reconciler.core.validation.workloadentry import check_address, check_reachable

_USE_WAYPOINT = "istio.io/use-waypoint"
_DYNAMIC_PROTOCOLS = frozenset({"http", "http2", "grpc", "tls"})


def of(spec: Mapping[str, Any]) -> str:
    """Return the resolution, which is NONE where it is not set."""
    return text(spec.get("resolution")) or "NONE"


def check(found: Findings, labels: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Check a ServiceEntry's spec; `labels` are the object's own."""
    match resolution := of(spec):
        case "NONE":
            _check_none(found, spec)
        case "STATIC":
            _check_endpoints(found, spec, by_dns=False)
        case "DNS" | "DNS_ROUND_ROBIN":
            _check_dns(found, spec, resolution)
        case "DYNAMIC_DNS":
            _check_dynamic(found, labels, spec)
    if resolution not in ("NONE", "STATIC") and any("/" in text(address) for address in sequence(spec.get("addresses"))):
        found.error(
            Code.RESOLUTION_ADDRESSES,
            "spec.addresses",
            f"a CIDR block does not go with resolution {shown(resolution)}: use addresses",
        )
    if resolution != "NONE":
        _check_hosts_tellable(found, spec)


def _check_none(found: Findings, spec: Mapping[str, Any]) -> None:
    if spec.get("endpoints") is not None:
        found.error(
            Code.RESOLUTION_ENDPOINTS,
            "spec.endpoints",
            "endpoints (even an empty list) need a resolution: set STATIC or DNS, or remove them",
        )
    if spec.get("workloadSelector") is not None:
        found.warning(
            Code.RESOLUTION_SELECTOR,
            "spec.workloadSelector",
            "with resolution NONE the selector is ignored and traffic goes where the client sent it: set resolution STATIC",
        )


def _check_endpoints(found: Findings, spec: Mapping[str, Any], *, by_dns: bool) -> None:
    """Check inline endpoints, whose ports are named after those of the ServiceEntry."""
    names = {text(mapping(port).get("name")) for port in sequence(spec.get("ports"))}
    for where, endpoint in objects(found, spec, "endpoints", "spec"):
        if by_dns:
            _check_dns_address(found, endpoint, where)
        else:
            check_reachable(found, endpoint, where)
            check_address(found, endpoint, where, names=False)
            if text(endpoint.get("address")).startswith(UNIX) and len(names) != 1:
                found.error(
                    Code.UNIX_SOCKET_PORTS,
                    f"{where}.address",
                    f"a UNIX socket serves one port, the ServiceEntry has {len(names)}",
                )
        check_labels(found, endpoint, where)
        ports.check_endpoint_ports(found, endpoint, where, names)


def _check_dns_address(found: Findings, endpoint: Mapping[str, Any], path: str) -> None:
    address = text(endpoint.get("address"))
    if not address:
        found.error(Code.ADDRESS_MISSING, f"{path}.address", "resolution by DNS needs an address to resolve: set it")
    elif address.startswith(UNIX):
        found.error(Code.ADDRESS_SYNTAX, f"{path}.address", "DNS does not resolve a UNIX socket: use resolution STATIC")
    else:
        check_address(found, endpoint, path, names=True)


def _check_dns(found: Findings, spec: Mapping[str, Any], resolution: str) -> None:
    endpoints = sequence(spec.get("endpoints"))
    if not endpoints:
        _check_resolvable(found, spec, resolution)
    if resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        found.error(Code.RESOLUTION_ENDPOINTS, "spec.endpoints", "DNS_ROUND_ROBIN takes one endpoint: keep one, or use DNS")
    _check_endpoints(found, spec, by_dns=True)
    if sequence(spec.get("addresses")) and len(sequence(spec.get("hosts"))) > 1 and _protocols(spec) & ports.TCP:
        found.warning(
            Code.HOSTS_NOT_TELLABLE,
            "spec.hosts",
            "on a TCP port several hosts at one address cannot be told apart: use a ServiceEntry for each host",
        )


def _check_resolvable(found: Findings, spec: Mapping[str, Any], resolution: str) -> None:
    for where, host in strings(Findings(), spec, "hosts", "spec"):
        if flaw := fqdn_flaw(host):
            found.error(
                Code.RESOLUTION_HOSTS,
                where,
                f"without endpoints, {resolution} resolves the host itself, and {shown(host)} is no DNS name ({flaw}):"
                " add endpoints, or use a resolution that fits",
            )
            return


def _check_dynamic(found: Findings, labels: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    for where, host in strings(Findings(), spec, "hosts", "spec"):
        if not host.startswith("*"):
            found.error(
                Code.RESOLUTION_HOSTS, where, f"DYNAMIC_DNS is for wildcards, {shown(host)} is none: use resolution DNS"
            )
    if sequence(spec.get("addresses")):
        found.error(Code.RESOLUTION_ADDRESSES, "spec.addresses", "DYNAMIC_DNS finds addresses by itself: remove addresses")
    if sequence(spec.get("endpoints")):
        found.error(Code.RESOLUTION_ENDPOINTS, "spec.endpoints", "DYNAMIC_DNS finds endpoints by itself: remove endpoints")
    for where, port in objects(Findings(), spec, "ports", "spec"):
        if (protocol := text(port.get("protocol")).lower()) not in _DYNAMIC_PROTOCOLS:
            found.error(
                Code.RESOLUTION_PROTOCOL,
                f"{where}.protocol",
                f"DYNAMIC_DNS serves HTTP, HTTP2, GRPC and TLS, not {shown(protocol)}",
            )
    waypoint = text(labels.get(_USE_WAYPOINT)).lower()
    if spec.get("location") == "MESH_INTERNAL" and waypoint not in ("", "none"):
        found.error(
            Code.RESOLUTION_WAYPOINT, "spec.location", "behind a waypoint, DYNAMIC_DNS needs location MESH_EXTERNAL: set it"
        )


def _check_hosts_tellable(found: Findings, spec: Mapping[str, Any]) -> None:
    if len(sequence(spec.get("hosts"))) > 1 and _protocols(spec) - ports.HTTP - ports.TLS:
        found.error(
            Code.HOSTS_NOT_TELLABLE,
            "spec.hosts",
            "several hosts can share a port only where HTTP or TLS names the host: use a ServiceEntry for each host",
        )


def _protocols(spec: Mapping[str, Any]) -> set[str]:
    return set(_each_protocol(spec))


def _each_protocol(spec: Mapping[str, Any]) -> Iterator[str]:
    for port in sequence(spec.get("ports")):
        if isinstance(port, dict):
            yield text(port.get("protocol")).lower()
