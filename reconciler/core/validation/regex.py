r"""The syntax of RE2, as Go's regexp package checks it when Istio compiles a pattern.

Python's own `re` is no judge: it takes look-arounds and back-references, which RE2 has not, and refuses flags in the middle.
Only syntax is read here; no pattern is ever run. Names of Unicode classes (``\p{Greek}``) are taken as they are.
"""

import re
from dataclasses import dataclass, field

#: Istio's limit, in bytes.
LONGEST = 1024
_MOST_REPEATS = 1000
#: Go allows 1000 levels in its tree, of which a group takes two and a repetition one.
_DEEPEST = 300

_REPEAT = re.compile(r"\{([0-9]{1,9})(?:(,)([0-9]{0,9}))?\}").match
_GROUP_NAME = re.compile(r"\?P?<([A-Za-z0-9_]+)>").match
_FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])").match
_CLASS = re.compile(r"[pP](?:[A-Z]|\{\^?[A-Za-z_]+\})").match
_POSIX = re.compile(r"\[:\^?([a-z]+):\]").match
_HEX = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{([0-9A-Fa-f]{1,8})\})").match
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}").match
_POSIX_NAMES = frozenset("alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split())
_CONTROLS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


class _Invalid(Exception):
    """The pattern ends here; the text says why."""


@dataclass(slots=True)
class _Group:
    """An open group: is there something to repeat, how often is that repeated within itself, and the most of all before it."""

    repeatable: bool = False
    repeats: int = 1
    most: int = 1


@dataclass(slots=True)
class _Reader:
    pattern: str
    position: int = 0
    groups: list[_Group] = field(default_factory=lambda: [_Group()])
    names: set[str] = field(default_factory=set)

    def read(self) -> None:
        while self.position < len(self.pattern):
            self._element(self.pattern[self.position])
        if len(self.groups) > 1:
            raise _Invalid("a ( is not closed")

    def _element(self, character: str) -> None:
        match character:
            case "(":
                self._open()
            case ")":
                self._close()
            case "|":
                self.position += 1
                self._finish_atom()
                self.groups[-1].repeatable = False
            case "[":
                self.position = _class_end(self.pattern, self.position)
                self._atom()
            case "\\":
                self._escape()
            case "*" | "+" | "?":
                self.position += 1
                self._repeat(1)
            case "{" if found := _REPEAT(self.pattern, self.position):
                self.position = found.end()
                self._repeat(_count(found))
            case _:
                self.position += 1
                self._atom()

    def _atom(self, repeats: int = 1) -> None:
        self._finish_atom()
        self.groups[-1].repeatable = True
        self.groups[-1].repeats = repeats

    def _finish_atom(self) -> None:
        group = self.groups[-1]
        group.most = max(group.most, group.repeats)
        group.repeats = 1

    def _repeat(self, times: int) -> None:
        """Repeat the last atom; nested repetitions multiply."""
        group = self.groups[-1]
        if not group.repeatable:
            raise _Invalid("a repetition has nothing to repeat")
        group.repeats = group.repeats * times if times else 1
        if times > 1 and group.repeats > _MOST_REPEATS:
            raise _Invalid(f"it repeats more than {_MOST_REPEATS} times")
        self.position += self.pattern.startswith("?", self.position)
        if self.pattern.startswith(("*", "+", "?"), self.position) or _REPEAT(self.pattern, self.position):
            raise _Invalid("a repetition is repeated without a group")

    def _open(self) -> None:
        start = self.position + 1
        if name := _GROUP_NAME(self.pattern, start):
            if name[1] in self.names:
                raise _Invalid("a group name is used twice")
            self.names.add(name[1])
            self.position = name.end()
        elif flags := _FLAGS(self.pattern, start):
            self.position = flags.end()
            if flags[3] == ")":
                return
        elif self.pattern.startswith("?", start):
            raise _Invalid("look-arounds, back-references and other (?...) do not exist in RE2")
        else:
            self.position = start
        if len(self.groups) >= _DEEPEST:
            raise _Invalid("groups are nested too deeply")
        self.groups.append(_Group())

    def _close(self) -> None:
        if len(self.groups) == 1:
            raise _Invalid("a ) is not opened")
        self._finish_atom()
        inner = self.groups.pop()
        self.position += 1
        self._atom(inner.most)

    def _escape(self) -> None:
        start = self.position + 1
        if self.pattern.startswith("Q", start):
            end = self.pattern.find("\\E", start)
            literal_end = len(self.pattern) if end < 0 else end
            self.position = literal_end if end < 0 else end + 2
            if literal_end > start + 1:
                self._atom()
            return
        if self.pattern[start : start + 1] in tuple("AbBzdDsSwW"):
            self.position = start + 1
        elif unicode_class := _CLASS(self.pattern, start):
            self.position = unicode_class.end()
        else:
            self.position, _ = _character(self.pattern, self.position)
        self._atom()


def _count(found: re.Match[str]) -> int:
    low = int(found[1])
    high = low if not found[2] else int(found[3]) if found[3] else -1
    if low > _MOST_REPEATS or high > _MOST_REPEATS or 0 <= high < low:
        raise _Invalid(f"a repetition is not within 0 to {_MOST_REPEATS} times")
    return high if high >= 0 else max(low, 1)


def _character(pattern: str, position: int) -> tuple[int, int]:
    """Read one character or escape that stands for one; return where it ends, and the character's number."""
    if pattern[position] != "\\":
        return position + 1, ord(pattern[position])
    start = position + 1
    if start == len(pattern):
        raise _Invalid("it ends in a backslash")
    if (code := _HEX(pattern, start)) and int(code[1] or pattern[start + 1 : start + 3], 16) <= 0x10FFFF:
        return code.end(), int(code[1] or pattern[start + 1 : start + 3], 16)
    if octal := _OCTAL(pattern, start):
        return octal.end(), int(octal[0], 8)
    escaped = pattern[start]
    if escaped in _CONTROLS:
        return start + 1, _CONTROLS[escaped]
    if escaped.isascii() and not escaped.isalnum():
        return start + 1, ord(escaped)
    raise _Invalid("an escape does not exist in RE2")


def _class_end(pattern: str, position: int) -> int:
    """Return where a class in brackets ends."""
    position += 1
    position += pattern.startswith("^", position)
    first = True
    while first or not pattern.startswith("]", position):
        first = False
        if position >= len(pattern):
            raise _Invalid("a [ is not closed")
        if pattern.startswith("[:", position) and pattern.find(":]", position + 2) >= 0:
            position = _posix_end(pattern, position)
        elif pattern[position] == "\\" and (shorthand := _shorthand_end(pattern, position + 1)):
            position = shorthand
        else:
            position = _range_end(pattern, position)
    return position + 1


def _posix_end(pattern: str, position: int) -> int:
    found = _POSIX(pattern, position)
    if not found or found[1] not in _POSIX_NAMES:
        raise _Invalid("a [: :] class does not exist")
    return found.end()


def _shorthand_end(pattern: str, position: int) -> int:
    if pattern[position : position + 1] in tuple("dDsSwW"):
        return position + 1
    found = _CLASS(pattern, position)
    return found.end() if found else 0


def _range_end(pattern: str, position: int) -> int:
    position, low = _character(pattern, position)
    if not pattern.startswith("-", position) or pattern.startswith("-]", position) or position + 1 == len(pattern):
        return position
    position, high = _character(pattern, position + 1)
    if high < low:
        raise _Invalid("a range in a class runs backwards")
    return position


def flaw(pattern: str) -> str:
    """Return why Istio would not take a pattern, empty where it would."""
    if not pattern:
        return "it is empty"
    if len(pattern.encode(errors="replace")) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    try:
        _Reader(pattern).read()
    except _Invalid as error:
        return str(error)
    return ""
