"""Telemetry: metrics, tracing, access logs. Of filter expressions, which are CEL, only their presence is checked."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import check_duration
from reconciler.core.validation.findings import Findings, entries, known, mapping, objects, one_of, sequence, text, within
from reconciler.core.validation.targets import check_targets

_MODES = ("CLIENT_AND_SERVER", "CLIENT", "SERVER")
_METRICS = (
    "ALL_METRICS REQUEST_COUNT REQUEST_DURATION REQUEST_SIZE RESPONSE_SIZE TCP_OPENED_CONNECTIONS TCP_CLOSED_CONNECTIONS"
    " TCP_SENT_BYTES TCP_RECEIVED_BYTES GRPC_REQUEST_MESSAGES GRPC_RESPONSE_MESSAGES"
).split()
_TAG_FORMS = {"literal": "value", "environment": "name", "header": "name", "formatter": "value"}


def check(found: Findings, document: Document) -> None:
    """Check a Telemetry."""
    spec = mapping(document.get("spec"))
    check_targets(found, spec, "spec")
    for where, metrics in objects(found, spec, "metrics", "spec"):
        _check_metrics(found, metrics, where)
    if len(sequence(spec.get("tracing"))) > 1:
        found.warning(Code.TELEMETRY_UNSUPPORTED, "spec.tracing", "only the first entry has an effect: keep one")
    for where, tracing in objects(found, spec, "tracing", "spec"):
        _check_tracing(found, tracing, where)
    for where, logging in objects(found, spec, "accessLogging", "spec"):
        _check_providers(found, logging, where)
        known(found, mapping(logging.get("match")), f"{where}.match", mode=_MODES)
        if isinstance(condition := logging.get("filter"), dict) and not text(condition.get("expression")):
            found.error(
                Code.TELEMETRY, f"{where}.filter.expression", "the filter has no expression: add it, or remove the filter"
            )


def _check_providers(found: Findings, parent: Mapping[str, Any], path: str) -> None:
    for where, provider in objects(found, parent, "providers", path):
        if not text(provider.get("name")):
            found.error(Code.TELEMETRY, f"{where}.name", "the provider has no name: add it")


def _check_metrics(found: Findings, metrics: Mapping[str, Any], path: str) -> None:
    _check_providers(found, metrics, path)
    check_duration(found, metrics, path, "reportingInterval")
    for where, override in objects(found, metrics, "overrides", path):
        match = mapping(override.get("match"))
        one_of(found, match, f"{where}.match", "metric", "customMetric")
        known(found, match, f"{where}.match", mode=_MODES, metric=_METRICS)
        if match.get("customMetric") == "":
            found.error(Code.TELEMETRY, f"{where}.match.customMetric", "the metric has no name: add it")
        for place, _, tag in entries(override, "tagOverrides", where):
            _check_tag_override(found, mapping(tag), place)


def _check_tag_override(found: Findings, override: Mapping[str, Any], path: str) -> None:
    known(found, override, path, operation=("UPSERT", "REMOVE"))
    removes = override.get("operation") == "REMOVE"
    if removes and override.get("value") is not None:
        found.error(Code.TELEMETRY, f"{path}.value", "a tag that is removed has no value: drop value")
    if not removes and not text(override.get("value")):
        found.error(Code.TELEMETRY, f"{path}.value", "a tag needs a value: set it, or use operation REMOVE")


def _check_tracing(found: Findings, tracing: Mapping[str, Any], path: str) -> None:
    _check_providers(found, tracing, path)
    if len(sequence(tracing.get("providers"))) > 1:
        found.warning(Code.TELEMETRY_UNSUPPORTED, f"{path}.providers", "only the first provider has an effect: keep one")
    known(found, mapping(tracing.get("match")), f"{path}.match", mode=_MODES)
    within(found, tracing, path, "randomSamplingPercentage", 0, 100)
    for where, name, tag in entries(tracing, "customTags", path):
        if not name:
            found.error(Code.TELEMETRY, where, "the tag has no name: add it")
        one_of(found, mapping(tag), where, *_TAG_FORMS)
        for form, needed in _TAG_FORMS.items():
            if isinstance(content := mapping(tag).get(form), dict) and not text(content.get(needed)):
                found.error(Code.TELEMETRY, f"{where}.{form}.{needed}", f"the tag needs {needed}: set it")
