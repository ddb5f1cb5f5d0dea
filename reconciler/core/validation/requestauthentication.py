"""RequestAuthentication: which JWTs are accepted, and where they are found."""

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.core.resources import Document
from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import check_duration
from reconciler.core.validation.findings import Findings, mapping, objects, one_of, present, sequence, shown, strings, text
from reconciler.core.validation.targets import check_targets
from reconciler.core.validation.urls import NotUrl, parse

_HEADER_NAME = re.compile(r"[-_A-Za-z0-9]+").fullmatch
_URIS = ("jwksUri", "jwks_uri")
_KEYS = (*_URIS, "jwks")
#: The members of a JSON Web Key that only its owner may know.
_PRIVATE_PARTS = frozenset({"d", "k"})


def check(found: Findings, document: Document) -> None:
    """Check a RequestAuthentication."""
    spec = mapping(document.get("spec"))
    check_targets(found, spec, "spec")
    for where, rule in objects(found, spec, "jwtRules", "spec"):
        _check_rule(found, rule, where)


def _check_rule(found: Findings, rule: Mapping[str, Any], path: str) -> None:
    _check_issuer(found, rule, path)
    for name in ("audiences", "fromParams", "fromCookies"):
        for where, value in strings(found, rule, name, path):
            if not value:
                found.error(Code.JWT_RULE, where, f"an item of {name} is empty: fill it in or remove it")
    for where, header in objects(found, rule, "fromHeaders", path):
        if not text(header.get("name")):
            found.error(Code.JWT_RULE, f"{where}.name", "the header has no name: add it")
    for where, output in objects(found, rule, "outputClaimToHeaders", path):
        if not text(output.get("claim")) or not _HEADER_NAME(text(output.get("header"))):
            message = "the output needs a claim and a header of letters, digits, `-` and `_`: set both"
            found.error(Code.JWT_RULE, where, message)
    check_duration(found, rule, path, "timeout")
    _check_keys(found, text(rule.get("jwks")), f"{path}.jwks")


def _check_issuer(found: Findings, rule: Mapping[str, Any], path: str) -> None:
    """Check who issues tokens, and where the keys are that they are verified by."""
    one_of(found, rule, path, *_KEYS)
    issuer = rule.get("issuer")
    if issuer == "" or not (text(issuer) or any(text(rule.get(name)) for name in _URIS)):
        found.error(Code.JWT_RULE, path, "a rule needs an issuer (not an empty one) or a jwksUri: add one")
    for name in present(rule, *_URIS):
        if not _is_web_address(text(rule[name])):
            message = f"{shown(rule[name])} is not a web address: use one that begins with https:// or http://"
            found.error(Code.JWT_RULE, f"{path}.{name}", message)


def _is_web_address(uri: str) -> bool:
    try:
        return parse(uri).scheme in ("http", "https")
    except NotUrl:
        return False


def _check_keys(found: Findings, jwks: str, path: str) -> None:
    """Check inline keys as far as JSON goes; the keys themselves are never shown."""
    if not jwks:
        return
    try:
        content = json.loads(jwks)
    except (ValueError, RecursionError):
        found.error(Code.JWT_RULE, path, "jwks is not JSON: paste the key set as it is")
        return
    if not isinstance(content, dict) or not ({"keys", "kty"} & content.keys()):
        found.error(Code.JWT_RULE, path, "jwks is not a key set: it is an object with `keys`")
        return
    keys = sequence(content.get("keys")) or [content]
    if any(_PRIVATE_PARTS & mapping(key).keys() for key in keys):
        found.warning(
            Code.JWT_RULE,
            path,
            "jwks holds a private key, which only its issuer may know: replace it and publish the public one",
        )
