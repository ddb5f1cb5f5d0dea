"""The brake on health: how many VMs of a namespace may leave load balancing within a while.

When many become ill together it is more often a probe, a network or a push than their death. As many may leave as `count` and
`percent` both allow, and `floor` in any case, so that a small fleet is not frozen. It counts those that stand as out since the
window began, so it needs no memory. Who is drained leaves by a person's will: the brake neither holds nor counts him.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.health.conditions import Reason
from reconciler.core.health.vitals import Vital


@dataclass(frozen=True, slots=True)
class Brake:
    """What one namespace may lose within the window."""

    count: int = 10
    percent: int = 30
    floor: int = 1
    window: timedelta = timedelta(minutes=10)

    def allowed(self, size: int) -> int:
        """Return how many of so many may leave."""
        return max(self.floor, min(self.count, size * self.percent // 100))


def room(brake: Brake, vitals: Iterable[Vital], now: datetime) -> tuple[int, datetime]:
    """Return how many more of a namespace's VMs may leave now, and when there is room for one more at the latest."""
    fleet = [one for one in vitals if one.counts]
    out = [one.stands.since or now for one in fleet if _fell(one) and one.stands]
    recent = sorted(since for since in out if now - since < brake.window)
    return max(0, brake.allowed(len(fleet)) - len(recent)), (recent[0] if recent else now) + brake.window


def _fell(vital: Vital) -> bool:
    return vital.stands is not None and not vital.stands.healthy and vital.stands.reason != Reason.DRAINING
