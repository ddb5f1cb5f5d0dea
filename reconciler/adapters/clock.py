"""Time: the only module that reads the clock. Everything else takes the time as an argument."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks: wall time for what people read, monotonic time for how long something took."""

    def now(self) -> datetime:
        """Wall time, UTC, aware. It may jump; nothing safe may rest on its difference alone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow, the same for all processes of this machine since its start."""
        return time.monotonic()
