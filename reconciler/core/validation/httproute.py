"""HTTP routes of a VirtualService: what they do with a request. What they match is checked in `httpmatch`."""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import Any

from reconciler.core.validation import faults, httpmatch
from reconciler.core.validation.codes import Code
from reconciler.core.validation.durations import check_duration, check_whole_seconds
from reconciler.core.validation.findings import (
    Findings,
    mapping,
    number,
    objects,
    one_of,
    present,
    sequence,
    shown,
    strings,
    text,
    within,
)
from reconciler.core.validation.headers import check_authority, check_cors_name, check_operations
from reconciler.core.validation.l4route import check_destination, check_share_destination, check_weights
from reconciler.core.validation.redirects import check_redirect, check_rewrite
from reconciler.core.validation.retries import check_retries

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"})
#: In bytes: from here on an answer is a burden for the control plane, from there on it is refused.
_LARGE_BODY, _TOO_LARGE_BODY = 100 * 1024, 1024 * 1024


def check(found: Findings, route: Mapping[str, Any], path: str, *, delegate: bool, claims_allowed: bool) -> None:
    """Check a route. `delegate`: of a VirtualService without hosts. `claims_allowed`: at gateways JWT claims can be matched."""
    _check_conflicts(found, route, path, delegate=delegate)
    for where, match in objects(found, route, "match", path):
        httpmatch.check(found, match, where, claims_allowed=claims_allowed)
    check_operations(found, route, path)
    check_authority(found, route, path)
    _check_cors(found, mapping(route.get("corsPolicy")), f"{path}.corsPolicy")
    faults.check(found, route, path)
    _check_mirrors(found, route, path)
    check_redirect(found, route, path)
    check_rewrite(found, route, path)
    check_retries(found, route, path)
    _check_direct_response(found, route, path)
    for where, share in objects(found, route, "route", path):
        check_share_destination(found, share, where)
        check_operations(found, share, where)
    check_weights(found, route, path)
    check_duration(found, route, path, "timeout")


def _check_conflicts(found: Findings, route: Mapping[str, Any], path: str, *, delegate: bool) -> None:
    """A route redirects, answers, delegates or forwards; it does one of these, and what goes with it."""
    forwards = bool(sequence(route.get("route")))
    if route.get("delegate") is not None:
        if delegate:
            found.error(Code.DELEGATE, f"{path}.delegate", "a delegate cannot delegate further: remove delegate")
        else:
            _exclude(found, path, "delegate", [*present(route, "redirect"), *(["route"] if forwards else [])])
            return
    for action in present(route, "redirect", "directResponse")[:1]:
        others = present(route, "fault", "rewrite", *({"redirect", "directResponse"} - {action}))
        _exclude(found, path, action, [*(["route"] if forwards else []), *others])
        break
    else:
        if not forwards:
            found.error(Code.ROUTE_MISSING, path, "the route leads nowhere: add route, redirect, directResponse or delegate")
    if route.get("mirror") is not None and sequence(route.get("mirrors")):
        _exclude(found, path, "mirror", ["mirrors"])


def _exclude(found: Findings, path: str, action: str, others: list[str]) -> None:
    if others:
        found.error(Code.ROUTE_CONFLICT, path, f"{action} does not go with {' and '.join(others)}: keep one of them")


def _check_mirrors(found: Findings, route: Mapping[str, Any], path: str) -> None:
    check_destination(found, route, path, "mirror")
    for name in present(route, "mirrorPercent", "mirror_percent"):
        within(found, route, path, name, 0, 100)
        found.warning(Code.DEPRECATED, f"{path}.{name}", f"{name} is deprecated: use mirrorPercentage")
    within(found, mapping(route.get("mirrorPercentage")), f"{path}.mirrorPercentage", "value", 0, 100)
    for where, mirror in objects(found, route, "mirrors", path):
        check_share_destination(found, mirror, where)
        within(found, mapping(mirror.get("percentage")), f"{where}.percentage", "value", 0, 100)


def _check_cors(found: Findings, policy: Mapping[str, Any], path: str) -> None:
    for where, origin in objects(found, policy, "allowOrigins", path):
        httpmatch.check_text_match(found, origin, where, empty_prefix=True)
        if not any(text(origin.get(form)) for form in httpmatch.FORMS):
            found.error(Code.CORS, where, "an allowed origin is empty: set exact, prefix or regex")
    for where, method in strings(found, policy, "allowMethods", path):
        if method not in _METHODS:
            found.error(Code.CORS, where, f"{shown(method)} is not an HTTP method: write one in upper case, or `*`")
    for name in ("allowHeaders", "exposeHeaders"):
        for where, header in strings(found, policy, name, path):
            check_cors_name(found, header, where)
    check_whole_seconds(found, policy, path, "maxAge")


def _check_direct_response(found: Findings, route: Mapping[str, Any], path: str) -> None:
    if not isinstance(response := route.get("directResponse"), dict):
        return
    path = f"{path}.directResponse"
    if not 200 <= (status := number(response.get("status"))) <= 600:
        found.error(Code.NUMBER_RANGE, f"{path}.status", f"status is {shown(status)}: use 200 to 599")
    body = mapping(response.get("body"))
    one_of(found, body, f"{path}.body", "string", "bytes")
    size = len(text(body.get("string")).encode(errors="replace")) or _decoded_size(
        found, text(body.get("bytes")), f"{path}.body.bytes"
    )
    if size > _TOO_LARGE_BODY:
        found.error(
            Code.DIRECT_RESPONSE, f"{path}.body", "an answer of more than 1 MiB is refused: serve it from somewhere else"
        )
    elif size > _LARGE_BODY:
        found.warning(
            Code.DIRECT_RESPONSE, f"{path}.body", "an answer of more than 100 KiB slows the control plane down: shorten it"
        )


def _decoded_size(found: Findings, encoded: str, path: str) -> int:
    try:
        return len(b64decode(encoded, validate=True))
    except (Error, ValueError):
        found.error(Code.DIRECT_RESPONSE, path, "bytes are not base64: encode them")
        return 0
