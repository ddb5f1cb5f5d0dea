"""Durations as Go writes them: ``1h30m``, ``5s``, ``250ms``."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from reconciler.core.validation.codes import Code
from reconciler.core.validation.findings import Findings, shown

MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND

_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)").match
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": MILLISECOND, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
#: Longer texts are no durations: 2**63 nanoseconds, the most that Go holds, are written in fewer characters.
_LONGEST = 64
_MOST = 2**63 - 1


@lru_cache(maxsize=4096)
def nanoseconds(duration: str) -> int | None:
    """Return a duration in nanoseconds, None where Go would not parse it."""
    rest = duration[1:] if duration[:1] in ("-", "+") else duration
    if rest == "0":
        return 0
    if not rest or len(duration) > _LONGEST:
        return None
    total = position = 0
    while position < len(rest):
        part = _PART(rest, position)
        if not part or not (part[1] or part[2]):
            return None
        fraction = part[2] or ""
        total += (int(part[1] or 0) * 10 ** len(fraction) + int(fraction or 0)) * _UNITS[part[3]] // 10 ** len(fraction)
        position = part.end()
    if total > _MOST:
        return None
    return -total if duration.startswith("-") else total


def check_duration(found: Findings, parent: Mapping[str, Any], path: str, *names: str) -> None:
    """Check fields that hold a duration of at least one and of whole milliseconds."""
    for name in names:
        if (length := _length(found, parent, path, name)) is None:
            continue
        if length < MILLISECOND:
            found.error(
                Code.DURATION_TOO_SHORT,
                f"{path}.{name}",
                f"{shown(parent[name])} is shorter than a millisecond: use 1ms or more",
            )
        elif length % MILLISECOND:
            found.error(
                Code.DURATION_PRECISION, f"{path}.{name}", f"{shown(parent[name])} has parts of a millisecond: use whole ones"
            )


def check_duration_syntax(found: Findings, parent: Mapping[str, Any], path: str, *names: str) -> None:
    """Check fields that hold any duration, 0 and negative ones too."""
    for name in names:
        _length(found, parent, path, name)


def check_whole_seconds(found: Findings, parent: Mapping[str, Any], path: str, name: str) -> None:
    """Check a field that holds a duration of whole seconds."""
    check_duration(found, parent, path, name)
    value = parent.get(name)
    length = nanoseconds(value) if isinstance(value, str) else None
    if length and length > 0 and length % SECOND and not length % MILLISECOND:
        found.error(Code.DURATION_PRECISION, f"{path}.{name}", f"{shown(value)} has parts of a second: use whole seconds")


def _length(found: Findings, parent: Mapping[str, Any], path: str, name: str) -> int | None:
    value = parent.get(name)
    if not isinstance(value, str):
        return None
    length = nanoseconds(value)
    if length is None:
        found.error(
            Code.DURATION_SYNTAX, f"{path}.{name}", f"{shown(value)} is not a duration: write it like `1h30m`, `5s` or `250ms`"
        )
    return length
