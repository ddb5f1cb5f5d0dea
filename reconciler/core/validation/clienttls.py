"""TLS settings of a client, as in a DestinationRule."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, sequence, text

_CONFIG_MAP = "configmap://"
_FILES = ("clientCertificate", "privateKey", "caCertificates", "caCrl")


def check_client_tls(found: Findings, tls: Mapping[str, Any], namespace: str, path: str) -> None:
    """Check the `tls` of a traffic policy, of an object in this namespace."""
    mode, credential = text(tls.get("mode")), text(tls.get("credentialName"))
    _check_config_map(found, credential, namespace, path)
    if tls.get("insecureSkipVerify") is True:
        _check_unverified(found, tls, mode, path)
    if mode in ("SIMPLE", "MUTUAL") and credential:
        if any(text(tls.get(name)) for name in _FILES):
            found.error(Code.TLS_SETTINGS, path, f"credentialName excludes {', '.join(_FILES)}: keep one or the other")
    elif mode == "MUTUAL":
        for name in ("clientCertificate", "privateKey"):
            if not text(tls.get(name)):
                found.error(Code.TLS_SETTINGS, f"{path}.{name}", f"mode MUTUAL needs {name}: set it, or use credentialName")


def _check_config_map(found: Findings, credential: str, namespace: str, path: str) -> None:
    """A ConfigMap is named with its namespace, which has to be the object's own."""
    if not credential.startswith(_CONFIG_MAP):
        return
    where, _, rest = credential.removeprefix(_CONFIG_MAP).partition("/")
    if not where or where != namespace or not rest.split("/", 1)[0]:
        found.error(
            Code.TLS_SETTINGS,
            f"{path}.credentialName",
            "a ConfigMap is named `configmap://namespace/name`, in the object's own namespace",
        )


def _check_unverified(found: Findings, tls: Mapping[str, Any], mode: str, path: str) -> None:
    given = [name for name in ("caCertificates",) if text(tls.get(name))]
    given += [name for name in ("subjectAltNames",) if sequence(tls.get(name))]
    if mode == "SIMPLE" and text(tls.get("credentialName")):
        given.append("credentialName")
    if mode in ("SIMPLE", "MUTUAL") and given:
        found.error(
            Code.TLS_SETTINGS,
            path,
            f"insecureSkipVerify does not check the server, but {' and '.join(given)} would: keep one or the other",
        )
