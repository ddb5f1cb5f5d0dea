"""DestinationRule: host, subsets, whom it is for. The policies inside are checked in `trafficpolicy`."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, objects, shown, strings, text
from reconciler.core.validation.labels import check_export_to, check_labels, check_match_labels
from reconciler.core.validation.names import check_wildcard_host, is_label
from reconciler.core.validation.trafficpolicy import check_policy


def check(found: Findings, document: Document) -> None:
    """Check a DestinationRule."""
    namespace = text(mapping(document.get("metadata")).get("namespace"))
    spec = mapping(document.get("spec"))
    check_wildcard_host(found, text(spec.get("host")), "spec.host")
    check_policy(found, spec, namespace, "spec")
    _check_subsets(found, spec, namespace)
    check_export_to(found, spec, namespace, "spec")
    check_match_labels(found, spec, "spec", "workloadSelector")
    if spec.get("workloadSelector") is not None:
        _check_exported_home(found, spec, namespace)


def _check_subsets(found: Findings, spec: Mapping[str, Any], namespace: str) -> None:
    names: set[str] = set()
    for where, subset in objects(found, spec, "subsets", "spec"):
        name = text(subset.get("name"))
        check_subset_name(found, name, f"{where}.name")
        if name in names:
            found.error(Code.SUBSET_NAME, f"{where}.name", f"the subset {shown(name)} is there twice: rename or remove one")
        names.add(name)
        check_labels(found, subset, where)
        # Istio's webhook drops the warnings of a subset's policy.
        inner = Findings()
        check_policy(inner, subset, namespace, where)
        found.errors_of(inner)


def check_subset_name(found: Findings, name: str, path: str) -> None:
    """Check the name of a subset, where it is defined or where a route refers to it."""
    if not is_label(name):
        found.error(
            Code.SUBSET_NAME, path, f"{shown(name)} is not a subset name: use letters, digits and inner dashes, at most 63"
        )


def _check_exported_home(found: Findings, spec: Mapping[str, Any], namespace: str) -> None:
    """A rule for some clients of its namespace cannot be for another namespace's."""
    for where, entry in strings(Findings(), spec, "exportTo", "spec"):
        if entry not in (".", namespace):
            found.error(
                Code.SELECTOR_EXPORT,
                where,
                "with a workloadSelector the rule is for clients in its own namespace only: use `.`",
            )
