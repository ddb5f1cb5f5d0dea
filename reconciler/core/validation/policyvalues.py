"""The values in rules of an AuthorizationPolicy: sources, operations, conditions."""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.addresses import is_cidr, is_ip
from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, sequence, shown, strings, text

_ANY_SEGMENT, _ANY_PATH = "{*}", "{**}"
#: RFC 3986's pchar.
_SEGMENT = re.compile(r"[a-zA-Z0-9._~%!$&'()+,;:@=-]+").fullmatch
_PORT = re.compile(r"[0-9]{1,9}").fullmatch
_BRACKETS = re.compile(r"[^\[]+\[.+\]").fullmatch
_IPS = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
_PLAIN_SOURCES = ("principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals", "namespaces", "notNamespaces")
_PLAIN_OPERATIONS = ("methods", "notMethods", "hosts", "notHosts")
_MOST_SERVICE_ACCOUNTS = 16
_LONGEST_SERVICE_ACCOUNT = 320
_MAP_KEYS = ("request.headers", "request.auth.claims", "experimental.envoy.filters.")
_PLAIN_KEYS = frozenset(
    {
        "source.namespace",
        "source.principal",
        "request.auth.principal",
        "request.auth.audiences",
        "request.auth.presenter",
        "connection.sni",
    }
)


def check_source(found: Findings, source: Mapping[str, Any], path: str) -> None:
    """Check the values of a source."""
    for name in _IPS:
        _check_each(found, source, name, path, _ip_flaw)
    for name in _PLAIN_SOURCES:
        _check_each(found, source, name, path, _empty_flaw)
    for name in ("serviceAccounts", "notServiceAccounts"):
        _check_each(found, source, name, path, _service_account_flaw)
        if len(sequence(source.get(name))) > _MOST_SERVICE_ACCOUNTS:
            found.error(
                Code.POLICY_VALUE, f"{path}.{name}", f"there are more than {_MOST_SERVICE_ACCOUNTS}: use several sources"
            )
    for name in ("trustDomains", "notTrustDomains"):
        _check_each(found, source, name, path, _trust_domain_flaw)
    accounts = [name for name in ("serviceAccounts", "notServiceAccounts") if source.get(name) is not None]
    others = [name for name in ("principals", "notPrincipals", "namespaces", "notNamespaces") if source.get(name) is not None]
    if accounts and others:
        found.error(Code.ONE_OF, path, f"{accounts[0]} and {others[0]} exclude each other: keep one of them")


def check_operation(found: Findings, operation: Mapping[str, Any], path: str) -> None:
    """Check the values of an operation."""
    for name in ("ports", "notPorts"):
        _check_each(found, operation, name, path, _port_flaw)
    for name in _PLAIN_OPERATIONS:
        _check_each(found, operation, name, path, _empty_flaw)
    for name in ("paths", "notPaths"):
        _check_each(found, operation, name, path, _path_flaw)


def check_condition(found: Findings, condition: Mapping[str, Any], path: str) -> None:
    """Check a condition: its key, and values that fit the key."""
    key = text(condition.get("key"))
    if not key:
        found.error(Code.POLICY_CONDITION, f"{path}.key", "the condition has no key: add it")
        return
    if not sequence(condition.get("values")) and not sequence(condition.get("notValues")):
        found.error(Code.POLICY_CONDITION, path, "the condition compares with nothing: add values or notValues")
    if flaw := _key_flaw(key):
        found.error(Code.POLICY_CONDITION, f"{path}.key", f"{shown(key)} {flaw}")
    judge = {
        "source.ip": _ip_flaw,
        "remote.ip": _ip_flaw,
        "destination.ip": _ip_flaw,
        "destination.port": _port_flaw,
        "source.serviceAccount": _service_account_flaw,
        "source.trustDomain": _wildcard_flaw,
    }.get(key, _empty_flaw)
    for name in ("values", "notValues"):
        _check_each(found, condition, name, path, judge)


def _key_flaw(key: str) -> str:
    if key.startswith(_MAP_KEYS):
        return "" if _BRACKETS(key) else "names no entry: write it like `request.headers[name]`"
    if key == "destination.namespace" or key.startswith("destination.labels"):
        return "is what the policy is for already: use its namespace and its selector"
    known = key in _PLAIN_KEYS or key in ("source.ip", "remote.ip", "destination.ip", "destination.port")
    return (
        ""
        if known or key in ("source.serviceAccount", "source.trustDomain")
        else "is not an attribute that Istio knows: correct it"
    )


def _check_each(found: Findings, parent: Mapping[str, Any], name: str, path: str, flaw_of: Any) -> None:
    for where, value in strings(found, parent, name, path):
        if flaw := flaw_of(value):
            found.error(Code.POLICY_VALUE, where, f"{shown(value)} {flaw}")


def _empty_flaw(value: str) -> str:
    return "" if value else "matches nothing: remove it"


def _ip_flaw(value: str) -> str:
    return "" if (is_cidr(value) if "/" in value else is_ip(value)) else "is neither an IP address nor a CIDR block: correct it"


def _port_flaw(value: str) -> str:
    return "" if _PORT(value) and int(value) <= 65535 else "is not a port: use a number up to 65535"


def _service_account_flaw(value: str) -> str:
    namespace, slash, name = value.rpartition("/")
    if "*" in value or "/" in namespace or not name or (slash and not namespace) or len(value) > _LONGEST_SERVICE_ACCOUNT:
        return "is not a service account: write `name` or `namespace/name`, without wildcards"
    return ""


def _wildcard_flaw(value: str) -> str:
    if not value or "*" in value[1:-1] or (len(value) > 1 and value[0] == value[-1] == "*"):
        return "is empty or has `*` elsewhere than at one end: correct it"
    return ""


def _trust_domain_flaw(value: str) -> str:
    return "is not a trust domain: it holds a slash" if "/" in value else _wildcard_flaw(value)


def _path_flaw(value: str) -> str:
    """A path may have the segments ``{*}`` and, as the last of these, ``{**}``; then the others are plain text."""
    if not value:
        return _empty_flaw(value)
    templated = _ANY_SEGMENT in value or _ANY_PATH in value
    after_any = False
    for segment in value.strip("/").split("/"):
        if segment in (_ANY_SEGMENT, _ANY_PATH):
            if after_any:
                return "has an operator behind {**}: make {**} the last one"
            after_any = segment == _ANY_PATH
        elif "{" in segment or "}" in segment:
            return "has braces that are neither {*} nor {**}: use these as whole segments"
        elif templated and not _SEGMENT(segment):
            return "has a segment that cannot stand beside {*} or {**}: use plain text"
    return ""
