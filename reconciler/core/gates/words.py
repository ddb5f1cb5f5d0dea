"""Numbers and lengths of time as people read them."""

import math
from datetime import timedelta

_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


def number(value: float) -> str:
    """Return a measured value: ``0.9873``, ``412``."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def length(duration: timedelta) -> str:
    """Return a length of time in one unit, rounded up: ``6 min``."""
    seconds = math.ceil(duration.total_seconds())
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size or seconds == size:
            return f"{math.ceil(seconds / size)} {unit}"
    return f"{seconds} s"


def missing(wanted: int, have: int, within: timedelta) -> str:
    """Return how many more requests are needed, and about how long they take at the pace so far."""
    left = wanted - have
    text = f"{left:,} more request{'s' if left != 1 else ''}"
    if have <= 0 or within <= timedelta(0):
        return text
    return f"{text}, about {length(within * (left / have))}"
