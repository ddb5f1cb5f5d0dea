"""Hosts of Gateways and Sidecars, written ``namespace/dnsName``."""

from reconciler.core.validation.addresses import is_ip
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown
from reconciler.core.validation.names import is_label, wildcard_flaw


def check_server_host(found: Findings, host: str, path: str) -> None:
    """Check a host of a Gateway; the namespace is optional, and an IP address will do."""
    namespace, slash, name = host.partition("/")
    if not slash:
        namespace, name = "*", host
    _check_parts(found, host, namespace, "" if is_ip(name) and "." in name and "*" not in name else _flaw(name), path)


def check_egress_host(found: Findings, host: str, path: str) -> None:
    """Check a host of a Sidecar; ``~`` before the namespace takes the host out."""
    namespace, slash, name = host.partition("/")
    if not slash:
        found.error(Code.LISTENER_HOST, path, f"{shown(host)} lacks a namespace: write `namespace/dnsName`, or `*/` before it")
        return
    _check_parts(found, host, namespace.removeprefix("~") or ("*" if namespace else ""), _flaw(name), path)


def _check_parts(found: Findings, host: str, namespace: str, flaw: str, path: str) -> None:
    if namespace not in ("*", ".") and not is_label(namespace):
        flaw = "the namespace is not `*`, `.` or a name"
    if flaw:
        found.error(Code.LISTENER_HOST, path, f"{shown(host)} is not a host here ({flaw}): write `namespace/dnsName`")


def _flaw(name: str) -> str:
    if name == "*":
        return ""
    if "." not in name:
        return "short names are not allowed"
    if flaw := wildcard_flaw(name):
        return flaw
    return "partial wildcards are not allowed" if "*" in name and not name.startswith("*.") else ""
