"""Time: the only module that reads the clock. Everything else takes the time as an argument."""

import time
from datetime import UTC, datetime

#: Linux' plain monotonic clock stands still while the machine is suspended; a lease, a pause and a timeout do not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's clocks: wall time for what people read, monotonic time for how long something took."""

    def now(self) -> datetime:
        """Wall time, UTC, aware. It may jump; nothing safe may rest on its difference alone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow, also while the machine sleeps, the same for all its processes since its start."""
        return time.clock_gettime(_CLOCK)
