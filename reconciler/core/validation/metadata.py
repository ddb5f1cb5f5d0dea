"""Annotations that Istio's webhook refuses on its objects."""

from reconciler.core.resources import Document
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, step, text

_DRY_RUN = "istio.io/dry-run"
#: Istio writes these on objects that it makes itself; with them, an object would get more rights than its author has.
_RESERVED = ("internal.istio.io/webhook-always-reject", "internal.istio.io/parents", "internal.istio.io/parent-namespace")
#: The spellings that Go's strconv.ParseBool takes.
_BOOLEANS = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})


def check_annotations(found: Findings, document: Document) -> None:
    """Check the annotations of a document of any kind of Istio."""
    annotations = mapping(mapping(document.get("metadata")).get("annotations"))
    for name in _RESERVED:
        if name in annotations:
            found.error(
                Code.ANNOTATION, step("metadata.annotations", name), "this annotation is reserved for Istio itself: remove it"
            )
    if _DRY_RUN in annotations and (flaw := _dry_run_flaw(document, text(annotations[_DRY_RUN]))):
        found.error(Code.ANNOTATION, step("metadata.annotations", _DRY_RUN), flaw)


def _dry_run_flaw(document: Document, value: str) -> str:
    if document.get("kind") != "AuthorizationPolicy":
        return "only an AuthorizationPolicy can be tried out by this annotation: remove it"
    if mapping(document.get("spec")).get("action", "ALLOW") not in ("ALLOW", "DENY"):
        return "only the actions ALLOW and DENY can be tried out: remove the annotation"
    return "" if value in _BOOLEANS else "the annotation is neither true nor false: correct it"
