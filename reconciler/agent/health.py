"""Outcomes of probes -> health, by the probe's thresholds. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from reconciler.agent.probe import Probe


class State(str, Enum):
    """How a workload is. UNKNOWN: too few probes so far, or none that could be carried out."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """What one probe found; `reason` says what is wrong, without anything that the probed workload answered."""

    well: bool
    reason: str = ""


class Health(NamedTuple):
    """The verdict on a workload, its reason, and how many outcomes of a kind have come in a row."""

    state: State = State.UNKNOWN
    reason: str = ""
    good: int = 0
    bad: int = 0

    def after(self, outcome: Outcome, probe: Probe) -> Health:
        """Return the health once another outcome has come: as many in a row as the threshold says decide."""
        good = self.good + 1 if outcome.well else 0
        bad = 0 if outcome.well else self.bad + 1
        if good >= probe.successes:
            return Health(State.HEALTHY, "", good, bad)
        if bad >= probe.failures:
            return Health(State.UNHEALTHY, outcome.reason, good, bad)
        return Health(self.state, self.reason, good, bad)
