"""What Istio would say of a document: the rules of its admission webhook and of its CRDs, with no cluster and no CRD at hand.

One module per kind, and one per sort of field that several kinds share. The checks look at one object at a time; relations
between objects are somebody else's. They take documents whose shape nobody has checked and never raise: a value of a wrong type
is passed over, because the typed manifests report it. Codes and their meanings are in `codes`, the few deliberate differences
from Istio in `stricter`. Rules are those of Istio 1.31 (`pkg/config/validation` and the published CRDs); 1.24 and later differ
in fields that only newer versions have, which the user's own CRDs tell.

Must not know: files, YAML, other objects, the CRDs themselves.
"""

from collections.abc import Callable

from reconciler.core.resources import Document
from reconciler.core.validation import (
    authorizationpolicy,
    destinationrule,
    gateway,
    peerauthentication,
    proxyconfig,
    requestauthentication,
    serviceentry,
    sidecar,
    telemetry,
    virtualservice,
    workloadentry,
    workloadgroup,
)
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings
from reconciler.core.validation.metadata import check_annotations
from reconciler.core.validation.stricter import STRICTER, Stricter
from reconciler.errors import Problem

__all__ = ["STRICTER", "Code", "Stricter", "validate"]

_CHECKS: dict[str, Callable[[Findings, Document], None]] = {
    "AuthorizationPolicy": authorizationpolicy.check,
    "DestinationRule": destinationrule.check,
    "Gateway": gateway.check,
    "PeerAuthentication": peerauthentication.check,
    "ProxyConfig": proxyconfig.check,
    "RequestAuthentication": requestauthentication.check,
    "ServiceEntry": serviceentry.check,
    "Sidecar": sidecar.check,
    "Telemetry": telemetry.check,
    "VirtualService": virtualservice.check,
    "WorkloadEntry": workloadentry.check,
    "WorkloadGroup": workloadgroup.check,
}


def validate(document: Document) -> tuple[Problem, ...]:
    """Return errors and warnings of a document, each with its field, without object and place. Other kinds have none.

    Never raises, whatever the values are.
    """
    kind = document.get("kind")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        return ()
    found = Findings()
    try:
        check_annotations(found, document)
        check(found, document)
    except RecursionError:
        found.error(Code.TOO_DEEP, "", "the document is nested deeper than anything that Istio reads: flatten it")
    return found.all()
