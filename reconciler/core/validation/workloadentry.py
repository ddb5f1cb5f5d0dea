"""WorkloadEntry, and the same fields where they stand inside a ServiceEntry or a WorkloadGroup."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation.addresses import UNIX, check_unix, is_ip
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, shown, text
from reconciler.core.validation.labels import check_labels
from reconciler.core.validation.names import fqdn_flaw
from reconciler.core.validation.ports import check_endpoint_ports


def check(found: Findings, document: Document) -> None:
    """Check a WorkloadEntry."""
    spec = mapping(document.get("spec"))
    check_reachable(found, spec, "spec")
    check_address(found, spec, "spec", names=True)
    check_endpoint_ports(found, spec, "spec")
    check_labels(found, spec, "spec")


def check_reachable(found: Findings, endpoint: Mapping[str, Any], path: str) -> None:
    """An endpoint has an address, or a network whose gateway leads to it."""
    if text(endpoint.get("address")):
        return
    if text(endpoint.get("network")):
        found.warning(
            Code.ADDRESS_BY_NETWORK,
            f"{path}.address",
            f"without an address the endpoint is reached by the gateway of network {shown(endpoint['network'])} only:"
            " set the address where there is one",
        )
    else:
        found.error(Code.ADDRESS_MISSING, f"{path}.address", "the endpoint has no address: set one (or a network)")


def check_address(found: Findings, endpoint: Mapping[str, Any], path: str, *, names: bool) -> None:
    """Check the syntax of an address that is there. `names`: a DNS name will do as well as an IP address."""
    if not (address := text(endpoint.get("address"))):
        return
    if address.startswith(UNIX):
        check_unix(found, address, f"{path}.address")
        check_unix_ports(found, endpoint, path)
    elif not is_ip(address) and (flaw := fqdn_flaw(address) if names else "DNS names need a resolution by DNS"):
        found.error(
            Code.ADDRESS_SYNTAX,
            f"{path}.address",
            f"{shown(address)} is not an IP address{' or DNS name' if names else ''} ({flaw}): correct it",
        )


def check_unix_ports(found: Findings, endpoint: Mapping[str, Any], path: str) -> None:
    """A socket has no ports: the CRD refuses even an empty map."""
    if endpoint.get("ports") is not None:
        found.error(Code.UNIX_SOCKET, f"{path}.ports", "a UNIX socket has no ports: remove ports")
