"""The gateways that a VirtualService or one of its matches is bound to."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown, strings
from reconciler.core.validation.names import fqdn_flaw, is_label

#: The reserved name for all sidecars.
MESH = "mesh"


def check_gateway_names(found: Findings, parent: Mapping[str, Any], path: str) -> None:
    """Check every name. Istio stops after the first one without a namespace; a wrong name later just never matches there."""
    for where, name in strings(found, parent, "gateways", path):
        namespace, slash, plain = name.partition("/")
        if slash and not (is_label(namespace) and is_label(plain)):
            found.error(Code.GATEWAY_NAME, where, f"{shown(name)} does not name a gateway: use `namespace/name`")
        elif not slash:
            _check_short(found, name, where)


def check_gateway_names_quietly(found: Findings, parent: Mapping[str, Any], path: str) -> None:
    """As `check_gateway_names`, without warnings: Istio's webhook drops those of HTTP and TCP matches."""
    inner = Findings()
    check_gateway_names(inner, parent, path)
    found.errors_of(inner)


def _check_short(found: Findings, name: str, path: str) -> None:
    if flaw := fqdn_flaw(name):
        found.error(Code.GATEWAY_NAME, path, f"{shown(name)} does not name a gateway ({flaw}): use `namespace/name`")
    elif "." in name:
        plain, namespace = name.split(".")[:2]
        found.warning(
            Code.GATEWAY_NAME_LEGACY,
            path,
            f"{shown(name)} is the old form of a gateway's name: use {shown(f'{namespace}/{plain}')}",
        )
