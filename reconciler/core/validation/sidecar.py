"""Sidecar: what proxies listen on, and which services they see."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation import ports
from reconciler.core.validation.addresses import UNIX, check_bind
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import (
    Findings,
    known,
    mapping,
    number,
    objects,
    present,
    sequence,
    shown,
    strings,
    text,
)
from reconciler.core.validation.l4route import check_destination
from reconciler.core.validation.labels import check_selector, warn_without_labels
from reconciler.core.validation.listenerhosts import check_egress_host
from reconciler.core.validation.names import fqdn_flaw
from reconciler.core.validation.servertls import check_server_tls
from reconciler.core.validation.trafficpolicy import check_connection_pool

#: Of the workload itself; nothing is bound here.
_LOOPBACK = frozenset({"", "127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104
_NOT_FOR_INGRESS = ("subjectAltNames", "httpsRedirect", "credentialName", "credentialNames", "tlsCertificates")


def check(found: Findings, document: Document) -> None:
    """Check a Sidecar."""
    namespace = text(mapping(document.get("metadata")).get("namespace"))
    spec = mapping(document.get("spec"))
    selector = spec.get("workloadSelector")
    if isinstance(selector, dict) and not check_selector(found, selector, "spec.workloadSelector", "labels"):
        warn_without_labels(found, "spec.workloadSelector")
    listens = any(sequence(spec.get(name)) for name in ("ingress", "egress"))
    if not listens and not present(spec, "outboundTrafficPolicy", "inboundConnectionPool"):
        found.error(Code.REQUIRED, "spec", "a Sidecar that sets nothing is refused: add egress or ingress")
    check_connection_pool(found, spec, "spec", "inboundConnectionPool")
    _check_ingress(found, spec)
    _check_egress(found, spec, namespace)
    _check_outbound(found, mapping(spec.get("outboundTrafficPolicy")), "spec.outboundTrafficPolicy")


def _check_ingress(found: Findings, spec: Mapping[str, Any]) -> None:
    numbers: set[float] = set()
    for where, listener in objects(found, spec, "ingress", "spec"):
        if not isinstance(port := listener.get("port"), dict):
            found.error(Code.LISTENER, f"{where}.port", "an ingress listener needs a port: add it")
            continue
        _check_listener(found, listener, port, where)
        ports.check_required(found, port, f"{where}.port", "number")
        if (bind := text(listener.get("bind"))).startswith(UNIX):
            found.error(Code.BIND, f"{where}.bind", "an ingress listener binds to an IP address: correct it")
        check_bind(found, bind, f"{where}.bind")
        _check_unique(found, number(port.get("number")), numbers, where)
        _check_default_endpoint(found, text(listener.get("defaultEndpoint")), f"{where}.defaultEndpoint")
        check_connection_pool(found, listener, where, "connectionPool")
        protocol = text(port.get("protocol")).lower()
        if isinstance(tls := listener.get("tls"), dict):
            _check_ingress_tls(found, tls, protocol, f"{where}.tls")
        if mapping(listener.get("connectionPool")).get("http") is not None and protocol not in ports.HTTP:
            found.warning(
                Code.POOL_NO_EFFECT, f"{where}.connectionPool.http", "the port is not HTTP: set its protocol, or remove http"
            )


def _check_listener(found: Findings, listener: Mapping[str, Any], port: Mapping[str, Any], path: str) -> None:
    known(found, listener, path, captureMode=("DEFAULT", "IPTABLES", "NONE"))
    path = f"{path}.port"
    if name := text(port.get("name")):
        ports.check_name(found, name, f"{path}.name")
    ports.check_protocol(found, text(port.get("protocol")), f"{path}.protocol")
    if number(port.get("targetPort")):
        found.error(Code.LISTENER, f"{path}.targetPort", "targetPort has no effect on a Sidecar: remove it")


def _check_unique(found: Findings, value: float, numbers: set[float], path: str) -> None:
    if value in numbers:
        found.error(Code.PORT_DUPLICATE, f"{path}.port.number", f"port {shown(value)} has a listener already: remove one")
    numbers.add(value)


def _check_default_endpoint(found: Findings, endpoint: str, path: str) -> None:
    if endpoint.startswith(UNIX):
        check_bind(found, endpoint, path)
    elif endpoint:
        host, colon, port = endpoint.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        address = host[1:-1] if bracketed else host
        if not colon or address not in _LOOPBACK or (":" in address and not bracketed) or not _is_port(port):
            found.error(
                Code.LISTENER,
                path,
                f"{shown(endpoint)} is no endpoint of the workload: use 127.0.0.1:PORT, [::1]:PORT or unix:///path",
            )


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdecimal() and len(port) < 10 and 1 <= int(port) <= 65535


def _check_ingress_tls(found: Findings, tls: Mapping[str, Any], protocol: str, path: str) -> None:
    for name in _NOT_FOR_INGRESS:
        if tls.get(name):
            found.error(Code.TLS_SETTINGS, f"{path}.{name}", f"{name} is not supported here: remove it")
    if (mode := text(tls.get("mode"))) in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
        found.error(Code.TLS_SETTINGS, f"{path}.mode", f"mode {mode} is not possible here: use SIMPLE or MUTUAL")
    if protocol not in ports.TLS:
        found.error(Code.TLS_SETTINGS, path, "TLS settings need a port with protocol HTTPS or TLS: change it, or remove tls")
    check_server_tls(found, tls, path)


def _check_egress(found: Findings, spec: Mapping[str, Any], namespace: str) -> None:
    numbers: set[float] = set()
    sockets: set[str] = set()
    listeners = list(objects(found, spec, "egress", "spec"))
    for position, (where, listener) in enumerate(listeners, start=1):
        if isinstance(port := listener.get("port"), dict):
            _check_egress_port(found, port, listener, where)
            if number(port.get("number")):
                _check_unique(found, number(port["number"]), numbers, where)
            elif (bind := text(listener.get("bind"))) in sockets:
                found.error(Code.LISTENER, f"{where}.bind", "the UNIX socket has a listener already: remove one")
            else:
                sockets.add(bind)
        elif position < len(listeners):
            found.error(
                Code.LISTENER, where, "a listener without a port takes all others, so it comes last and only once: move it"
            )
        _check_egress_hosts(found, listener, namespace, where)


def _check_egress_port(found: Findings, port: Mapping[str, Any], listener: Mapping[str, Any], path: str) -> None:
    _check_listener(found, listener, port, path)
    bind = text(listener.get("bind"))
    if number(port.get("number")):
        ports.check_required(found, port, f"{path}.port", "number")
        if not bind.startswith(UNIX):
            check_bind(found, bind, f"{path}.bind")
        else:
            found.error(Code.BIND, f"{path}.bind", "a UNIX socket has no port: set the number to 0, or bind to an IP address")
        return
    check_bind(found, bind, f"{path}.bind")
    if not bind.startswith(UNIX):
        found.error(Code.BIND, f"{path}.bind", "a listener without a port number needs a UNIX socket: set bind, or the number")
    if listener.get("captureMode") == "IPTABLES":
        found.error(Code.BIND, f"{path}.captureMode", "traffic to a UNIX socket is not captured: use DEFAULT or NONE")


def _check_egress_hosts(found: Findings, listener: Mapping[str, Any], namespace: str, path: str) -> None:
    if not sequence(listener.get("hosts")):
        found.error(Code.LISTENER, f"{path}.hosts", "an egress listener needs a host: add one, for example `./*`")
    services: dict[str, set[str]] = {}
    for where, host in strings(found, listener, "hosts", path):
        check_egress_host(found, host, where)
        owner, slash, name = host.partition("/")
        if not slash or owner.startswith("~"):
            continue
        names = services.setdefault(namespace if owner == "." else owner, set())
        if (name == "*" and names) or (name != "*" and names & {name, "*"}):
            found.warning(Code.LISTENER_HOST_TWICE, where, f"{shown(host)} overlaps with a host before it: keep one of them")
        names.add(name)
    if len(services) > 1 and "*" in services.get("*", ()):
        found.warning(Code.LISTENER_HOST_TWICE, f"{path}.hosts", "`*/*` takes everything already: remove the others")


def _check_outbound(found: Findings, policy: Mapping[str, Any], path: str) -> None:
    known(found, policy, path, mode=("REGISTRY_ONLY", "ALLOW_ANY"))
    proxy = policy.get("egressProxy")
    if not isinstance(proxy, dict):
        return
    if policy.get("mode") != "ALLOW_ANY":
        found.error(
            Code.EGRESS_PROXY, f"{path}.mode", "an egress proxy is for unknown hosts: set mode to ALLOW_ANY, or remove it"
        )
        return
    if flaw := fqdn_flaw(host := text(proxy.get("host"))):
        found.error(Code.EGRESS_PROXY, f"{path}.egressProxy.host", f"{shown(host)} is not a DNS name ({flaw}): correct it")
    if proxy.get("port") is None:
        found.error(Code.EGRESS_PROXY, f"{path}.egressProxy.port", "an egress proxy needs a port: add port.number")
    check_destination(found, policy, path, "egressProxy")
