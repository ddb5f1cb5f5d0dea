"""ServiceEntry: hosts, addresses, ports, selector. What depends on the resolution stands in `resolution`."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation import ports, resolution
from reconciler.core.validation.addresses import check_subnet
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, objects, present, sequence, shown, strings, text
from reconciler.core.validation.labels import check_export_to, check_selector
from reconciler.core.validation.names import check_wildcard_host

_AUTO_ALLOCATE = "networking.istio.io/enable-autoallocate-ip"


def check(found: Findings, document: Document) -> None:
    """Check a ServiceEntry."""
    metadata, spec = mapping(document.get("metadata")), mapping(document.get("spec"))
    _check_selector(found, spec)
    _check_hosts(found, spec)
    for where, address in strings(found, spec, "addresses", "spec"):
        check_subnet(found, address, where)
    _check_ports(found, spec, tcp_needs_address=_tcp_needs_address(metadata, spec))
    resolution.check(found, mapping(metadata.get("labels")), spec)
    check_export_to(found, spec, text(metadata.get("namespace")), "spec", nobody=True)


def _check_selector(found: Findings, spec: Mapping[str, Any]) -> None:
    if len(present(spec, "workloadSelector", "endpoints")) == 2:
        found.error(
            Code.ONE_OF,
            "spec",
            "workloadSelector and endpoints (empty ones too) exclude each other: keep one of them",
        )
    selector = spec.get("workloadSelector")
    if isinstance(selector, dict) and not check_selector(found, selector, "spec.workloadSelector", "labels"):
        found.error(
            Code.SELECTOR_EMPTY,
            "spec.workloadSelector",
            "depending on Istio's version, a selector without labels takes no workload or all of the namespace: add labels",
        )


def _check_hosts(found: Findings, spec: Mapping[str, Any]) -> None:
    if not sequence(spec.get("hosts")):
        found.error(Code.REQUIRED, "spec.hosts", "a ServiceEntry needs a host: add one")
    partial_is_fine = spec.get("resolution") == "DYNAMIC_DNS"
    for where, host in strings(found, spec, "hosts", "spec"):
        if host == "*":
            found.error(
                Code.HOST_BARE_WILDCARD, where, "the host `*` would take all traffic: name a domain, such as `*.example.com`"
            )
            continue
        check_wildcard_host(found, host, where)
        if "*" in host and not partial_is_fine and not host.startswith("*."):
            found.warning(
                Code.HOST_PARTIAL_WILDCARD, where, f"{shown(host)} has a partial wildcard, which proxies do not match: use `*.`"
            )


def _tcp_needs_address(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    """Tell whether a TCP port would be left without an address to listen on: none is given, and istiod allocates none."""
    opted_out = text(mapping(metadata.get("labels")).get(_AUTO_ALLOCATE)).lower() == "false"
    return not sequence(spec.get("addresses")) and (opted_out or resolution.of(spec) == "NONE")


def _check_ports(found: Findings, spec: Mapping[str, Any], *, tcp_needs_address: bool) -> None:
    names: set[str] = set()
    numbers: set[object] = set()
    for where, port in objects(found, spec, "ports", "spec"):
        name, protocol, number = text(port.get("name")), text(port.get("protocol")), port.get("number")
        ports.check_name(found, name, f"{where}.name")
        ports.check_required(found, port, where, "number")
        ports.check_protocol(found, protocol, f"{where}.protocol")
        ports.check_number(found, port.get("targetPort"), f"{where}.targetPort")
        if name in names:
            found.error(Code.PORT_DUPLICATE, f"{where}.name", f"the port name {shown(name)} is used twice: rename one")
        if isinstance(number, int) and number in numbers:
            found.error(Code.PORT_DUPLICATE, f"{where}.number", f"port {shown(number)} is there twice: remove one")
        names.add(name)
        numbers.add(number if isinstance(number, int) else None)
        if tcp_needs_address and protocol in ("", "TCP"):
            found.warning(
                Code.TCP_WITHOUT_ADDRESS,
                f"{where}.protocol",
                "proxies cannot tell this TCP port's traffic apart without an address: set addresses, or the protocol",
            )
