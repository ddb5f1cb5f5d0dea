"""What may be shown: nothing that steers a terminal or a page, no secret, no value without end.

Reports hold names, texts and values that others wrote, in Git and in the live objects. Every renderer passes them through
here; escaping for its own form comes after that.
"""

import hashlib
import json
import re
from typing import Any

from reconciler.core.changes import ABSENT

#: Characters of a value that are shown; the JSON report has it in full.
LONGEST = 160
#: Characters of any other text.
LONGEST_TEXT = 2_000

#: Names of fields, headers and annotations whose values are secrets. Names of secrets (credentialName, secretName) are none.
_SECRET_NAME = re.compile(
    r"(?:.*[^a-z])?(?:password|passwd|passphrase|secret|token|api[-_.]?key|authorization|credentials?|private[-_.]?key)"
    r"|(?:set-)?cookie"
)
#: Texts that are secrets wherever they stand: private keys, JSON web tokens, tokens of well-known services, credentials of
#: an Authorization header, passwords in URLs. No part may run far from many beginnings: the texts are others'.
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[\w-]{8,200}\.[\w-]{8,200}|\bgh[pousr]_\w{20}|\bgithub_pat_\w{20}|\bglpat-[\w-]{16}"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bxox[abeoprs]-[\w-]{10}|\b(?:Bearer|Basic) +[\w.~+/-]{12}|://[^/\s:@]*:[^/\s@]+@"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_STEPS = re.compile(r'\["([^"]*)"\]|\[[^\]]*\]|([^.\[\]]+)')
#: Texts that a reader would take for something else: a number, a word of JSON, the mark of an absent field.
_MISTAKABLE = re.compile(r"-|null|true|false|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|[\"\[{(].*|\s.*|.*\s", re.DOTALL)


class Hidden(str):
    """What stands in a secret's place."""

    __slots__ = ()


def clean(text: str) -> str:
    """Return text on one line, without control, format and bidirectional characters and halves of surrogate pairs."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text)


def value(data: Any) -> str:
    """Return one cell: ``-`` where the column has no such field, text as it is where that is clear, all else as JSON.

    What is longer than `LONGEST` is cut, with the digest of the whole: equal cells are equal values.
    """
    if data is ABSENT:
        return "-"
    as_it_is = isinstance(data, Hidden) or (isinstance(data, str) and _is_plain(data))
    text = data if as_it_is else json.dumps(data, ensure_ascii=False, sort_keys=True)
    if len(text) > LONGEST:
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        text = f"{text[:LONGEST]}… ({len(text)} characters, sha256 {digest[:12]})"
    return clean(text)


def _is_plain(text: str) -> bool:
    return text != "" and text.isprintable() and not _MISTAKABLE.fullmatch(text)


def redacted(path: str, data: Any) -> Any:
    """Return the value of a field without its secrets: texts under a telling name, and texts that tell themselves."""
    return _redacted(data, hide=any(map(_is_secret_name, _names(path))))


def _redacted(data: Any, *, hide: bool) -> Any:
    match data:
        case dict():
            return {name: _redacted(one, hide=hide or _is_secret_name(name)) for name, one in data.items()}
        case list():
            return [_redacted(one, hide=hide) for one in data]
        case str() if data and data is not ABSENT and (hide or _SECRET_TEXT.search(data)):
            return Hidden(f"(hidden: {len(data)} characters)")
        case _:
            return data


def _names(path: str) -> list[str]:
    """Return the field names and map keys of a path; items of lists have none."""
    return [quoted or plain for quoted, plain in _STEPS.findall(path) if quoted or plain]


def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.fullmatch(_HUMP.sub("-", name).lower()) is not None
