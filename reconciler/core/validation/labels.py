"""Labels, selectors, and which namespaces an object is exported to."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, entries, mapping, sequence, shown, step, strings, text
from reconciler.core.validation.names import is_label

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?").fullmatch
_PREFIX_LABEL = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?").fullmatch
_LONGEST_NAME = 63
_LONGEST_PREFIX = 253
#: Kubernetes' limit, which the CRDs repeat for selectors.
LONGEST_LABEL_VALUE = 63


@lru_cache(maxsize=4096)
def is_label_key(key: str) -> bool:
    """Tell whether a text is a label key: a name, perhaps behind a DNS prefix and a slash."""
    prefix, slash, name = key.rpartition("/")
    if not _NAME(name) or len(name) > _LONGEST_NAME:
        return False
    return not slash or (len(prefix) <= _LONGEST_PREFIX and all(map(_PREFIX_LABEL, prefix.split("."))))


def check_labels(found: Findings, parent: Mapping[str, Any], path: str, name: str = "labels") -> None:
    """Check labels as Istio does: key syntax and the characters of values (their length is the CRD's business)."""
    for key, value in mapping(parent.get(name)).items():
        if not is_label_key(key):
            message = (
                f"{shown(key)} is not a label key: use `name` or `dns.prefix/name`, the name up to {_LONGEST_NAME} characters"
            )
            found.error(Code.LABEL_KEY, step(f"{path}.{name}", key), message)
        if isinstance(value, str) and value and not _NAME(value):
            message = (
                f"{shown(value)} is not a label value: use letters, digits, `-`, `_`, `.`, with a letter or digit at both ends"
            )
            found.error(Code.LABEL_VALUE, step(f"{path}.{name}", key), message)


def check_selector(found: Findings, selector: Mapping[str, Any], path: str, name: str) -> bool:
    """Check the labels that a selector asks for, and return whether it asks for any."""
    for where, key, value in entries(selector, name, path):
        if not key:
            found.error(Code.SELECTOR_EMPTY_KEY, where, "the empty key selects nothing: name the label")
        if "*" in key or "*" in text(value):
            found.error(Code.SELECTOR_WILDCARD, where, "a selector compares whole values: write the value without `*`")
        if len(text(value)) > LONGEST_LABEL_VALUE:
            found.error(
                Code.LABEL_VALUE, where, f"no label has a value longer than {LONGEST_LABEL_VALUE} characters: shorten it"
            )
    return bool(mapping(selector.get(name)))


def check_match_labels(found: Findings, spec: Mapping[str, Any], path: str, name: str = "selector") -> None:
    """Check a selector with `matchLabels`, as security, telemetry and DestinationRule have it."""
    if isinstance(selector := spec.get(name), dict) and not check_selector(found, selector, f"{path}.{name}", "matchLabels"):
        warn_without_labels(found, f"{path}.{name}")


def warn_without_labels(found: Findings, path: str) -> None:
    """Warn of a selector that selects everything."""
    found.warning(
        Code.SELECTOR_WITHOUT_LABELS,
        path,
        "a selector without labels takes the whole namespace: add labels, or drop it to mean that",
    )


def check_export_to(found: Findings, spec: Mapping[str, Any], namespace: str, path: str, *, nobody: bool = False) -> None:
    """Check `exportTo`. `nobody` allows ``~``, which a ServiceEntry may use to be visible to its own workloads only."""
    seen: set[str] = set()
    for where, entry in strings(found, spec, "exportTo", path):
        target = namespace if entry == "." else entry
        if target in seen:
            found.error(Code.EXPORT_TO_DUPLICATE, where, f"exportTo names {shown(target)} twice: keep one of them")
        elif target == "*" or (target == "~" and nobody) or is_label(target):
            seen.add(target)
        else:
            found.error(Code.EXPORT_TO_VALUE, where, f"{shown(entry)} is not a namespace: use `.`, `*` or a namespace's name")
    if len(sequence(spec.get("exportTo"))) > 1 and seen & {"*", "~"}:
        found.error(
            Code.EXPORT_TO_MIX,
            f"{path}.exportTo",
            "`*` (everybody) and `~` (nobody) stand alone: remove them or all the others",
        )
