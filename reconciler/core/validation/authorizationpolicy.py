"""AuthorizationPolicy: rules of who may do what. The values inside are checked in `policyvalues`."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation import policyvalues
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, objects, sequence, shown, text
from reconciler.core.validation.targets import check_targets

_SOURCES = ("principals", "requestPrincipals", "namespaces", "ipBlocks", "remoteIpBlocks", "serviceAccounts", "trustDomains")
_OPERATIONS = ("ports", "methods", "paths", "hosts")
#: What an external authorizer (CUSTOM) cannot be asked to match.
_NOT_CUSTOM_SOURCES = ("principals", "requestPrincipals", "namespaces", "serviceAccounts", "trustDomains")
_NOT_CUSTOM_KEYS = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")
#: What is known of a TCP connection too.
_TCP_SOURCES = ("principals", "ipBlocks", "namespaces", "remoteIpBlocks", "serviceAccounts")


def check(found: Findings, document: Document) -> None:
    """Check an AuthorizationPolicy."""
    spec = mapping(document.get("spec"))
    action = text(spec.get("action")) or "ALLOW"
    check_targets(found, spec, "spec")
    _check_action(found, spec, action)
    for where, rule in objects(found, spec, "rules", "spec"):
        _check_rule(found, rule, where)
        if action == "CUSTOM":
            _check_custom_rule(found, rule, where)
        if action == "DENY" and _denies_all_tcp(rule):
            found.warning(
                Code.POLICY_DENIES_TCP,
                where,
                "a TCP connection has none of these attributes, so every one is denied: add ports to the rule",
            )


def _check_action(found: Findings, spec: Mapping[str, Any], action: str) -> None:
    rules, provider = sequence(spec.get("rules")), spec.get("provider")
    if action in ("CUSTOM", "DENY") and not rules:
        found.error(
            Code.POLICY_RULES, "spec.rules", f"{action} without rules never applies: add a rule ({{}} for every request)"
        )
    if action == "CUSTOM" and rules and not text(mapping(provider).get("name")):
        found.error(Code.POLICY_PROVIDER, "spec.provider.name", "CUSTOM needs the name of a provider: set provider.name")
    if action != "CUSTOM" and provider is not None:
        found.error(
            Code.POLICY_PROVIDER, "spec.provider", f"a provider goes with the action CUSTOM, not {shown(action)}: remove it"
        )


def _both(*names: str) -> tuple[str, ...]:
    """Return each name and its negation: ``hosts``, ``notHosts``."""
    return tuple(form for name in names for form in (name, f"not{name[0].upper()}{name[1:]}"))


def _check_rule(found: Findings, rule: Mapping[str, Any], path: str) -> None:
    for part, whom in (("from", "everybody"), ("to", "everything")):
        if rule.get(part) == []:
            message = f"an empty {part} gets lost and the rule applies to {whom}: fill it in, or remove it to mean that"
            found.error(Code.POLICY_EMPTY_LIST, f"{path}.{part}", message)
    for where, entry in objects(found, rule, "from", path):
        source = _filled(found, entry, "source", _both(*_SOURCES), where)
        policyvalues.check_source(found, source, f"{where}.source")
    for where, entry in objects(found, rule, "to", path):
        operation = _filled(found, entry, "operation", _both(*_OPERATIONS), where)
        policyvalues.check_operation(found, operation, f"{where}.operation")
    for where, condition in objects(found, rule, "when", path):
        policyvalues.check_condition(found, condition, where)


def _filled(found: Findings, entry: Mapping[str, Any], name: str, parts: tuple[str, ...], path: str) -> Mapping[str, Any]:
    """Return the source or the operation of an entry, which has to say something."""
    content = mapping(entry.get(name))
    if not any(sequence(content.get(part)) for part in parts):
        found.error(Code.POLICY_RULES, f"{path}.{name}", f"{name} is empty: fill it in, or remove the entry")
    return content


def _check_custom_rule(found: Findings, rule: Mapping[str, Any], path: str) -> None:
    for where, entry in objects(Findings(), rule, "from", path):
        for name in _both(*_NOT_CUSTOM_SOURCES):
            if sequence(mapping(entry.get("source")).get(name)):
                found.error(Code.POLICY_RULES, f"{where}.source.{name}", f"{name} is not supported with CUSTOM: remove it")
    for where, condition in objects(Findings(), rule, "when", path):
        key = text(condition.get("key"))
        if key in _NOT_CUSTOM_KEYS or key.startswith("request.auth."):
            found.error(Code.POLICY_RULES, f"{where}.key", f"{shown(key)} is not supported with CUSTOM: remove the condition")


def _denies_all_tcp(rule: Mapping[str, Any]) -> bool:
    """Tell whether a rule names HTTP attributes only, which a TCP connection can never contradict."""
    sources = [mapping(mapping(entry).get("source")) for entry in sequence(rule.get("from"))]
    operations = [mapping(mapping(entry).get("operation")) for entry in sequence(rule.get("to"))]
    if operations:
        return not any(sequence(operation.get(name)) for operation in operations for name in _both("ports"))
    return bool(sources) and not any(sequence(source.get(name)) for source in sources for name in _both(*_TCP_SOURCES))
