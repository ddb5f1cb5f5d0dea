"""TLS settings of a server: of a Gateway, and of a Sidecar's ingress."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, known, objects, one_of, sequence, shown, strings, text

_MODES = ("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL")
_VERSIONS = ("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")
_OLD = ("TLSV1_0", "TLSV1_1")
_CERTIFICATE_TEXTS = ("serverCertificate", "privateKey", "caCertificates", "credentialName")
_CERTIFICATE_LISTS = ("tlsCertificates", "credentialNames")
#: One for each of RSA and ECDSA.
_MOST_CERTIFICATES = 2
#: BoringSSL's cipher suites under OpenSSL's names, without those with a pre-shared key.
_CIPHER_SUITES = frozenset(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384"
        " ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA"
        " ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-SHA AES256-SHA DES-CBC3-SHA"
    ).split()
)


def check_server_tls(found: Findings, tls: Mapping[str, Any], path: str) -> None:
    """Check the TLS settings of a server."""
    one_of(found, tls, path, "credentialName", "credentialNames", "tlsCertificates")
    known(found, tls, path, mode=_MODES, minProtocolVersion=_VERSIONS, maxProtocolVersion=_VERSIONS)
    for name in _CERTIFICATE_LISTS:
        if tls.get(name) == [] or len(sequence(tls.get(name))) > _MOST_CERTIFICATES:
            found.error(Code.TLS_SETTINGS, f"{path}.{name}", f"{name} holds one or two entries: fill it in, or remove it")
    _check_ciphers(found, tls, path)
    mode = text(tls.get("mode")) or "PASSTHROUGH"
    given = _certificates(tls)
    if mode == "ISTIO_MUTUAL":
        if given:
            found.error(Code.TLS_SETTINGS, path, f"ISTIO_MUTUAL uses Istio's own certificates: remove {' and '.join(given)}")
        return
    if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH") and (given or text(tls.get("caCrl"))):
        found.warning(
            Code.SERVER_TLS_NO_EFFECT, path, f"mode {mode} uses no certificates: remove {' and '.join(given) or 'caCrl'}"
        )
    if mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH") and text(tls.get("caCrl")) and text(tls.get("credentialName")):
        found.error(
            Code.TLS_SETTINGS, f"{path}.caCrl", "with credentialName the revocation list belongs into the credential: move it"
        )
    if (
        text(tls.get("serverCertificate"))
        and text(tls.get("privateKey"))
        and set(given) & {"credentialName", *_CERTIFICATE_LISTS}
    ):
        found.error(Code.TLS_SETTINGS, path, "the certificate is given twice: use a credential or certificate files, not both")
    if mode in ("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL") and not set(given) & {"credentialName", "credentialNames"}:
        _check_files(found, tls, mode, path)


def _certificates(tls: Mapping[str, Any]) -> list[str]:
    texts = [name for name in _CERTIFICATE_TEXTS if text(tls.get(name))]
    return texts + [name for name in _CERTIFICATE_LISTS if sequence(tls.get(name))]


def _check_ciphers(found: Findings, tls: Mapping[str, Any], path: str) -> None:
    suites = [suite for _, suite in strings(found, tls, "cipherSuites", path)]
    if tls.get("minProtocolVersion") in _OLD and not suites:
        found.warning(Code.TLS_SETTINGS, path, "TLS below 1.2 needs cipher suites of its time: set cipherSuites")
    if unknown := sorted({shown(suite) for suite in suites if not _is_suite(suite)}):
        found.warning(
            Code.SERVER_TLS_NO_EFFECT,
            f"{path}.cipherSuites",
            f"unknown cipher suites are ignored: correct {', '.join(unknown)}",
        )
    known = [suite for suite in suites if _is_suite(suite)]
    if len(set(known)) < len(known):
        found.warning(
            Code.SERVER_TLS_NO_EFFECT, f"{path}.cipherSuites", "cipher suites are there twice: remove the repeated ones"
        )


def _is_suite(suite: str) -> bool:
    """Tell whether Envoy may take it; expressions such as ``-SUITE`` are not looked into."""
    return suite in ("", "ALL") or not suite[0].isalnum() or suite in _CIPHER_SUITES


def _check_files(found: Findings, tls: Mapping[str, Any], mode: str, path: str) -> None:
    if mode != "SIMPLE" and not text(tls.get("caCertificates")):
        found.error(Code.TLS_SETTINGS, f"{path}.caCertificates", f"mode {mode} needs the clients' CA: set caCertificates")
    places = list(objects(found, tls, "tlsCertificates", path)) or [(path, tls)]
    for where, certificate in places:
        for name in ("serverCertificate", "privateKey"):
            if not text(certificate.get(name)):
                found.error(Code.TLS_SETTINGS, f"{where}.{name}", f"mode {mode} needs {name}: set it, or use credentialName")
    if text(tls.get("caCrl")) and mode == "SIMPLE":
        found.error(
            Code.TLS_SETTINGS, f"{path}.caCrl", "mode SIMPLE checks no client, so a revocation list does nothing: remove it"
        )
