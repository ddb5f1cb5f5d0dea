"""Redirects and rewrites of HTTP routes."""

from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, mapping, number, one_of, present, sequence, shown, text
from reconciler.core.validation.ports import check_number
from reconciler.core.validation.regex import flaw as regex_flaw


def check_redirect(found: Findings, route: Mapping[str, Any], path: str) -> None:
    """Check the `redirect` of a route, where there is one."""
    if not isinstance(redirect := route.get("redirect"), dict):
        return
    where = f"{path}.redirect"
    uri, prefix, scheme = (text(redirect.get(name)) for name in ("uri", "prefixRewrite", "scheme"))
    one_of(found, redirect, where, "port", "derivePort")
    if uri and prefix:
        found.error(Code.REDIRECT, where, "uri and prefixRewrite exclude each other: keep one of them")
    if not (uri or prefix or scheme or text(redirect.get("authority")) or present(redirect, "port", "derivePort")):
        found.error(Code.REDIRECT, where, "the redirect leads back to the same address: set uri, authority, scheme or port")
    if prefix and not _matches_prefixes_only(route):
        found.error(
            Code.REDIRECT, f"{where}.prefixRewrite", "prefixRewrite needs URI matches by prefix: use prefix in every match"
        )
    if scheme not in ("", "http", "https"):
        found.error(Code.REDIRECT, f"{where}.scheme", f"{shown(scheme)} is not a scheme: use http or https")
    if (code := number(redirect.get("redirectCode"))) and not 300 <= code <= 399:
        found.error(Code.REDIRECT, f"{where}.redirectCode", f"{shown(code)} is not a redirect: use 300 to 399")
    if redirect.get("port"):
        check_number(found, redirect["port"], f"{where}.port")


def _matches_prefixes_only(route: Mapping[str, Any]) -> bool:
    uris = [mapping(match).get("uri") for match in sequence(route.get("match"))]
    return all(uri is None or mapping(uri).get("prefix") is not None for uri in uris)


def check_rewrite(found: Findings, route: Mapping[str, Any], path: str) -> None:
    """Check the `rewrite` of a route, where there is one."""
    if not isinstance(rewrite := route.get("rewrite"), dict):
        return
    where = f"{path}.rewrite"
    by_regex = rewrite.get("uriRegexRewrite")
    if text(rewrite.get("uri")) and by_regex is not None:
        found.error(Code.REWRITE, where, "uri and uriRegexRewrite exclude each other: keep one of them")
    if not (text(rewrite.get("uri")) or text(rewrite.get("authority"))) and by_regex is None:
        found.error(Code.REWRITE, where, "the rewrite changes nothing: set uri, uriRegexRewrite or authority")
    if isinstance(by_regex, dict):
        _check_regex_rewrite(found, by_regex, f"{where}.uriRegexRewrite")


def _check_regex_rewrite(found: Findings, rewrite: Mapping[str, Any], path: str) -> None:
    pattern = text(rewrite.get("match"))
    if not pattern or not text(rewrite.get("rewrite")):
        found.error(Code.REWRITE, path, "a rewrite by regular expression needs match and rewrite: set both")
    elif reason := regex_flaw(pattern):
        found.error(Code.REGEX, f"{path}.match", f"the regular expression cannot be used ({reason}): Istio takes RE2 syntax")
