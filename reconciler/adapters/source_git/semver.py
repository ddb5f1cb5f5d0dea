"""Semantic versions (semver.org 2.0.0) and ranges over them, in the dialect that Helm and Flux use.

A range is alternatives joined by ``||``, each a list of comparators that must all hold: ``1.2.3``, ``=``, ``>``, ``>=``, ``<``,
``<=``, ``^1.2`` (same major), ``~1.2`` (same minor), ``1.x``, ``*``. Pre-releases are left out unless a comparator of the
alternative names one (``>=1.0.0-0`` asks for all of them).
"""

import re
from dataclasses import dataclass, replace
from typing import Self

_NUMBER = r"0|[1-9][0-9]{0,8}"
_TAIL = r"(?:-(?P<pre>[0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]{1,64})?"
_VERSION = re.compile(rf"v?(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER}){_TAIL}")
_PART = rf"(?:{_NUMBER}|[xX*])"
_COMPARATOR = re.compile(
    rf"(?P<op>\^|~|>=|<=|>|<|=|)\s*v?(?P<major>{_PART})(?:\.(?P<minor>{_PART})(?:\.(?P<patch>{_PART}){_TAIL})?)?"
    r"(?=[\s,^~<>=]|$)[\s,]*"
)

#: Parts of a pre-release: numbers sort before words. None stands for a release, which sorts after all of them.
_Pre = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version, ordered as semver.org says; build metadata plays no part. `release` is 1 without a pre-release, else 0."""

    major: int
    minor: int = 0
    patch: int = 0
    release: int = 1
    pre: _Pre = ()

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the version that a tag names (a leading ``v`` is fine), None where it is none."""
        match = _VERSION.fullmatch(text)
        if match is None or not _is_pre(match["pre"]):
            return None
        return cls(int(match["major"]), int(match["minor"]), int(match["patch"]), *_pre(match["pre"]))

    @classmethod
    def before(cls, *numbers: int) -> Self:
        """Return what sorts before everything of ``x.y.z``, its pre-releases included."""
        major, minor, patch = (*numbers, 0, 0, 0)[:3]
        return cls(major, minor, patch, release=0)

    def successor(self) -> Self:
        """Return what sorts right after this version."""
        return replace(self, pre=(*self.pre, (0, -1, "")))


def _is_pre(text: str | None) -> bool:
    return text is None or all(text.split("."))


def _pre(text: str | None) -> tuple[int, _Pre]:
    if text is None:
        return 1, ()
    return 0, tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in text.split("."))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Half-open: from `low` to just before `high` (None: no end)."""

    low: Version
    high: Version | None = None
    asks_for_pre: bool = False

    def holds(self, version: Version) -> bool:
        return self.low <= version and (self.high is None or version < self.high)


@dataclass(frozen=True, slots=True)
class Range:
    """A parsed range."""

    alternatives: tuple[tuple[_Bounds, ...], ...]

    def __contains__(self, version: Version) -> bool:
        return any(
            all(bounds.holds(version) for bounds in alternative)
            and (version.release == 1 or any(bounds.asks_for_pre for bounds in alternative))
            for alternative in self.alternatives
        )


def parse_range(text: str) -> Range | None:
    """Return the range, None where the text is none."""
    alternatives = [_alternative(part.strip()) for part in text.split("||")]
    if not all(alternatives):
        return None
    return Range(tuple(tuple(alternative) for alternative in alternatives if alternative))


def _alternative(text: str) -> list[_Bounds] | None:
    bounds, at = [], 0
    while at < len(text):
        match = _COMPARATOR.match(text, at)
        if match is None or not _is_pre(match["pre"]):
            return None
        bounds.append(_bounds(match))
        at = match.end()
    return bounds


def _bounds(match: re.Match[str]) -> _Bounds:
    """Turn one comparator into bounds. What is left out, or is an x, stands for every value."""
    given: list[int] = []
    for part in ("major", "minor", "patch"):
        if match[part] is None or match[part] in "xX*":
            break
        given.append(int(match[part]))
    if not given:
        # `<*` and `>*` hold for nothing; every other comparator with a star for all.
        return _Bounds(Version.before(), Version.before() if match["op"] in ("<", ">") else None)
    low, high = _ends(match["op"], given, match["pre"])
    return _Bounds(low, high, asks_for_pre=match["pre"] is not None)


def _ends(operator: str, given: list[int], pre: str | None) -> tuple[Version, Version | None]:
    """Return where a comparator over one, two or three numbers begins and ends."""
    full = len(given) == 3
    lowest = Version.before(*given)
    first = _exact(lowest, pre) if full else lowest
    after = first.successor() if full else _after(given, len(given) - 1)
    match operator:
        case ">":
            return after, None
        case ">=":
            return first, None
        case "<":
            return Version.before(), first if pre is not None else lowest
        case "<=":
            return Version.before(), after
        case "~":
            return first, _after(given, min(1, len(given) - 1))
        case "^":
            return first, _after(given, next((place for place, number in enumerate(given) if number), len(given) - 1))
        case _:
            return first, after


def _exact(version: Version, pre: str | None) -> Version:
    release, parts = _pre(pre)
    return replace(version, release=release, pre=parts)


def _after(given: list[int], place: int) -> Version:
    """Return what sorts before all versions in which the number at this place is one more."""
    return Version.before(*given[:place], given[place] + 1)
