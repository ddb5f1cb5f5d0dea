"""Time that was really observed. No jump of a clock and no sleep of this process ever counts as observed."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """How long what has been seen, in steps from look to look.

    `looked` is the last look. `settled` is for how long the current stage has been found written without a break (None: it is
    not written). `held` is for how long the current step has been in force and well; `waited` for how long it has been kept
    from going on by something that should not last.
    """

    looked: datetime | None = None
    settled: timedelta | None = None
    held: timedelta = _NONE
    waited: timedelta = _NONE

    def since(self, now: datetime, gap: timedelta) -> timedelta:
        """Return the time since the last look, or nothing where it is longer than `gap` or negative: nobody saw it pass."""
        passed = now - self.looked if self.looked else _NONE
        return passed if _NONE < passed <= gap else _NONE

    def lost(self, now: datetime, gap: timedelta) -> timedelta:
        """Return for how long nobody looked, nothing where that is not longer than `gap`."""
        passed = now - self.looked if self.looked else _NONE
        return passed if passed > gap else _NONE

    def settling(self, passed: timedelta, *, written: bool) -> "Stopwatch":
        """Return it with one more look at whether the stage is written."""
        if not written:
            return replace(self, settled=None)
        return replace(self, settled=_NONE if self.settled is None else self.settled + passed)

    def anew(self) -> "Stopwatch":
        """Return it for a step, or for evidence, that begins anew."""
        return replace(self, held=_NONE, waited=_NONE)
