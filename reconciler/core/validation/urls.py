"""URLs as Go's net/url reads them, which is what Istio and the API server ask. Only the parts that rules look at are kept."""

import re
from dataclasses import dataclass

from reconciler.core.validation.addresses import is_ip

_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):").match
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})").search
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*").fullmatch
_PORT = re.compile(r"(?::([0-9]*))?").fullmatch
#: Escapes stand for bytes beyond ASCII here, and for the percent sign.
_HOST = re.compile(r"""(?:[A-Za-z0-9._~!$&'()*+,;=<>"\]-]|%25|%[89A-Fa-f][0-9A-Fa-f]|[^\x00-\x7f])*""").fullmatch
_ZONE = "%25"


class NotUrl(Exception):
    """A text is no URL. The message says why and leaves the text out."""


@dataclass(frozen=True, slots=True)
class Url:
    """Parts of a URL: scheme in lower case, host with its port as written, host and port alone, path as written."""

    scheme: str = ""
    host: str = ""
    hostname: str = ""
    port: str = ""
    path: str = ""


def parse(text: str, *, request: bool = False) -> Url:
    """Return the parts of a URL. Raises NotUrl. `request`: as in an HTTP request, absolute and without a fragment."""
    if _CONTROL(text) or (request and not text):
        raise NotUrl("it is empty or holds control characters")
    rest, _, fragment = (text, "", "") if request else text.partition("#")
    scheme = _SCHEME(rest)
    if rest.startswith(":"):
        raise NotUrl("its scheme is missing")
    name = scheme[1].lower() if scheme else ""
    rest = rest[scheme.end() :] if scheme else rest
    rest = rest.partition("?")[0]
    if _BAD_ESCAPE(fragment):
        raise NotUrl("it holds a % that escapes nothing")
    if rest.startswith("//") and (name or (not request and not rest.startswith("///"))):
        return _with_authority(name, rest[2:])
    if not rest.startswith("/"):
        return _without_path(name, rest, request=request)
    return Url(name, path=_checked_path(rest))


def _without_path(scheme: str, rest: str, *, request: bool) -> Url:
    if not scheme and rest != "*" and (request or ":" in rest.partition("/")[0]):
        raise NotUrl("it has neither a scheme nor an absolute path")
    return Url(scheme) if scheme else Url(path=_checked_path(rest))


def _with_authority(scheme: str, rest: str) -> Url:
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if at and (not _USER(user) or _BAD_ESCAPE(user)):
        raise NotUrl("its user is malformed")
    name, port = _split_port(host)
    plain = name[1:-1].partition(_ZONE)[0] if name.startswith("[") else name
    if not (is_ip(plain) and ":" in plain if name.startswith("[") else _HOST(plain)):
        raise NotUrl("its host is malformed")
    return Url(scheme, host, plain, port, _checked_path(slash + path))


def _split_port(host: str) -> tuple[str, str]:
    """Return host and port; an IPv6 address stands in brackets."""
    end = host.rfind("]") + 1 if host.startswith("[") else host.rfind(":")
    if host.startswith("[") and not end:
        raise NotUrl("its host is malformed")
    name, rest = (host, "") if end < 0 else (host[:end], host[end:])
    port = _PORT(rest)
    if not port:
        raise NotUrl("its port is malformed")
    return name, port[1] or ""


def _checked_path(path: str) -> str:
    if _BAD_ESCAPE(path):
        raise NotUrl("it holds a % that escapes nothing")
    return path
