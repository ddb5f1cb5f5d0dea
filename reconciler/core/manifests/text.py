"""Bytes of a manifest file -> bytes that may be parsed: UTF-8, NFC, nothing invisible.

Characters that a reviewer cannot see let a file mean something else than what was reviewed, and control characters break logs,
databases and terminals later. They are refused everywhere, comments included.
"""

import re
import unicodedata
from collections.abc import Iterator

from reconciler.core.manifests.codes import Code
from reconciler.errors import Place, Problem

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
#: Controls (tab and line breaks aside), line and paragraph separators, characters that join, hide or turn text, byte order
#: marks inside, noncharacters, unpaired surrogates, tags.
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def text_problems(path: str, data: bytes) -> Iterator[Problem]:
    """Yield what is wrong with the bytes themselves, in order; after bytes that are not UTF-8 nothing more can be said."""
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        encoding = "UTF-16" if data.startswith(_UTF16_BOMS) else "another encoding"
        yield Problem(
            Code.NOT_UTF8, f"is not UTF-8 (it may be {encoding}): save the file as UTF-8", place=_place_at(path, before)
        )
        return
    for found in _FORBIDDEN.finditer(text):
        yield Problem(Code.INVISIBLE, _invisible(found.group()), place=_place_at(path, text[: found.start()]))
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        for number, line in enumerate(text.splitlines(), start=1):
            if not unicodedata.is_normalized("NFC", line):
                yield Problem(Code.NOT_NFC, _NOT_NFC, place=Place(path, number, 1))


def value_problem(value: str) -> tuple[Code, str] | None:
    """Return code and message for a text that YAML's escapes brought a bad character into, None for a good one."""
    if found := _FORBIDDEN.search(value):
        return Code.INVISIBLE, _invisible(found.group())
    if not value.isascii() and not unicodedata.is_normalized("NFC", value):
        return Code.NOT_NFC, _NOT_NFC
    return None


def without_bom(data: bytes) -> bytes:
    """Return the data without a leading UTF-8 byte order mark, which is tolerated."""
    return data.removeprefix(_BOM)


def _invisible(character: str) -> str:
    return f"holds the invisible or control character U+{ord(character):04X}: remove it"


_NOT_NFC = "is not in Unicode's composed form (NFC): type the accented letters again as single characters"


def _place_at(path: str, before: str) -> Place:
    return Place(path, before.count("\n") + 1, len(before) - before.rfind("\n"))
