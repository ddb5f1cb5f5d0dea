"""PeerAuthentication: mTLS of a namespace or of selected workloads, and by port."""

import re

from reconciler.core.resources import Document
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, entries, mapping, shown
from reconciler.core.validation.labels import check_match_labels

_NUMBER = re.compile(r"[0-9]{1,9}").fullmatch


def check(found: Findings, document: Document) -> None:
    """Check a PeerAuthentication."""
    spec = mapping(document.get("spec"))
    check_match_labels(found, spec, "spec")
    if not isinstance(by_port := spec.get("portLevelMtls"), dict):
        return
    if not by_port:
        found.error(Code.PORT_LEVEL_MTLS, "spec.portLevelMtls", "portLevelMtls is empty: name a port, or remove it")
    if not mapping(mapping(spec.get("selector")).get("matchLabels")):
        found.error(
            Code.PORT_LEVEL_MTLS,
            "spec.portLevelMtls",
            "ports belong to workloads: add a selector with matchLabels, or remove portLevelMtls",
        )
    for where, port, _ in entries(spec, "portLevelMtls", "spec"):
        if not _NUMBER(port) or not 1 <= int(port) <= 65535:
            found.error(Code.PORT_LEVEL_MTLS, where, f"{shown(port)} is not a port number: use 1 to 65535")
