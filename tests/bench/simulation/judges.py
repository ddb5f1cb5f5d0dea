"""Who watches a canary: the judge of this project, a plain threshold, and a test made for one look that looks every minute."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.core.judge import Counts, Decision, Evidence, Limits, Window


class Judge(Protocol):
    """Looks at one window after the other; what it says then is None while it waits."""

    def look(self, window: Window) -> Decision | None:
        """Take in one window and say something, or nothing."""


@dataclass(slots=True)
class Ours:
    """`core.judge`, with what the stable arm has shown before."""

    limits: Limits = field(default_factory=lambda: Limits(samples=1))
    evidence: Evidence = field(default_factory=Evidence)

    def know(self, history: Iterable[Window]) -> None:
        """Take in the stable arm's history."""
        for window in history:
            self.evidence = self.evidence.add(window, self.limits)

    def look(self, window: Window) -> Decision | None:
        self.evidence = self.evidence.add(window, self.limits)
        found = self.evidence.verdict(self.limits).decision
        return found if found is not Decision.WAIT else None


@dataclass(slots=True)
class Threshold:
    """Success of at least 99 % in every window; the fifth failed check ends it, the tenth check without that passes.

    So do Flagger's canaries with its usual `threshold: 5`: failed checks are never taken back.
    """

    least: float = 0.99
    failed: int = 0
    checks: int = 0

    def look(self, window: Window) -> Decision | None:
        self.checks += 1
        self.failed += 1 - window.canary.rate < self.least
        if self.failed >= 5:
            return Decision.HARM
        return Decision.NOT_WORSE if self.checks >= 10 else None


@dataclass(slots=True)
class ZTest:
    """Two proportions compared over all that was seen, one-sided at 1 % (harm) and 5 % (not worse), at every look."""

    margin: float = 2.0
    canary: Counts = field(default_factory=Counts)
    stable: Counts = field(default_factory=Counts)

    def look(self, window: Window) -> Decision | None:
        self.canary += window.canary
        self.stable += window.stable
        if self._distance(1.0) > 2.326:
            return Decision.HARM
        return Decision.NOT_WORSE if self._distance(self.margin) < -1.645 else None

    def _distance(self, ratio: float) -> float:
        """How many standard errors the canary's rate lies above so many times the stable arm's."""
        one, other = self.canary, self.stable
        variance = one.rate / one.requests + ratio**2 * other.rate / other.requests
        return (one.rate - ratio * other.rate) / math.sqrt(variance) if variance else 0.0
