"""Leases: how long an agent may be silent, and when nobody's silence counts.

Only the server's clock counts. What it cannot have heard it holds against nobody: after a start, a pause, a jump of the clock,
or a time in which it turned agents away, every lease begins anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.fleet.values import Sign
from reconciler.errors import InvalidInput, SetupCode

#: How far agents spread their beats around what they are told.
JITTER = 0.1
#: Looks after a lease's end at which it is surely over, whichever replica has heard the agent last.
LAG = 2
#: Seconds by which wall clock and monotonic clock may part between two looks: a clock that is slewed, no jump.
SLEW = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of a fleet. An agent that is silent for `lease` is lost at the next look, which comes within `sweep`.

    `beats` is how many heartbeats a second the server takes; a larger fleet beats slower, and its leases are longer.
    Raises InvalidInput where a lease ends before a second heartbeat can come.
    """

    heartbeat: timedelta = timedelta(seconds=10)
    lease: timedelta = timedelta(seconds=30)
    sweep: timedelta = timedelta(seconds=5)
    rotate: timedelta = timedelta(hours=1)
    beats: int = 2000

    def __post_init__(self) -> None:
        if self.lease < 2 * (1 + JITTER) * self.heartbeat:
            raise InvalidInput(
                "a lease must be as long as two late heartbeats, or one that is lost ends it", code=SetupCode.OPTION
            )

    @property
    def tick(self) -> timedelta:
        """How often the server looks around. It sweeps at every second look, and what others heard reaches it within two."""
        return self.sweep / 5

    def next_in(self, agents: int) -> timedelta:
        """Return when an agent of a fleet of this size is to come again."""
        return max(self.heartbeat, timedelta(seconds=agents / self.beats))

    def lease_for(self, next_in: timedelta) -> timedelta:
        """Return how long an agent that was told so may be silent."""
        return self.lease * (next_in / self.heartbeat)


@dataclass(frozen=True, slots=True)
class Tick:
    """A moment on both clocks."""

    wall: datetime
    monotonic: float


def interrupted(before: Tick, now: Tick, every: timedelta) -> bool:
    """Tell whether we were away between two looks that should be so far apart, or one of the clocks was set."""
    passed = now.monotonic - before.monotonic
    jumped = abs((now.wall - before.wall).total_seconds() - passed)
    return passed > 3 * every.total_seconds() or jumped > SLEW


def deadline(sign: Sign | None, since: datetime, now: datetime, pace: Pace) -> datetime:
    """Return when an agent's silence ends its lease; no lease begins before `since`.

    A sign from the future is one from before a clock was set back: it counts from then.
    """
    if sign is None:
        return since + pace.lease
    return (sign.at if since <= sign.at <= now else since) + sign.lease
