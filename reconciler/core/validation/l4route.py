"""TLS and TCP routes of a VirtualService, and what all routes share: weighted destinations."""

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.core.validation.addresses import check_subnet
from reconciler.core.validation.codes import Code
from reconciler.core.validation.destinationrule import check_subset_name
from reconciler.core.validation.findings import Findings, mapping, number, objects, sequence, shown, strings, text
from reconciler.core.validation.gatewaynames import MESH, check_gateway_names, check_gateway_names_quietly
from reconciler.core.validation.labels import check_labels
from reconciler.core.validation.names import check_wildcard_host, covered_by
from reconciler.core.validation.ports import check_number, check_required
from reconciler.core.validation.sni import check_sni_host


def check(found: Findings, spec: Mapping[str, Any]) -> None:
    """Check the `tls` and `tcp` routes of a VirtualService's spec."""
    covered = covered_by([text(host) for host in sequence(spec.get("hosts"))])
    generated_allowed = MESH not in sequence(spec.get("gateways"))
    for where, route in objects(found, spec, "tls", "spec"):
        if not sequence(route.get("match")):
            found.error(Code.MATCH, f"{where}.match", "a TLS route needs a match: add one with sniHosts")
        for place, match in objects(found, route, "match", where):
            _check_sni_hosts(found, match, place, covered=covered, generated_allowed=generated_allowed)
            _check_match(found, match, place)
            check_gateway_names(found, match, place)
        _check_route(found, route, where)
    for where, route in objects(found, spec, "tcp", "spec"):
        for place, match in objects(found, route, "match", where):
            _check_match(found, match, place)
            check_gateway_names_quietly(found, match, place)
        _check_route(found, route, where)


def _check_sni_hosts(
    found: Findings, match: Mapping[str, Any], path: str, *, covered: Callable[[str], bool], generated_allowed: bool
) -> None:
    if not sequence(match.get("sniHosts")):
        found.error(Code.MATCH, f"{path}.sniHosts", "a TLS match needs an SNI host: add one")
    for where, host in strings(found, match, "sniHosts", path):
        check_sni_host(found, host, where, covered=covered, generated_allowed=generated_allowed)


def _check_match(found: Findings, match: Mapping[str, Any], path: str) -> None:
    for where, subnet in strings(found, match, "destinationSubnets", path):
        check_subnet(found, subnet, where)
    check_match_origin(found, match, path)


def check_match_origin(found: Findings, match: Mapping[str, Any], path: str) -> None:
    """Check what every kind of match has besides gateways: port (0 means any) and labels of the source."""
    if match.get("port"):
        check_number(found, match["port"], f"{path}.port")
    check_labels(found, match, path, "sourceLabels")


def _check_route(found: Findings, route: Mapping[str, Any], path: str) -> None:
    if not sequence(route.get("route")):
        found.error(Code.ROUTE_MISSING, f"{path}.route", "the route leads nowhere: add route with a destination")
    for where, share in objects(found, route, "route", path):
        check_share_destination(found, share, where)
    check_weights(found, route, path)


def check_share_destination(found: Findings, share: Mapping[str, Any], path: str) -> None:
    """Check the destination that a weighted share or a mirror needs."""
    if share.get("destination") is None:
        found.error(Code.DESTINATION, f"{path}.destination", "there is no destination: add one with a host")
    check_destination(found, share, path, "destination")


def check_destination(found: Findings, parent: Mapping[str, Any], path: str, name: str) -> None:
    """Check a destination, where there is one."""
    if not isinstance(destination := parent.get(name), dict):
        return
    path = f"{path}.{name}"
    host = text(destination.get("host"))
    if host == "*":
        found.error(Code.HOST_BARE_WILDCARD, f"{path}.host", "a destination is one service, not `*`: name it")
    else:
        check_wildcard_host(found, host, f"{path}.host")
    if subset := text(destination.get("subset")):
        check_subset_name(found, subset, f"{path}.subset")
    if isinstance(port := destination.get("port"), dict):
        check_required(found, port, f"{path}.port", "number")


def check_weights(found: Findings, route: Mapping[str, Any], path: str) -> None:
    """Check the weights of a route's shares. One share alone takes everything, whatever its weight."""
    shares = [mapping(share) for share in sequence(route.get("route"))]
    weights = [number(share.get("weight")) for share in shares]
    for index, weight in enumerate(weights):
        if weight < 0:
            found.error(Code.ROUTE_WEIGHT, f"{path}.route[{index}].weight", f"weight is {shown(weight)}: use 0 or more")
    if len(weights) > 1 and sum(weights) == 0:
        found.error(Code.ROUTE_WEIGHT, f"{path}.route", "the weights of all destinations are 0: give one of them a weight")
