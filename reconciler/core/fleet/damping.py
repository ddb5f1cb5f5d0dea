"""A VM that flaps: each fall from health costs a penalty that halves with time; who has too much of it stays out.

The scheme is that of BGP's route flap damping (RFC 2439). Only the way back is delayed; what is ill is out at once.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Time in which a penalty halves; the penalty at which one is held out (three falls within some minutes), the one below which
#: one is let in, the largest one.
HALF_LIFE, HELD_OUT, LET_IN, LARGEST = timedelta(minutes=5), 2.5, 1.0, 6.0


@dataclass(frozen=True, slots=True)
class Damping:
    """The penalty at a moment, and whether the VM is held out for it."""

    penalty: float = 0.0
    at: datetime | None = None
    held_out: bool = False

    def now(self, now: datetime) -> float:
        """Return what is left of the penalty."""
        if self.at is None:
            return 0.0
        return self.penalty * math.exp2(-(max(now - self.at, timedelta(0)) / HALF_LIFE))


CALM = Damping()


def damped(damping: Damping, now: datetime, *, fell: bool) -> Damping:
    """Return the damping after one more look; the very same value where nothing has changed but time."""
    left = damping.now(now)
    penalty = min(left + 1.0, LARGEST) if fell else left
    held_out = penalty > LET_IN if damping.held_out else penalty >= HELD_OUT
    if not fell and held_out == damping.held_out:
        return damping
    return Damping(penalty, now, held_out)
