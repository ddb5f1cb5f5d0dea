"""Names and values of HTTP headers, where they are matched, allowed or changed."""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, entries, mapping, shown, strings, text
from reconciler.core.validation.headerformat import format_flaw

_CLAIMS = "@request.auth.claims"
_PSEUDO = frozenset({":method", ":scheme", ":authority", ":path", ":status"})
#: RFC 7230's tokens, and the comma, which Istio lets pass (its pattern has `+-.`, a range).
_TOKEN = re.compile(r"[!#$%&'*+,.^_`|~A-Za-z0-9-]+").fullmatch
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search


def is_claim(name: str) -> bool:
    """Tell whether this stands for a claim of a JWT: ``@request.auth.claims.sub`` or ``@request.auth.claims[sub]``."""
    rest = name[len(_CLAIMS) :]
    return (
        name.lower().startswith(_CLAIMS)
        and len(rest) > 1
        and (rest[0] == "." or (rest[0] == "[" and rest[-1] == "]" and rest != "[]"))
    )


def check_matched_name(found: Findings, name: str, path: str) -> None:
    """Check a header that a route matches: also a pseudo-header, or a claim of a JWT."""
    if not (_TOKEN(name) or name in _PSEUDO or is_claim(name)):
        found.error(Code.HEADER_NAME, path, f"{shown(name)} is not a header name: correct it")


def check_cors_name(found: Findings, name: str, path: str) -> None:
    """Check a header that a CORS policy names."""
    if not _TOKEN(name):
        found.error(Code.HEADER_NAME, path, f"{shown(name)} is not a header name: correct it, or use `*`")


def check_operations(found: Findings, parent: Mapping[str, Any], path: str) -> None:
    """Check `headers`: what is set, added and removed in requests and responses."""
    headers = mapping(parent.get("headers"))
    for side in ("request", "response"):
        operations = mapping(headers.get(side))
        where = f"{path}.headers.{side}"
        for change in ("add", "set"):
            for place, name, value in entries(operations, change, where):
                _check_changed_name(found, name, place, authority_allowed=side == "request")
                if isinstance(value, str) and (flaw := value_flaw(value)):
                    found.error(
                        Code.HEADER_VALUE, place, f"the header value is malformed ({flaw}): write a literal %% for each %"
                    )
        for place, name in strings(found, operations, "remove", where):
            _check_changed_name(found, name, place, authority_allowed=False)


def value_flaw(value: str) -> str:
    """Return what Envoy would not take in a header value, empty where it takes it."""
    return "it holds a control character" if _CONTROL(value) else format_flaw(value)


def is_authority(name: str) -> bool:
    """Tell whether a header is the authority, under either of its names."""
    return name.lower() in (":authority", "host")


def _check_changed_name(found: Findings, name: str, path: str, *, authority_allowed: bool) -> None:
    if not name:
        found.error(Code.HEADER_NAME, path, "the header has no name: add it")
    elif (name.startswith(":") or name.lower() == "host") and not (authority_allowed and is_authority(name)):
        found.error(Code.HEADER_NAME, path, f"the header {shown(name)} cannot be changed here: remove it")


def check_authority(found: Findings, route: Mapping[str, Any], path: str) -> None:
    """The authority may be rewritten in one place only: `rewrite`, or the request's headers to set or to add."""
    places = [f"{path}.rewrite.authority"] if text(mapping(route.get("rewrite")).get("authority")) else []
    request = mapping(mapping(route.get("headers")).get("request"))
    for change in ("set", "add"):
        for place, name, value in entries(request, change, f"{path}.headers.request"):
            if is_authority(name):
                if places:
                    found.error(Code.AUTHORITY_TWICE, place, f"{places[0]} rewrites the authority already: keep one of them")
                elif text(value):
                    places.append(place)
