"""ProxyConfig: settings of selected proxies."""

from reconciler.core.resources import Document
from reconciler.core.validation.findings import Findings, mapping, not_negative
from reconciler.core.validation.labels import check_match_labels


def check(found: Findings, document: Document) -> None:
    """Check a ProxyConfig."""
    spec = mapping(document.get("spec"))
    check_match_labels(found, spec, "spec")
    not_negative(found, spec, "spec", "concurrency")
