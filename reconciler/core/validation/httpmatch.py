"""What HTTP routes match: parts of the request, each by exact text, prefix or regular expression."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, entries, mapping, one_of, shown, text
from reconciler.core.validation.gatewaynames import check_gateway_names_quietly
from reconciler.core.validation.headers import check_matched_name, is_claim
from reconciler.core.validation.l4route import check_match_origin
from reconciler.core.validation.names import is_label
from reconciler.core.validation.regex import flaw as regex_flaw

FORMS = ("exact", "prefix", "regex")


def check(found: Findings, match: Mapping[str, Any], path: str, *, claims_allowed: bool) -> None:
    """Check one match of a route. `claims_allowed`: it may look into JWT claims."""
    for where, name, header in entries(match, "headers", path):
        if header is None:
            found.error(Code.NULL_ITEM, where, "a header match is null: use {} to ask for its presence")
        _check_header(found, name, header, where, claims_allowed=claims_allowed)
    for where, name, header in entries(match, "withoutHeaders", path):
        # `*` stands for presence here and is no regular expression.
        present_at_all = mapping(header).get("regex") == "*"
        _check_header(found, name, None if present_at_all else header, where, claims_allowed=claims_allowed)
    # Envoy takes an empty prefix for the URI only.
    check_text_match(found, mapping(match.get("uri")), f"{path}.uri", empty_prefix=True)
    for part in ("scheme", "method", "authority"):
        check_text_match(found, mapping(match.get(part)), f"{path}.{part}")
    for where, _, parameter in entries(match, "queryParams", path):
        check_text_match(found, mapping(parameter), where)
    check_match_origin(found, match, path)
    check_gateway_names_quietly(found, match, path)
    if (namespace := text(match.get("sourceNamespace"))) and not is_label(namespace):
        found.error(Code.MATCH, f"{path}.sourceNamespace", f"{shown(namespace)} is not a namespace: correct it")


def _check_header(found: Findings, name: str, header: object, path: str, *, claims_allowed: bool) -> None:
    check_matched_name(found, name, path)
    if is_claim(name) and not claims_allowed:
        found.error(
            Code.CLAIM_ROUTING,
            path,
            "JWT claims are matched at gateways only: bind the VirtualService to gateways, without mesh",
        )
    check_text_match(found, mapping(header), path)


def check_text_match(found: Findings, match: Mapping[str, Any], path: str, *, empty_prefix: bool = False) -> None:
    """Check a text to match: one form of it, and that one usable. `empty_prefix`: an empty prefix is fine."""
    one_of(found, match, path, *FORMS)
    if match.get("prefix") == "" and not empty_prefix:
        found.error(Code.MATCH, f"{path}.prefix", "an empty prefix is refused here: write it, or use {} to ask for presence")
    if isinstance(pattern := match.get("regex"), str) and (reason := regex_flaw(pattern)):
        found.error(Code.REGEX, f"{path}.regex", f"the regular expression cannot be used ({reason}): Istio takes RE2 syntax")
