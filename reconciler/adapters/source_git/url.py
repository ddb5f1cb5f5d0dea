"""The grammar of repository URLs. Whatever does not match never reaches Git, and is never repeated in a message.

Git reads more than a URL out of a URL: `ext::` and `fd::` run or open things, a leading dash is an option, a password in it
ends up in argv and logs. So three forms are accepted and rebuilt from their parts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reconciler.adapters.source_git.codes import Code
from reconciler.errors import InvalidInput

MAX_URL = 2048

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_PATH = r"(?:[A-Za-z0-9._~/+@,=-]|%[0-9A-Fa-f]{2})+"
_HTTPS = re.compile(rf"https://(?P<host>{_HOST}){_PORT}(?P<path>/{_PATH})")
_SSH = re.compile(rf"ssh://(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?(?P<host>{_HOST}){_PORT}(?P<path>/{_PATH})")
_SCP = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9._-]*@(?P<host>{_HOST}):(?P<path>[A-Za-z0-9._~/]{_PATH})")


class Transport(StrEnum):
    """How a repository is reached; the value is Git's name for it."""

    HTTPS = "https"
    SSH = "ssh"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository that may be asked: `url` as Git gets it, `origin` (``https://host:port``) to bind credentials to."""

    transport: Transport
    url: str
    origin: str = ""


def parse_url(text: str, *, allow_local: bool = False) -> Remote:
    """Return the repository that a person named. Raises InvalidInput, without the text: it may hold a password."""
    if not text or len(text) > MAX_URL or not text.isprintable():
        raise _refused("is empty, longer than 2048 characters or has control characters")
    if text.startswith("-") or "::" in text.partition("/")[0]:
        raise _refused("begins like an option or like a remote helper")
    if match := _HTTPS.fullmatch(text):
        return Remote(Transport.HTTPS, text, origin=f"https://{_authority(match)}")
    if match := _SSH.fullmatch(text) or _SCP.fullmatch(text):
        _authority(match)
        return Remote(Transport.SSH, text)
    if text.startswith(("file://", "/", "./", "../", "~")) or ":" not in text:
        return _local(text, allowed=allow_local)
    raise _refused(_why(text))


def _authority(match: re.Match[str]) -> str:
    """Return host and port; refuse a path that hides control characters, or a climb, in percent signs."""
    path = unquote(match["path"])
    if not path.isprintable() or ".." in path.split("/"):
        raise _refused("has control characters or '..' in its path")
    port = match.groupdict().get("port")
    if port and not 0 < int(port) < 65536:
        raise _refused("has a port outside 1 to 65535")
    return f"{match['host']}:{port}" if port else match["host"]


def _local(text: str, *, allowed: bool) -> Remote:
    if not allowed:
        raise InvalidInput(
            "the repository is local or no URL at all: give https:// or ssh://, or say --allow-local (git.allow_local)",
            code=Code.LOCAL,
        )
    named = unquote(text.removeprefix("file://")) if text.startswith("file://") else text
    try:
        path = Path(named).expanduser().absolute()
    except RuntimeError:
        raise _refused("begins with the home folder of a user who does not exist") from None
    if not str(path).isprintable():
        raise _refused("has control characters in its path")
    return Remote(Transport.FILE, "file://" + quote(str(path)))


def _why(text: str) -> str:
    """Say what is wrong with something that looks like a URL."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "cannot be read"
    if parts.scheme not in ("https", "ssh"):
        return "has a scheme other than https and ssh"
    if parts.password is not None or (parts.username is not None and parts.scheme == "https"):
        return "holds a user name or password: name a file with them in the settings"
    if parts.query or parts.fragment or "?" in text or "#" in text:
        return "has a query or a fragment"
    return "has a host or path with characters that are not accepted"


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"the repository's URL {why}: give https://host/path or ssh://user@host/path", code=Code.URL)
