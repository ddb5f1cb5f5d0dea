"""Gateway: servers with their ports, hosts and TLS."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation import ports
from reconciler.core.validation.addresses import UNIX, check_bind
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, number, objects, sequence, shown, strings, text
from reconciler.core.validation.listenerhosts import check_server_host
from reconciler.core.validation.names import is_label
from reconciler.core.validation.servertls import check_server_tls

_CERTIFICATES = ("caCertificates", "privateKey", "serverCertificate")


def check(found: Findings, document: Document) -> None:
    """Check a Gateway."""
    name = text(mapping(document.get("metadata")).get("name"))
    spec = mapping(document.get("spec"))
    if not is_label(name):
        found.error(
            Code.SERVER, "metadata.name", f"{shown(name)} cannot name a Gateway: use letters, digits and inner dashes, no dots"
        )
    if not sequence(spec.get("servers")):
        found.error(Code.SERVER, "spec.servers", "a Gateway needs a server: add one")
    names: set[str] = set()
    for where, server in objects(found, spec, "servers", "spec"):
        _check_server(found, server, where)
        if isinstance(port := server.get("port"), dict):
            if (name := text(port.get("name"))) in names:
                found.error(Code.PORT_DUPLICATE, f"{where}.port.name", f"the port name {shown(name)} is used twice: rename one")
            names.add(name)


def _check_server(found: Findings, server: Mapping[str, Any], path: str) -> None:
    if not sequence(server.get("hosts")):
        found.error(Code.SERVER, f"{path}.hosts", "a server needs a host: add one")
    for where, host in strings(found, server, "hosts", path):
        check_server_host(found, host, where)
    if isinstance(tls := server.get("tls"), dict):
        check_server_tls(found, tls, f"{path}.tls")
    if isinstance(port := server.get("port"), dict):
        _check_port(found, port, text(server.get("bind")), path)
        _check_protocol(found, server, text(port.get("protocol")).lower(), path)
    else:
        found.error(Code.SERVER, f"{path}.port", "a server needs a port: add it")


def _check_port(found: Findings, port: Mapping[str, Any], bind: str, path: str) -> None:
    if not text(port.get("protocol")):
        found.error(Code.PORT_PROTOCOL, f"{path}.port.protocol", "a server needs a protocol: set it, for example to HTTPS")
    ports.check_protocol(found, text(port.get("protocol")), f"{path}.port.protocol")
    if number(port.get("targetPort")):
        found.error(Code.SERVER, f"{path}.port.targetPort", "targetPort has no effect on a Gateway: remove it")
    if not text(port.get("name")):
        found.error(Code.SERVER, f"{path}.port.name", "the port needs a name: add it")
    if port.get("number") is None:
        found.error(Code.SERVER, f"{path}.port.number", "the port needs a number (0 for a UNIX socket): add it")
    elif bind.startswith(UNIX):
        if number(port["number"]):
            found.error(Code.BIND, f"{path}.port.number", "a UNIX socket has no port: set number to 0")
    else:
        ports.check_required(found, port, f"{path}.port", "number")
    check_bind(found, bind, f"{path}.bind")


def _check_protocol(found: Findings, server: Mapping[str, Any], protocol: str, path: str) -> None:
    """TLS settings belong to TLS ports; on an HTTP port they can only redirect to HTTPS."""
    tls = server.get("tls")
    if protocol in ports.TLS:
        if tls is None:
            found.error(Code.TLS_SETTINGS, f"{path}.tls", "an HTTPS or TLS port needs TLS settings: add tls")
    elif tls is not None and protocol in ports.KNOWN:
        passes_through = mapping(tls).get("mode", "PASSTHROUGH") in ("PASSTHROUGH", "AUTO_PASSTHROUGH")
        if protocol not in ports.HTTP or not passes_through or any(text(mapping(tls).get(name)) for name in _CERTIFICATES):
            found.error(
                Code.TLS_SETTINGS,
                f"{path}.tls",
                "a port without TLS has no use for TLS settings (except httpsRedirect for HTTP)",
            )
    if mapping(tls).get("httpsRedirect") is True and protocol not in ports.HTTP:
        found.warning(
            Code.SERVER_TLS_NO_EFFECT, f"{path}.tls.httpsRedirect", "only HTTP ports can redirect to HTTPS: remove it"
        )
