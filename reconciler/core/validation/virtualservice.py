"""VirtualService: hosts, gateways, and what routes it has. The routes are checked in `httproute` and `l4route`."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation import httproute, l4route, unreachable
from reconciler.core.validation.addresses import is_ip
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, objects, sequence, shown, strings, text
from reconciler.core.validation.gatewaynames import MESH, check_gateway_names
from reconciler.core.validation.labels import check_export_to
from reconciler.core.validation.names import check_wildcard_host, overlaps
from reconciler.core.validation.sni import is_generated, is_generated_host


def check(found: Findings, document: Document) -> None:
    """Check a VirtualService."""
    namespace = text(mapping(document.get("metadata")).get("namespace"))
    spec = mapping(document.get("spec"))
    gateways = [text(name) for name in sequence(spec.get("gateways"))]
    for_gateways_only = bool(gateways) and MESH not in gateways
    check_gateway_names(found, spec, "spec")
    _check_hosts(found, spec, for_gateways_only=for_gateways_only)
    _check_delegate(found, spec)
    if not any(sequence(spec.get(name)) for name in ("http", "tls", "tcp")):
        found.error(Code.ROUTE_MISSING, "spec", "a VirtualService without routes does nothing: add http, tls or tcp")
    delegate = not sequence(spec.get("hosts"))
    for where, route in objects(found, spec, "http", "spec"):
        httproute.check(found, route, where, delegate=delegate, claims_allowed=for_gateways_only)
    l4route.check(found, spec)
    check_export_to(found, spec, namespace, "spec")
    unreachable.check(found, spec)


def _check_delegate(found: Findings, spec: Mapping[str, Any]) -> None:
    """Without hosts it is a delegate: another VirtualService brings traffic here, so only HTTP routes make sense."""
    if sequence(spec.get("hosts")):
        return
    for name in ("gateways", "tls", "tcp"):
        if sequence(spec.get(name)):
            found.error(
                Code.DELEGATE, f"spec.{name}", f"without hosts this is a delegate, which has no {name}: add hosts or remove it"
            )


def _check_hosts(found: Findings, spec: Mapping[str, Any], *, for_gateways_only: bool) -> None:
    valid = True
    with_sni = for_gateways_only and _routes_by_sni(spec)
    for where, host in strings(found, spec, "hosts", "spec"):
        if with_sni and is_generated(host):
            valid &= is_generated_host(found, host, where)
        elif is_ip(host):
            continue
        elif host == "*" and not for_gateways_only:
            found.error(Code.MESH_WILDCARD, where, "sidecars cannot route every host: name a domain, or bind to gateways only")
            valid = False
        else:
            valid &= check_wildcard_host(found, host, where)
    if valid:
        hosts = [text(host) for host in sequence(spec.get("hosts"))]
        for index, other in overlaps(hosts):
            found.error(
                Code.HOST_DUPLICATE, f"spec.hosts[{index}]", f"{shown(hosts[index])} lies within {shown(other)}: remove it"
            )


def _routes_by_sni(spec: Mapping[str, Any]) -> bool:
    return any(
        sequence(mapping(match).get("sniHosts"))
        for route in sequence(spec.get("tls"))
        for match in sequence(mapping(route).get("match"))
    )
