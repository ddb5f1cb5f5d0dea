"""Hosts that clients name in TLS (SNI), and the names that Istio itself generates for them between networks."""

import re
from collections.abc import Callable

from reconciler.core.validation.addresses import is_ip
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown
from reconciler.core.validation.names import LONGEST_HOST, wildcard_flaw

_DIRECTION = "outbound"
_DIGIT = re.compile(r"[0-9]").search
_LETTER = re.compile(r"[a-zA-Z]").search


def is_generated(host: str) -> bool:
    """Tell whether this is (or should be) a name of the form ``outbound_.80_._.host``."""
    return host.startswith(f"{_DIRECTION}_")


def is_generated_host(found: Findings, host: str, path: str) -> bool:
    """Check the form of a generated name."""
    parts = host.split("_")
    if len(host) <= LONGEST_HOST and len(parts) > 3 and parts[0] == _DIRECTION and _DIGIT(parts[1]) and _LETTER(parts[3]):
        return True
    found.error(Code.HOST_SYNTAX, path, f"{shown(host)} is not a generated name: it has the form outbound_.PORT_._.HOST")
    return False


def check_sni_host(found: Findings, host: str, path: str, *, covered: Callable[[str], bool], generated_allowed: bool) -> None:
    """Check an SNI host of a TLS match. `covered` tells whether it lies within the hosts of its VirtualService."""
    if is_ip(host):
        found.warning(
            Code.SNI_ADDRESS, path, f"{shown(host)} is an IP address, which most clients never send as SNI: use a name"
        )
        return
    if generated_allowed and is_generated(host):
        if not is_generated_host(found, host, path):
            return
    elif flaw := wildcard_flaw(host):
        found.error(Code.HOST_SYNTAX, path, f"{shown(host)} is not a host name ({flaw}): use a DNS name or `*.` and a DNS name")
        return
    if not covered(host):
        found.error(Code.SNI_HOST, path, f"{shown(host)} is none of the VirtualService's hosts: add it to hosts or correct it")
