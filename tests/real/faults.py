"""What the proxy can do to a request, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came through: `path` with its query, `at` in seconds of the monotonic clock."""

    method: str
    path: str
    at: float


class Harm(StrEnum):
    """What can happen to a request."""

    RESPOND = "respond"
    """Answered by the proxy, never forwarded."""
    DELAY = "delay"
    """Forwarded late."""
    RESET = "reset"
    """The connection is reset and nothing forwarded."""
    LOSE_ANSWER = "lose answer"
    """Forwarded and carried out, then the connection is reset instead of answering."""
    BLACK_HOLE = "black hole"
    """Read, never forwarded, never answered."""
    TRUNCATE = "truncate"
    """The answer ends early, without its proper end."""


@dataclass(slots=True)
class Fault:
    """A harm, the requests it is meant for, and how often it still strikes; `times` None means until healed."""

    harm: Harm
    method: str | None
    path: str
    times: int | None
    response: bytes = b""
    seconds: float = 0.0
    keep: int = 0

    def strikes(self, request: Request) -> bool:
        """Whether it is meant for this request and not used up."""
        meant = self.method in (None, request.method) and re.search(self.path, request.path) is not None
        return meant and (self.times is None or self.times > 0)
